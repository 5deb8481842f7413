"""One curve that a procedure measures: a quantity against what is moved, or drop by drop."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt

from magis_calib.domain.quantities import ACTUATORS, REPORTED, Quantity
from magis_calib.state.procedure import Axes, LiveCurve
from ui.style.colours import DIM, PROCEDURE, SERIES
from ui.style.theme import room_px
from ui.widgets.small_plot import SmallPlot, tolerance_band

HOVER = """a point for each drop, with the standard error of the fit; ringed: the newest
dashed: the target, or the slope that the matrix in force has; band: the tolerance"""
DROP = Quantity("drop_id", "drop", "", "", 1.0, 0)
SIGNS = (("●", True), ("○", False))
"""Of the curves that are drawn over one another: filled and open, in turn."""
ROOM_SHARE, NAME_PX = 0.06, 20.0
"""Of the range, around the points; and above them, where the run's name stands."""


class CurvePlot(SmallPlot):
    """Draws one curve; its axes are in the units that people read."""

    def __init__(self) -> None:
        super().__init__("drop")
        self.setToolTip(HOVER)
        self._band = tolerance_band()
        self._guide = pg.PlotCurveItem(pen=pg.mkPen(DIM, width=1, style=Qt.PenStyle.DashLine))
        none = np.empty(0)
        self._bars = pg.ErrorBarItem(x=none, y=none, height=none, pen=pg.mkPen(SERIES))
        self._marks = pg.ScatterPlotItem(size=6, pen=pg.mkPen(SERIES), pxMode=True)
        ring = pg.mkPen(PROCEDURE, width=2)
        self._newest = pg.ScatterPlotItem(size=11, pen=ring, brush=None, pxMode=True)
        self._band.setZValue(-10)
        self.add(self._band, self._guide, self._bars, self._marks, self._newest)

    def draw(self, curve: LiveCurve) -> None:
        """Draw all points of a curve that has one."""
        up, across = named(curve.axes)
        rows = np.array([(one.at, one.seen, one.stderr) for one in curve.points])
        at, seen, error = (rows * (across.shown_scale, up.shown_scale, up.shown_scale)).T
        error = np.where(np.isfinite(error), error, 0.0)
        self._marks.setData(at, seen, brush=_brushes(curve))
        self._newest.setData(at[-1:], seen[-1:])
        self._bars.setData(x=at, y=seen, height=2.0 * error)
        self.say_axis("left", _axis(up))
        self.say_axis("bottom", _axis(across))
        sides = np.array(_ends(at))
        heights = [seen - error, seen + error, self._guides(curve.axes, at, seen, sides)]
        self.show_range((sides[0], sides[1]), _ends(np.concatenate(heights), self._above()))

    def _above(self) -> float:
        """Return the share of the range that the run's name takes."""
        name_px = room_px(NAME_PX)
        return name_px / max(float(self.getViewBox().height()) - name_px, name_px)

    def _guides(
        self, axes: Axes, at: np.ndarray, seen: np.ndarray, sides: np.ndarray
    ) -> np.ndarray:
        """Draw the target or the expected slope; return the heights that must be seen of it."""
        self._band.setVisible(axes.target is not None)
        self._guide.setVisible(axes.target is not None or axes.slope is not None)
        if axes.slope is not None:
            self._guide.setData(sides, seen.mean() + _slope(axes) * (sides - at.mean()))
        elif axes.target is not None:
            return self._target(axes, axes.target, sides)
        return np.empty(0)

    def _target(self, axes: Axes, target: float, sides: np.ndarray) -> np.ndarray:
        """Draw the target (SI) with its tolerance; return the ends of that."""
        ends = REPORTED[axes.up].shown_scale * (target + axes.tolerance * np.array([-1.0, 1.0]))
        self._band.setRegion(ends)
        self._guide.setData(sides, np.full(2, ends.mean()))
        return ends


def named(axes: Axes) -> tuple[Quantity, Quantity]:
    """Return the quantities that are drawn up and across."""
    return REPORTED[axes.up], ACTUATORS[axes.across] if axes.across else DROP


def title(axes: Axes) -> str:
    """Name a curve for people."""
    up, across = named(axes)
    return f"{up.label} against {across.label}" if axes.across else f"{up.label} drop by drop"


def parts_of(curve: LiveCurve) -> list[str]:
    """Return the curves that are drawn over one another, in the order in which they began."""
    return list(dict.fromkeys(one.part for one in curve.points))


def _brushes(curve: LiveCurve) -> list[object]:
    """Return how each point is filled, by the curve that it belongs to."""
    parts = parts_of(curve)
    filled = [SIGNS[parts.index(one.part) % len(SIGNS)][1] for one in curve.points]
    return [pg.mkBrush(SERIES if one else None) for one in filled]


def _slope(axes: Axes) -> float:
    """Return the expected slope in the units that people read."""
    up, across = named(axes)
    return (axes.slope or 0.0) * up.shown_scale / across.shown_scale


def _axis(quantity: Quantity) -> str:
    return f"{quantity.label} ({quantity.shown_unit})" if quantity.shown_unit else quantity.label


def _ends(values: np.ndarray, above_share: float = ROOM_SHARE) -> tuple[float, float]:
    """Return what shows all values with some room; also where there is but one."""
    low, high = float(values.min()), float(values.max())
    span = high - low or max(1e-2 * abs(high), 1.0)
    return low - ROOM_SHARE * span, high + above_share * span
