"""The name of the run in the corner of a plot, so that a picture of it can never be taken for another's."""

from __future__ import annotations

from typing import Any

from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import QGraphicsSimpleTextItem

from ui.theme import DIM, text_font

MARGIN_PX = 4.0


class PlotLabel(QGraphicsSimpleTextItem):
    """A small dim line in the upper right corner of a view box, above the data, in pixels of the screen.

    Where the box is too narrow for all of it, only the drop is left.
    """

    def __init__(self, box: Any, colour: str = DIM) -> None:
        """`box`: a pyqtgraph view box; it owns the label."""
        super().__init__(box)
        self._box, self._whole = box, ""
        self.setFont(text_font(-2.0))
        self.setBrush(QBrush(QColor(colour)))
        self.setZValue(20)
        box.sigResized.connect(lambda *_: self._place())

    def say(self, text: str) -> None:
        """Write this; the whole of it is on hover."""
        if text != self._whole:
            self._whole = text
            self.setToolTip(text)
            self._place()

    def _place(self) -> None:
        room = float(self._box.width()) - 2 * MARGIN_PX
        self.setText(self._whole)
        if self.boundingRect().width() > room:
            self.setText(self._whole.rpartition(" · ")[2])
        self.setVisible(self.boundingRect().width() <= room)
        self.setPos(self._box.width() - self.boundingRect().width() - MARGIN_PX, 1.0)
