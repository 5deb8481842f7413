"""A small gauge: where a value lies between the ends of its tolerance."""

from __future__ import annotations

import math
from collections.abc import Iterable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QWidget

from magis_calib.domain.devices import ActuatorState
from ui.style.colours import BAND, DIM, LOOK, TEXT, TRACK
from ui.style.theme import room_px, type_scale

NEAR = 0.05
"""Share of the range that counts as near its end."""


class LimitBar(QWidget):
    """A line from minimum to maximum: triangle below for the setpoint, bar for the read-back."""

    def __init__(self) -> None:
        super().__init__()
        self._state: ActuatorState | None = None
        self._steered = False
        self.setFixedHeight(room_px(9))

    def show_state(self, state: ActuatorState, steered: bool, hover: str) -> None:
        """Show this actuator's place; one that the loop moves warns near its limits."""
        self.setToolTip(hover)
        if (state, steered) != (self._state, self._steered):
            self._state = state
            self._steered = steered
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = _scaled(self)
        painter.fillRect(QRectF(4, 3, self._wide() - 8, 3), QColor(TRACK))
        painter.setPen(QColor(DIM))
        for end in (4, self._wide() - 4):
            painter.drawLine(QPointF(end, 1), QPointF(end, 8))
        if self._state is not None and self._state.maximum > self._state.minimum:
            self._draw_state(painter, self._state)

    def _draw_state(self, painter: QPainter, state: ActuatorState) -> None:
        readback, setpoint = (self._at(state, value) for value in (state.readback, state.setpoint))
        if readback is not None:
            painter.fillRect(QRectF(readback - 1.5, 0, 3, 9), QColor(TEXT))
        if setpoint is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(LOOK if self._steered and is_near_limit(state) else TEXT))
            painter.drawPolygon(_polygon(setpoint, 0.0, ((0, 3.5), (-4.5, 9), (4.5, 9))))

    def _wide(self) -> float:
        return self.width() / type_scale()

    def _at(self, state: ActuatorState, value: float) -> float | None:
        if not math.isfinite(value):
            return None
        share = (value - state.minimum) / (state.maximum - state.minimum)
        return 4 + (self._wide() - 8) * min(1.0, max(0.0, share))


def is_near_limit(state: ActuatorState) -> bool:
    """Tell whether the setpoint is close to an end of its range."""
    span = state.maximum - state.minimum
    return min(state.setpoint - state.minimum, state.maximum - state.setpoint) < NEAR * span


REACH = 2.0
"""The gauge ends at this many tolerances."""


class DeviationBar(QWidget):
    """Target in the middle, tolerance as a band, the value as a diamond or an arrow at the end."""

    def __init__(self) -> None:
        super().__init__()
        self._share = math.nan
        self.setFixedHeight(self.sizeHint().height())
        self.setMinimumWidth(room_px(48))

    def show_share(self, share: float, hover: str) -> None:
        """Show a deviation in units of the tolerance; NaN for none."""
        self.setToolTip(hover)
        if share != self._share:
            self._share = share
            self.update()

    def sizeHint(self) -> QSize:  # noqa: D102
        return QSize(room_px(70), room_px(14))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = _scaled(self)
        wide, middle = self.width() / type_scale() - 12.0, self.height() / type_scale() / 2
        painter.fillRect(QRectF(6, middle - 2, wide, 4), QColor(TRACK))
        band = QRectF(6 + wide * (REACH - 1) / (2 * REACH), middle - 3, wide / REACH, 6)
        painter.fillRect(band, QColor(BAND))
        painter.setPen(QColor(DIM))
        target = 6 + wide / 2
        painter.drawLine(QPointF(target, middle - 5), QPointF(target, middle + 5))
        if math.isfinite(self._share):
            at = target + wide * min(REACH, max(-REACH, self._share)) / (2 * REACH)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(TEXT if abs(self._share) <= 1 else LOOK))
            painter.drawPolygon(_marker(at, middle, self._share))


def _scaled(gauge: QWidget) -> QPainter:
    """Return a painter in pixels at the usual size of type."""
    painter = QPainter(gauge)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(type_scale(), type_scale())
    return painter


def _polygon(at: float, middle: float, corners: Iterable[tuple[float, float]]) -> QPolygonF:
    return QPolygonF([QPointF(at + right, middle + down) for right, down in corners])


def _marker(at: float, middle: float, share: float) -> QPolygonF:
    """Return a diamond, or an arrow that points off the gauge."""
    way = 1 if share > 0 else -1
    diamond = [(-4, 0), (0, -5), (4, 0), (0, 5)]
    arrow = [(5 * way, 0), (-4 * way, -5), (-4 * way, 5)]
    return _polygon(at, middle, diamond if abs(share) <= REACH else arrow)
