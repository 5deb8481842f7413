"""A line of text that changes often: it keeps its place, elides, and can be copied."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from ui.style.colours import TEXT
from ui.style.theme import text_font

LEFT = Qt.AlignmentFlag.AlignLeft
RIGHT = Qt.AlignmentFlag.AlignRight
CENTRE = Qt.AlignmentFlag.AlignHCenter
MUCH_LESS = 0.7


class ElidedLabel(QWidget):
    """One line of text in one colour.

    `sample` is the longest usual text: it fixes the width. `whole` text is never elided; its
    neighbours give way.
    """

    def __init__(
        self,
        sample: str = "",
        *,
        align: Qt.AlignmentFlag = LEFT,
        larger_pt: float = 0.0,
        bold: bool = False,
        grows: bool = False,
        whole: bool = False,
    ) -> None:
        """`larger_pt`: points more than usual; `grows`: it takes the room that is left.

        `sample`, `whole`: see the class; `align`: where the text stands; `bold`: its weight.
        """
        super().__init__()
        self._text = ""
        self._colour = TEXT
        self._hover = ""
        self._sample = sample
        self._align = align
        self._whole = whole
        self.setFont(text_font(larger_pt, bold))
        self._room = self._width_of("")
        wide = QSizePolicy.Policy.Expanding if grows else QSizePolicy.Policy.Preferred
        self.setSizePolicy(wide, QSizePolicy.Policy.Fixed)

    def text(self) -> str:
        """Return what is written, whether or not all of it fits."""
        return self._text

    def say(self, text: str, colour: str = TEXT, hover: str = "") -> None:
        """Write this; the hover text adds what has no room."""
        if (text, colour, hover) == (self._text, self._colour, self._hover):
            return
        self._text = text
        self._colour = colour
        self._hover = hover
        self._show()

    def _show(self) -> None:
        self.setToolTip(f"{self._text}\n{self._hover}" if self._hover else self._text)
        self.setAccessibleName(self._text)
        if not self._sample:
            self._take_room()
        self.update()

    def _take_room(self) -> None:
        """Ask for another width seldom: each asking lays out half the window."""
        needed = self._width_of(self._text)
        if needed > self._room or needed < MUCH_LESS * self._room:
            self._room = needed
            self.updateGeometry()

    def _width_of(self, text: str) -> int:
        return self.fontMetrics().horizontalAdvance(text) + 4

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: D102
        self.copy_menu().popup(event.globalPos())

    def copy_menu(self) -> QMenu:
        """Return a menu that copies the text, or a line of the hover, to the clipboard."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for text in self._lines():
            menu.addAction(f"Copy  {text}").triggered.connect(
                lambda _=False, text=text: _copy(text)
            )
        return menu

    def _lines(self) -> list[str]:
        """Return the text and the lines of the hover, each once."""
        lines = (self._text, *self._hover.split("\n"))
        return list(dict.fromkeys(line for line in lines if line.strip()))

    def sizeHint(self) -> QSize:  # noqa: D102
        room = self._width_of(self._sample) if self._sample else self._room
        return QSize(room, self.fontMetrics().height() + 2)

    def minimumSizeHint(self) -> QSize:  # noqa: D102
        hint = self.sizeHint()
        return hint if self._sample or self._whole else QSize(min(24, hint.width()), hint.height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        painter.setPen(QColor(self._colour))
        elided = self.fontMetrics().elidedText(
            self._text, Qt.TextElideMode.ElideRight, self.contentsRect().width() - 2
        )
        box = self.contentsRect().adjusted(1, 0, -1, 0)
        painter.drawText(box, int(self._align | Qt.AlignmentFlag.AlignVCenter), elided)


def _copy(text: str) -> None:
    QGuiApplication.clipboard().setText(text.replace("−", "-"))
