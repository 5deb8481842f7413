"""The fringe as a profile: both ports with their fit, and what is left over."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel, QStackedLayout, QVBoxLayout, QWidget

from magis_calib.domain.camera import ImagePair
from magis_calib.domain.estimate import Array, StationEstimate, ViewEstimate
from magis_calib.estimation.profile import FringeProfile
from magis_calib.state.snapshot import Snapshot
from ui.models.autorange import SteadyRange
from ui.models.background import BackgroundTask
from ui.models.fringe_profile import REACH_WIDTHS, fringed_view, profile_of, table_of
from ui.models.image_history import ImageHistory
from ui.models.plot import Origin, Plot
from ui.panels.fringe.numbers import FringeWords
from ui.panels.fringe.phase_dial import PhaseDial
from ui.style.colours import DIM, PORTS
from ui.style.format import missing, why_unusable
from ui.style.theme import room_px
from ui.widgets.small_plot import PlotLabel, dress_axes

MM = 1e3
AXIS_PX = 50
ROOM_ABOVE = 0.08
"""Of the axis over the fringe: the run's name stands there."""
PREFIXES = ((1e9, "10⁹ e⁻"), (1e6, "10⁶ e⁻"), (1e3, "10³ e⁻"), (1.0, "e⁻"))


class FringePanel(QWidget):
    """Profile of the view that carries the fringes."""

    def __init__(self, executor: Executor, image_history: ImageHistory) -> None:
        """`executor`: sums up the profiles, beside the GUI thread.

        `image_history` knows which drop to show.
        """
        super().__init__()
        self._image_history = image_history
        self.background: BackgroundTask[tuple[ImagePair, StationEstimate], FringeProfile | None] = (
            BackgroundTask(executor, profile_of)
        )
        self._drawn: object = None
        self._signal_range = SteadyRange()
        self._residual_range = SteadyRange(8.0)
        self._words = FringeWords()
        self._dial = PhaseDial()
        self._plot: Plot | None = None
        self._plots: Any = pg.GraphicsLayoutWidget()
        self._plots.setAccessibleName("profile of the fringe, and what the fit leaves")
        self._plots.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plots.ci.setContentsMargins(0, 0, 6, 0)
        self._plots.ci.setSpacing(0)
        self._signal = self._add_plot(0)
        self._residual = self._add_plot(1)
        self._signal.getAxis("bottom").setStyle(showValues=False)
        self._residual.setXLink(self._signal)
        self._residual.getAxis("bottom").setLabel("horizontal position (mm)")
        self._plots.ci.layout.setRowStretchFactor(0, 5)
        self._plots.ci.layout.setRowStretchFactor(1, 3)
        self._points: dict[str, Any] = {}
        self._fits: dict[str, Any] = {}
        self._rests: dict[str, Any] = {}
        for port, colour in PORTS.items():
            self._make_items(port, QColor(colour))
        self._zero: Any = pg.InfiniteLine(0, angle=0, pen=pg.mkPen(DIM, style=Qt.PenStyle.DashLine))
        self._residual.addItem(self._zero, ignoreBounds=True)
        self._label = PlotLabel(self._signal.getViewBox())
        self._empty = QLabel()
        self._empty.setWordWrap(True)
        self._empty.setStyleSheet(f"color: {DIM}; padding: 16px;")
        shown = QWidget()
        column = QVBoxLayout(shown)
        column.setContentsMargins(0, 2, 0, 0)
        column.setSpacing(1)
        column.addWidget(self._words)
        column.addWidget(self._plots, 1)
        self._dial.setParent(self._plots)  # in the corner where a fringe has no light
        self._dial.move(room_px(AXIS_PX) + 4, room_px(16))  # under the name of the run
        self._shown = shown
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(shown)

    def prepare(self, snapshot: Snapshot) -> None:
        """Begin to sum up the profile to show; cheap."""
        shown = self._image_history.shown(snapshot)
        if shown.pair is not None and shown.estimate is not None:
            self.background.begin((shown.pair, shown.estimate))

    def settle(self) -> None:
        """Wait for what is made ready aside."""
        self.background.settle()

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Draw the profile of the drop to show."""
        shown = self._image_history.shown(snapshot)
        pair, estimate = shown.pair, shown.estimate
        self._plot = None if pair is None or estimate is None else self._plot
        if pair is None or estimate is None:
            nothing = "No fringes yet\n\n" + missing(snapshot, "camera x")
            self._say_empty(f"– No profile\n\n{shown.problem}" if shown.back else nothing)
            self._drawn = None
            return
        made = self.background.newest((pair, estimate))
        if made is None or made is self._drawn:
            return
        self._drawn = made
        (pair, estimate), profile = made
        fitted = estimate.views.get(fringed_view(estimate))
        if fitted is None or profile is None:
            reasons = fitted.reasons if fitted is not None else estimate.reasons
            self._plot = None
            self._say_empty(
                f"– No profile of drop {pair.drop_id}\n\n"
                + ("\n".join(reasons) or "no fit of this drop")
            )
        else:
            self._draw(profile, fitted)
            self._say_phase(estimate, snapshot)
            drops = (pair.drop_id, pair.drop_id)
            name = f"fringe profile, view {fitted.view}"
            self._label.say(Origin.of(snapshot).identity(drops))
            self._plot = Plot(name, "fringe", self._plots, drops, lambda: table_of(profile))

    def plots(self) -> list[Plot]:
        """Return the profile with what is left of it, where there is one."""
        return [self._plot] if self._plot is not None else []

    def _say_phase(self, estimate: StationEstimate, snapshot: Snapshot) -> None:
        """Turn the dial to the phase of the station; it shows none that the loop would not use."""
        name = "phase_rad"
        record = next(
            (one for one in reversed(snapshot.records) if one.drop_id == estimate.drop_id), None
        )
        why = why_unusable(record, name) if record is not None else "; ".join(estimate.reasons)
        self._dial.say(
            estimate.values[name], estimate.stderr[name], snapshot.targets.get(name), why
        )

    def _draw(self, profile: FringeProfile, fitted: ViewEstimate) -> None:
        self._stack.setCurrentWidget(self._shown)
        self._words.say(fitted)
        place = profile.horizontal_m * MM
        both = np.concatenate([profile.port_a, profile.port_b])
        self._signal_range.follow(min(0.0, float(np.nanmin(both))), float(np.nanmax(both)))
        scale, unit = _prefix(
            self._signal_range.limits[1]
        )  # of the axis: it changes seldom, and with it the range
        axis = self._signal.getAxis("left")
        if axis.labelText != unit:
            axis.setLabel(unit)
            axis.resizeEvent()  # else the new text begins where the old one began
        ports = {
            "a": (profile.port_a, profile.fit_a, profile.sigma_a),
            "b": (profile.port_b, profile.fit_b, profile.sigma_b),
        }
        worst = 4.0
        for port, (data, fit, sigma) in ports.items():
            rest = np.divide(data - fit, sigma, out=np.full_like(data, np.nan), where=sigma > 0)
            self._points[port].setData(place, data / scale)
            self._fits[port].setData(place, fit / scale)
            self._rests[port].setData(place, rest)
            worst = float(np.nanmax(np.abs(np.append(rest, worst))))
        self._residual_range.follow(-worst, worst)
        low, high = (one / scale for one in self._signal_range.limits)
        shown = (low, high + ROOM_ABOVE * (high - low))
        self._signal.setRange(xRange=_reach_mm(fitted, place), yRange=shown, padding=0)
        self._residual.setYRange(*self._residual_range.limits, padding=0)
        # else the new range is found while painting, and all is painted twice
        self._plots.scene().prepareForPaint()

    def _say_empty(self, text: str) -> None:
        self._empty.setText(text)
        self._stack.setCurrentWidget(self._empty)

    def _add_plot(self, row: int) -> Any:
        plot = self._plots.addPlot(row=row, col=0)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.setMouseEnabled(False, False)
        plot.disableAutoRange()
        dress_axes(plot, AXIS_PX, 32 if row == 1 else 4)
        if row == 1:
            plot.getAxis("left").setLabel("rest (σ)")
        return plot

    def _make_items(self, port: str, colour: QColor) -> None:
        dots = QColor(colour)
        dots.setAlpha(150)
        symbol = "o" if port == "a" else "s"
        self._points[port] = pg.ScatterPlotItem(
            size=3, pen=None, brush=pg.mkBrush(dots), symbol=symbol, pxMode=True
        )
        self._fits[port] = pg.PlotCurveItem(pen=pg.mkPen(colour, width=1), antialias=True)
        self._rests[port] = pg.ScatterPlotItem(
            size=3, pen=None, brush=pg.mkBrush(dots), symbol=symbol, pxMode=True
        )
        self._signal.addItem(self._points[port], ignoreBounds=True)
        self._signal.addItem(self._fits[port], ignoreBounds=True)
        self._residual.addItem(self._rests[port], ignoreBounds=True)


def _reach_mm(fitted: ViewEstimate, place: Array) -> tuple[float, float]:
    """Return the part of the image where the clouds are."""
    centres = [fitted.value(f"port_{port}_horizontal_m") * MM for port in PORTS]
    away = REACH_WIDTHS * fitted.value("width_horizontal_m") * MM
    left = max(float(place[0]), min(centres) - away)
    right = min(float(place[-1]), max(centres) + away)
    return (left, right) if right > left else (float(place[0]), float(place[-1]))


def _prefix(largest: float) -> tuple[float, str]:
    return next((one for one in PREFIXES if largest >= 10 * one[0]), PREFIXES[-1])
