"""Buttons that say on hover what they do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtWidgets import QAbstractButton, QPushButton, QToolButton

Action = Callable[[], object]
Button = TypeVar("Button", bound=QAbstractButton)


def push_button(text: str, hover: str, action: Action, *, hardware: bool = False) -> QPushButton:
    """Return a button that does something; `hardware`: what it does may move some."""
    button = QPushButton(text)
    button.setToolTip(hover)
    button.setAccessibleName(f"{text.rstrip('…')}: {hover}" if hover else text)
    button.setProperty("hardware", hardware)
    return _doing(button, action)


def tool_button(text: str, hover: str, action: Action, keys: str = "") -> QToolButton:
    """Return a small framed button; `keys`: its shortcut as Qt reads it, empty for none."""
    button = QToolButton()
    button.setText(text)
    button.setShortcut(keys)
    button.setToolTip(hover)
    button.setProperty("framed", True)
    return _doing(button, action)


def _doing(button: Button, action: Action) -> Button:
    button.clicked.connect(lambda _checked=False: action())
    return button
