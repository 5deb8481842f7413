"""A small gauge: where a value lies between the ends of its tolerance."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QWidget

from ui.theme import BAND, DIM, LOOK, TEXT, TRACK, room_px, type_scale

REACH = 2.0
"""The gauge ends at this many tolerances."""


class DeviationBar(QWidget):
    """Target in the middle, tolerance as a lighter band, the value as a diamond or an arrow at the end."""

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
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(type_scale(), type_scale())
        wide, middle = self.width() / type_scale() - 12.0, self.height() / type_scale() / 2
        painter.fillRect(QRectF(6, middle - 2, wide, 4), QColor(TRACK))
        band = QRectF(6 + wide * (REACH - 1) / (2 * REACH), middle - 3, wide / REACH, 6)
        painter.fillRect(band, QColor(BAND))
        painter.setPen(QColor(DIM))
        painter.drawLine(QPointF(6 + wide / 2, middle - 5), QPointF(6 + wide / 2, middle + 5))
        if not math.isfinite(self._share):
            return
        at = 6 + wide * (0.5 + min(REACH, max(-REACH, self._share)) / (2 * REACH))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(TEXT if abs(self._share) <= 1 else LOOK))
        painter.drawPolygon(_marker(at, middle, self._share))


def _marker(at: float, middle: float, share: float) -> QPolygonF:
    """Return a diamond, or an arrow that points off the gauge."""
    way = 1 if share > 0 else -1
    diamond = [(-4, 0), (0, -5), (4, 0), (0, 5)]
    arrow = [(5 * way, 0), (-4 * way, -5), (-4 * way, 5)]
    corners = diamond if abs(share) <= REACH else arrow
    return QPolygonF([QPointF(at + right, middle + down) for right, down in corners])
