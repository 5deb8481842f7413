"""Black and white of the images, typed: a strip in place."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton

from ui.models.levels import CommonLevels, Levels
from ui.style.colours import LOOK, TEXT


class LevelStrip(QFrame):
    """Two numbers in electrons per pixel. Return sets them, Escape leaves them. Emits `changed`."""

    changed = Signal()

    def __init__(self, levels: CommonLevels) -> None:
        super().__init__()
        self._levels = levels
        self.setProperty("question", True)
        self.low = QLineEdit()
        self.high = QLineEdit()
        self._words = QLabel()
        self.set_button = QPushButton("Set")
        self.cancel = QPushButton("Cancel")
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 3, 8, 3)
        for text, edit in (("black", self.low), ("white", self.high)):
            edit.setAccessibleName(f"{text}, electrons per pixel")
            edit.setFixedWidth(edit.fontMetrics().horizontalAdvance("−100000.0") + 10)
            edit.setAlignment(Qt.AlignmentFlag.AlignRight)
            edit.returnPressed.connect(self._set)
            row.addWidget(QLabel(text))
            row.addWidget(edit)
        row.addWidget(QLabel("e⁻ per pixel, both views"))
        row.addWidget(self._words, 1)
        row.addWidget(self.set_button)
        row.addWidget(self.cancel)
        self.set_button.clicked.connect(self._set)
        self.cancel.clicked.connect(self.hide)
        self.hide()

    def ask(self) -> None:
        """Show what stands now and take the keyboard."""
        now = self._levels.common or Levels(0.0, 1000.0)
        self.low.setText(f"{now.low:.0f}")
        self.high.setText(f"{now.high:.0f}")
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
            low, high = (
                float(one.text().replace("−", "-").replace(",", "."))
                for one in (self.low, self.high)
            )
            self._levels.fix(low, high)
        except ValueError:
            got = f"{self.low.text()} and {self.high.text()}"
            self._say(f"▲ wanted two numbers, black below white, got {got}", LOOK)
            return
        self.hide()
        self.changed.emit()

    def _say(self, text: str, colour: str) -> None:
        self._words.setText(text)
        self._words.setStyleSheet(f"color: {colour};")
