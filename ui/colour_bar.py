"""The legend of an image: which colour is how many electrons."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ui.levels import Levels
from ui.theme import DIM, IMAGE_MAP, text_font


class ColourBar(QWidget):
    """A narrow bar with its upper and lower end written beside it."""

    def __init__(self) -> None:
        super().__init__()
        self._levels: Levels | None = None
        self.setFont(text_font(-1.0))
        self.setFixedWidth(self.fontMetrics().horizontalAdvance("65535 e⁻") + 4)
        table = pg.colormap.get(IMAGE_MAP).getLookupTable(nPts=32)
        self._stops = [(number / 31, QColor(*(int(part) for part in row[:3]))) for number, row in enumerate(table)]

    def show_levels(self, levels: Levels) -> None:
        """Write new ends."""
        if levels != self._levels:
            self._levels = levels
            self.setToolTip(f"electrons per pixel, {levels.words()}")
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        if self._levels is None:
            return
        painter = QPainter(self)
        line = self.fontMetrics().height() + 2
        bar = QRectF(self.width() / 2 - 6, line, 12, max(0, self.height() - 2 * line))
        gradient = QLinearGradient(bar.bottomLeft(), bar.topLeft())
        for place, colour in self._stops:
            gradient.setColorAt(place, colour)
        painter.fillRect(bar, gradient)
        painter.setPen(QColor(DIM))
        centre = int(Qt.AlignmentFlag.AlignCenter)
        painter.drawText(QRectF(0, 0, self.width(), line), centre, f"{self._levels.high:.0f} e⁻")
        low = f"{self._levels.low:.0f} e⁻".replace("-", "−")
        painter.drawText(QRectF(0, self.height() - line, self.width(), line), centre, low)
