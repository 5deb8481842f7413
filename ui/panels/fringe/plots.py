"""The profile of the fringe and what the fit leaves of it, one above the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt

from magis_calib.domain.estimate import Array, ViewEstimate
from magis_calib.estimation.profile import FringeProfile
from ui.models.autorange import SteadyRange
from ui.models.fringe_profile import REACH_WIDTHS
from ui.style.colours import DIM, PORTS
from ui.widgets.small_plot import PlotLabel, dress_plot, faint, say_axis

MM = 1e3
AXIS_PX = 50
ROOM_ABOVE = 0.08
"""Of the axis over the fringe: the run's name stands there."""
WORST_SIGMA = 4.0
"""The axis of what is left reaches at least so far."""
PREFIXES = ((1e9, "10⁹ e⁻"), (1e6, "10⁶ e⁻"), (1e3, "10³ e⁻"), (1.0, "e⁻"))
SYMBOLS = {"a": "o", "b": "s"}


class PortItems:
    """What is drawn of one port: points and fit above, what is left below."""

    def __init__(self, signal: Any, residual: Any, port: str) -> None:
        """Add the items of `port` (a or b) to the plots above (`signal`) and below (`residual`)."""
        colour = PORTS[port]
        self._points = _dots(colour, SYMBOLS[port])
        self._fit: Any = pg.PlotCurveItem(pen=pg.mkPen(colour, width=1), antialias=True)
        self._rest = _dots(colour, SYMBOLS[port])
        for plot, item in (
            (signal, self._points),
            (signal, self._fit),
            (residual, self._rest),
        ):
            plot.addItem(item, ignoreBounds=True)

    def draw(self, place: Array, data: Array, fit: Array, rest: Array) -> None:
        """Draw these over places in mm, in the unit of the axis; `rest` in standard errors."""
        self._points.setData(place, data)
        self._fit.setData(place, fit)
        self._rest.setData(place, rest)


class FringePlots(pg.GraphicsLayoutWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """`label` names the run."""

    def __init__(self) -> None:
        super().__init__()
        self._signal_range = SteadyRange()
        self._residual_range = SteadyRange(8.0)
        self.setAccessibleName("profile of the fringe, and what the fit leaves")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.ci.setContentsMargins(0, 0, 6, 0)
        self.ci.setSpacing(0)
        self.signal: Any = self._add_plot(0, 4)
        self._residual: Any = self._add_plot(1, 32)
        self._dress_pair()
        self._items = {port: PortItems(self.signal, self._residual, port) for port in PORTS}
        zero = pg.InfiniteLine(0, angle=0, pen=pg.mkPen(DIM, style=Qt.PenStyle.DashLine))
        self._residual.addItem(zero, ignoreBounds=True)
        self.label = PlotLabel(self.signal.getViewBox())

    def draw(self, profile: FringeProfile, fitted: ViewEstimate) -> None:
        """Draw a profile with its fit."""
        place = profile.horizontal_m * MM
        both = np.concatenate([profile.port_a, profile.port_b])
        self._signal_range.follow(min(0.0, float(np.nanmin(both))), float(np.nanmax(both)))
        # of the axis: it changes seldom, and with it the range
        scale, unit = _prefix(self._signal_range.limits[1])
        say_axis(self.signal, "left", unit)
        worst = max(
            self._draw_port("a", place, profile.port_a, profile.fit_a, profile.sigma_a, scale),
            self._draw_port("b", place, profile.port_b, profile.fit_b, profile.sigma_b, scale),
        )
        self._residual_range.follow(-worst, worst)
        self._show_ranges(_reach_mm(fitted, place), scale)

    def _draw_port(
        self, port: str, place: Array, data: Array, fit: Array, sigma: Array, scale: float
    ) -> float:
        """Return how far the worst point is away, in standard errors."""
        rest = np.divide(data - fit, sigma, out=np.full_like(data, np.nan), where=sigma > 0)
        self._items[port].draw(place, data / scale, fit / scale, rest)
        return float(np.nanmax(np.abs(np.append(rest, WORST_SIGMA))))

    def _show_ranges(self, across_mm: tuple[float, float], scale: float) -> None:
        low, high = (one / scale for one in self._signal_range.limits)
        shown = (low, high + ROOM_ABOVE * (high - low))
        self.signal.setRange(xRange=across_mm, yRange=shown, padding=0)
        self._residual.setYRange(*self._residual_range.limits, padding=0)
        # else the new range is found while painting, and all is painted twice
        self.scene().prepareForPaint()

    def _add_plot(self, row: int, below_px: int) -> Any:
        plot = self.addPlot(row=row, col=0)
        plot.setMouseEnabled(False, False)
        dress_plot(plot, AXIS_PX, below_px)
        return plot

    def _dress_pair(self) -> None:
        self.signal.getAxis("bottom").setStyle(showValues=False)
        self._residual.setXLink(self.signal)
        self._residual.getAxis("left").setLabel("rest (σ)")
        self._residual.getAxis("bottom").setLabel("horizontal position (mm)")
        for row, share in enumerate((5, 3)):
            self.ci.layout.setRowStretchFactor(row, share)


def _dots(colour: str, symbol: str) -> Any:
    brush = pg.mkBrush(faint(colour, 150))
    return pg.ScatterPlotItem(size=3, pen=None, brush=brush, symbol=symbol, pxMode=True)


def _reach_mm(fitted: ViewEstimate, place: Array) -> tuple[float, float]:
    """Return the part of the image where the clouds are."""
    centres = [fitted.value(f"port_{port}_horizontal_m") * MM for port in PORTS]
    away = REACH_WIDTHS * fitted.value("width_horizontal_m") * MM
    left = max(float(place[0]), min(centres) - away)
    right = min(float(place[-1]), max(centres) + away)
    return (left, right) if right > left else (float(place[0]), float(place[-1]))


def _prefix(largest: float) -> tuple[float, str]:
    return next((one for one in PREFIXES if largest >= 10 * one[0]), PREFIXES[-1])
