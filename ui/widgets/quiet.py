"""Tabs, sliders and buttons that the mouse wheel moves only where they have the keyboard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QWheelEvent
from PySide6.QtWidgets import QMenu, QSlider, QTabBar, QToolButton


class FocusSlider(QSlider):
    """Lies flat. A wheel that passes over it goes on to what is around it."""

    def __init__(self, name: str) -> None:
        """`name` is what a screen reader says."""
        super().__init__(Qt.Orientation.Horizontal)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: D102
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


Choice = TypeVar("Choice")


def choice_button(
    text: str, hover: str, choices: Mapping[Choice, str], choose: Callable[[Choice], None]
) -> QToolButton:
    """Make the button; `choose` is called with the choice whose text was picked."""
    button = QToolButton()
    button.setText(text)
    button.setToolTip(hover)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    menu = QMenu(button)
    for choice, words in choices.items():
        action = QAction(words, menu)
        action.triggered.connect(lambda _checked=False, choice=choice: choose(choice))
        menu.addAction(action)
    button.setMenu(menu)
    return button


class FocusTabs(QTabBar):
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
    """Keeps the wheel from the tabs of docks, which Qt makes and which never have the keyboard."""

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: D102
        if event.type() != QEvent.Type.Wheel:
            return False
        event.ignore()
        return True
