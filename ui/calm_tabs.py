"""Tabs that the mouse wheel turns only where they have the keyboard."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QTabBar


class CalmTabs(QTabBar):
    """A wheel that passes over them goes on to what is around them."""

    def __init__(self, name: str) -> None:
        """`name` is what a screen reader says."""
        super().__init__()
        self.setAccessibleName(name)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: D102
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class CalmWheel(QObject):
    """Keeps the wheel from the tabs of docks, which Qt makes itself and which never have the keyboard."""

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: D102
        if event.type() != QEvent.Type.Wheel:
            return False
        event.ignore()
        return True
