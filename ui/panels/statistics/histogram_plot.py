"""How often a quantity had which value, beside the normal distribution."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt

from magis_calib.domain.estimate import Array
from ui.models.plot import Table
from ui.models.selection import Selection, Statistics
from ui.style.colours import DIM, SERIES, TEXT
from ui.widgets.small_plot import SmallPlot, faint

HOVER = """bars: drops · line: normal distribution of the same mean and standard deviation
dashed: target · grey band: tolerance · the outermost bars hold all that lies beyond"""
CURVE_POINTS = 121
ROOM_ABOVE = 1.22
"""Of the axis over the highest bar: the run's name stands there."""


class HistogramPlot(SmallPlot):
    """Bars in the unit that people read."""

    def __init__(self) -> None:
        super().__init__("")
        self.setToolTip(HOVER)
        none = pg.mkPen(None)
        fill = faint(SERIES, 110)
        self.bars = pg.BarGraphItem(x0=[0.0], x1=[1.0], height=[0.0], brush=fill, pen=none)
        self.normal = pg.PlotCurveItem(pen=pg.mkPen(TEXT, width=1))
        self.band = pg.LinearRegionItem(movable=False, brush=faint(DIM, 34), pen=none)
        self.target = pg.InfiniteLine(0.0, angle=90, pen=pg.mkPen(DIM, style=Qt.PenStyle.DashLine))
        self.add(self.band, self.bars, self.normal, self.target)
        self.getAxis("left").setLabel("drops")

    def draw(self, found: Statistics, selection: Selection) -> None:
        """Draw what was found."""
        scale = selection.quantity.shown_scale
        edges = found.edges * scale
        self.bars.setOpts(x0=edges[:-1], x1=edges[1:], height=found.counts)
        place, height = normal_curve(found)
        self.normal.setData(place * scale, height)
        self._draw_target(selection)
        self.say_axis("bottom", f"{what(selection)} ({selection.quantity.shown_unit or '1'})")
        most = max(1.0, float(found.counts.max()), float(height.max(initial=0.0)))
        margin = 0.04 * float(edges[-1] - edges[0])
        across = (float(edges[0]) - margin, float(edges[-1]) + margin)
        self.show_range(across, (0.0, ROOM_ABOVE * most))

    def _draw_target(self, selection: Selection) -> None:
        tolerance = selection.tolerance if selection.from_target else None
        self.target.setVisible(selection.from_target)
        self.band.setVisible(tolerance is not None)
        if tolerance is not None:
            half = tolerance * selection.quantity.shown_scale
            self.band.setRegion((-half, half))


def what(selection: Selection) -> str:
    """Name what is counted."""
    return (
        f"{selection.quantity.label} − target"
        if selection.from_target
        else selection.quantity.label
    )


def normal_curve(found: Statistics) -> tuple[Array, Array]:
    """Return places (SI) and drops per bin of the normal distribution.

    Empty where there is no width.
    """
    if not (math.isfinite(found.scatter) and found.scatter > 0):
        return np.empty(0), np.empty(0)
    place = np.linspace(found.edges[0], found.edges[-1], CURVE_POINTS)
    width = float(found.edges[1] - found.edges[0])
    share = np.exp(-0.5 * ((place - found.mean) / found.scatter) ** 2) / (
        found.scatter * math.sqrt(2 * math.pi)
    )
    return place, found.usable * width * share


def histogram_table(found: Statistics, selection: Selection) -> Table:
    """Return the edges of the bins (SI) and the drops in each with the error of counting."""
    name = selection.quantity.name
    columns = {
        f"{name}_from": found.edges[:-1],
        f"{name}_to": found.edges[1:],
        "drops": found.counts,
        "drops_stderr": np.sqrt(found.counts),
    }
    units = {f"{name}_from": selection.quantity.unit, f"{name}_to": selection.quantity.unit}
    return Table(
        columns, units, (f"{what(selection)}; the outermost bins hold all that lies beyond",)
    )
