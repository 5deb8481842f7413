"""A field in which a setpoint is typed."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit


class SetpointEdit(QLineEdit):
    """A number in shown units. Return asks, Escape puts the present setpoint back."""

    given_up = Signal()
    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102
        if event.key() == Qt.Key.Key_Escape:
            self.given_up.emit()
            return
        super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: D102
        super().focusOutEvent(event)
        self.left.emit()


def setpoint_edit(widest: str, name: str) -> SetpointEdit:
    """Return an edit that has room for `widest`; a screen reader says its name."""
    edit = SetpointEdit()
    edit.setAlignment(Qt.AlignmentFlag.AlignRight)
    edit.setFixedWidth(edit.fontMetrics().horizontalAdvance(widest) + 8)
    edit.setAccessibleName(name)
    return edit
