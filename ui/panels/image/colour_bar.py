"""The legend of an image: which colour is how many electrons."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ui.models.levels import Levels
from ui.style.colours import DIM, IMAGE_MAP, RESIDUAL_MAP
from ui.style.format import minus
from ui.style.theme import text_font


class ColourBar(QWidget):
    """A narrow bar with its upper and lower end written beside it."""

    def __init__(self) -> None:
        super().__init__()
        self._ends: tuple[str, str] | None = None
        self.setFont(text_font(-1.0))
        self.setFixedWidth(self.fontMetrics().horizontalAdvance("65535 e⁻") + 4)
        self._stops = _stops(IMAGE_MAP)

    def show_levels(self, levels: Levels) -> None:
        """Show electrons."""
        ends = minus(f"{levels.low_electrons:.0f} e⁻"), f"{levels.high_electrons:.0f} e⁻"
        self._show(ends, IMAGE_MAP, f"electrons per pixel, {levels.words()}")

    def show_sigma(self, most_sigma: float) -> None:
        """Show standard deviations."""
        self._show(
            (f"−{most_sigma:g} σ", f"+{most_sigma:g} σ"),
            RESIDUAL_MAP,
            "data minus fit in standard deviations of the noise",
        )

    def _show(self, ends: tuple[str, str], colours: str, hover: str) -> None:
        if ends != self._ends:
            self._ends = ends
            self._stops = _stops(colours)
            self.setToolTip(hover)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        if self._ends is None:
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
        low, high = self._ends
        painter.drawText(QRectF(0, 0, self.width(), line), centre, high)
        painter.drawText(QRectF(0, self.height() - line, self.width(), line), centre, low)


def _stops(colours: str) -> list[tuple[float, QColor]]:
    table = pg.colormap.get(colours).getLookupTable(nPts=32)
    return [
        (number / 31, QColor(*(int(part) for part in row[:3]))) for number, row in enumerate(table)
    ]
