"""The phase as a hand on a circle, with its error and target."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from magis_calib.domain.quantities import OBSERVABLES
from ui.style.colours import BAND, DIM, TEXT
from ui.style.format import minus, raw
from ui.style.theme import room_px

PHASE = OBSERVABLES["phase_rad"]
SIDE_PX = 46
QT_DEGREE = 16
"""Qt counts angles in sixteenths of a degree."""
LEAST_WEDGE_DEG = 1.0
LEGEND = "hand: phase · wedge: its standard error · tick: target"


class PhaseDial(QWidget):
    """Zero to the right, positive against the clock.

    The wedge is one standard error to either side.
    """

    def __init__(self) -> None:
        super().__init__()
        self._phase_rad = self._stderr_rad = math.nan
        self._target_rad: float | None = None
        self.setFixedSize(self.sizeHint())
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def say(
        self, phase_rad: float, stderr_rad: float, target_rad: float | None, why_not: str
    ) -> None:
        """Show this phase; where it is not finite, a dash and why."""
        self._phase_rad = phase_rad
        self._stderr_rad = stderr_rad
        self._target_rad = target_rad
        aim = "" if target_rad is None else f"target {PHASE.shown(target_rad)} rad"
        known = math.isfinite(phase_rad)
        written = PHASE.with_error(phase_rad, stderr_rad)
        text = f"phase {written} rad" if known else f"phase – {why_not}"
        more = (raw(PHASE, phase_rad, stderr_rad), LEGEND) if known else ()
        self.setToolTip(minus("\n".join(filter(None, (text, aim, *more)))))
        self.setAccessibleName(minus(f"{text}, {aim}".rstrip(", ")))
        self.update()

    def sizeHint(self) -> QSize:  # noqa: D102
        return QSize(room_px(SIDE_PX), room_px(SIDE_PX))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = QPointF(self.width() / 2, self.height() / 2)
        radius_px = min(self.width(), self.height()) / 2 - 4.0
        _draw_circle(painter, middle, radius_px)
        if math.isfinite(self._phase_rad):
            self._draw_wedge(painter, middle, radius_px)
            painter.setPen(QPen(QColor(TEXT), 1.6))
            painter.drawLine(middle, _at(middle, radius_px - 1, self._phase_rad))
        else:
            painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), "–")
        if self._target_rad is not None:
            painter.setPen(QPen(QColor(TEXT), 2.5))
            _draw_tick(painter, middle, (radius_px - 3, radius_px + 3.5), self._target_rad)

    def _draw_wedge(self, painter: QPainter, middle: QPointF, radius_px: float) -> None:
        error = math.degrees(self._stderr_rad) if math.isfinite(self._stderr_rad) else 0.0
        half = min(180.0, max(LEAST_WEDGE_DEG, error))
        around = QRectF(
            middle.x() - radius_px, middle.y() - radius_px, 2 * radius_px, 2 * radius_px
        )
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(BAND))
        begin = round((math.degrees(self._phase_rad) - half) * QT_DEGREE)
        painter.drawPie(around, begin, round(2 * half * QT_DEGREE))


def _draw_circle(painter: QPainter, middle: QPointF, radius_px: float) -> None:
    painter.setPen(QPen(QColor(DIM), 1.0))
    painter.drawEllipse(middle, radius_px, radius_px)
    for quarter in range(4):
        _draw_tick(painter, middle, (radius_px - 3, radius_px), quarter * math.pi / 2)


def _draw_tick(
    painter: QPainter, middle: QPointF, ends_px: tuple[float, float], angle_rad: float
) -> None:
    """Draw a line from the first to the second distance from the middle."""
    painter.drawLine(*(_at(middle, end, angle_rad) for end in ends_px))


def _at(middle: QPointF, radius_px: float, angle_rad: float) -> QPointF:
    return QPointF(
        middle.x() + radius_px * math.cos(angle_rad), middle.y() - radius_px * math.sin(angle_rad)
    )
