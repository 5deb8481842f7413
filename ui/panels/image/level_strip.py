"""Black and white of the images, typed: a strip in place."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QPushButton

from ui.models.levels import CommonLevels, Levels
from ui.style.colours import LOOK, TEXT
from ui.style.format import typed_number
from ui.widgets.boxes import in_row

OF_BOTH = "e⁻ per pixel, both views"


class LevelStrip(QFrame):
    """Two numbers in electrons per pixel. Return sets them, Escape leaves them. Emits `changed`."""

    changed = Signal()

    def __init__(self, levels: CommonLevels) -> None:
        """`levels`: those that both views share."""
        super().__init__()
        self._levels = levels
        self.setProperty("question", True)
        self.low = QLineEdit()
        self.high = QLineEdit()
        self._words = QLabel()
        self.set_button = QPushButton("Set")
        self.cancel = QPushButton("Cancel")
        for name, edit in (("black", self.low), ("white", self.high)):
            self._dress(edit, name)
        black, white, unit = (QLabel(text) for text in ("black", "white", OF_BOTH))
        in_row(
            *(black, self.low, white, self.high, unit, (self._words, 1)),
            *(self.set_button, self.cancel),
            on=self,
            margins_px=(8, 3, 8, 3),
        )
        self.set_button.clicked.connect(self._set)
        self.cancel.clicked.connect(self.hide)
        self.hide()

    def _dress(self, edit: QLineEdit, name: str) -> None:
        edit.setAccessibleName(f"{name}, electrons per pixel")
        edit.setFixedWidth(edit.fontMetrics().horizontalAdvance("−100000.0") + 10)
        edit.setAlignment(Qt.AlignmentFlag.AlignRight)
        edit.returnPressed.connect(self._set)

    def ask_levels(self) -> None:
        """Show what stands now and take the keyboard."""
        now = self._levels.common or Levels(0.0, 1000.0)
        self.low.setText(f"{now.low_electrons:.0f}")
        self.high.setText(f"{now.high_electrons:.0f}")
        self._say("levels stay as they are whatever comes", TEXT)
        self.show()
        self.low.setFocus()
        self.low.selectAll()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            super().keyPressEvent(event)

    def _set(self) -> None:
        try:
            self._levels.fix(typed_number(self.low.text()), typed_number(self.high.text()))
        except ValueError:
            got = f"{self.low.text()} and {self.high.text()}"
            self._say(f"▲ wanted two numbers, black below white, got {got}", LOOK)
            return
        self.hide()
        self.changed.emit()

    def _say(self, text: str, colour: str) -> None:
        self._words.setText(text)
        self._words.setStyleSheet(f"color: {colour};")
