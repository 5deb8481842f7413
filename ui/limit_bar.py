"""Where a setpoint and its read-back lie inside the actuator's range."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QWidget

from magis_calib.domain.snapshot import ActuatorState
from ui.theme import DIM, LOOK, TEXT, TRACK, room_px, type_scale

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
            self._state, self._steered = state, steered
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        state = self._state
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(type_scale(), type_scale())
        painter.fillRect(QRectF(4, 3, self._wide() - 8, 3), QColor(TRACK))
        painter.setPen(QColor(DIM))
        for end in (4, self._wide() - 4):
            painter.drawLine(QPointF(end, 1), QPointF(end, 8))
        if state is None or not state.maximum > state.minimum:
            return
        readback, setpoint = (self._at(value) for value in (state.readback, state.setpoint))
        if readback is not None:
            painter.fillRect(QRectF(readback - 1.5, 0, 3, 9), QColor(TEXT))
        if setpoint is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(LOOK if self._steered and is_near_limit(state) else TEXT))
            corners = ((0, 3.5), (-4.5, 9), (4.5, 9))
            painter.drawPolygon(QPolygonF([QPointF(setpoint + right, down) for right, down in corners]))

    def _wide(self) -> float:
        return self.width() / type_scale()

    def _at(self, value: float) -> float | None:
        assert self._state is not None
        if not math.isfinite(value):
            return None
        share = (value - self._state.minimum) / (self._state.maximum - self._state.minimum)
        return 4 + (self._wide() - 8) * min(1.0, max(0.0, share))


def is_near_limit(state: ActuatorState) -> bool:
    """Tell whether the setpoint is close to an end of its range."""
    span = state.maximum - state.minimum
    return min(state.setpoint - state.minimum, state.maximum - state.setpoint) < NEAR * span
