"""A question asked in place: what will happen, and two buttons. Never modal."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout


class ConfirmBar(QFrame):
    """A strip that appears when something needs a yes, and hides again with the answer.

    Escape is a no.
    """

    accepted = Signal()
    rejected = Signal()

    def __init__(self, yes: str, no: str, *, upright: bool = False) -> None:
        """`yes` and `no`: words of the buttons; `upright`: they are below the question."""
        super().__init__()
        self.setProperty("question", True)
        self._text = QLabel()
        self._text.setWordWrap(True)
        self.yes = QPushButton(yes)
        self.no = QPushButton(no)
        self.yes.setProperty("hardware", True)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.yes)
        buttons.addWidget(self.no)
        box = QVBoxLayout(self) if upright else QHBoxLayout(self)
        box.setContentsMargins(8, 5, 8, 5)
        box.addWidget(self._text, 1)
        box.addLayout(buttons)
        self.yes.clicked.connect(lambda: self._answer(True))
        self.no.clicked.connect(lambda: self._answer(False))
        self.hide()

    def show_question(self, text: str, *, allowed: bool = True) -> None:
        """Show the question and give its no the keyboard.

        A yes is offered only where it is allowed.
        """
        self._text.setText(text)
        self.yes.setEnabled(allowed)
        self.show()
        self.no.setFocus()

    def text(self) -> str:
        """Return the question as it is shown."""
        return self._text.text()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102
        if event.key() == Qt.Key.Key_Escape:
            self._answer(False)
        else:
            super().keyPressEvent(event)

    def _answer(self, yes: bool) -> None:
        self.hide()
        (self.accepted if yes else self.rejected).emit()
