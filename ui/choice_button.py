"""A flat button that opens a menu of choices. The mouse wheel changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QToolButton

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
