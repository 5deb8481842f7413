"""Rows and columns of widgets, each laid out in one call."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

Part = QWidget | QLayout
Growing = tuple[Part, int]
"""A part with its share of the room that is left."""
Margins = tuple[int, int, int, int]
"""Left, top, right, bottom (px)."""
STRETCH = None
"""Stands for room that is left empty."""


def in_row(
    *parts: Part | Growing | None,
    on: QWidget | None = None,
    margins_px: Margins | None = None,
    spacing_px: int | None = None,
) -> QHBoxLayout:
    """Lay these out from left to right, on a widget where one is given."""
    box = QHBoxLayout(on) if on is not None else QHBoxLayout()
    fill(box, *parts, margins_px=margins_px, spacing_px=spacing_px)
    return box


def in_column(
    *parts: Part | Growing | None,
    on: QWidget | None = None,
    margins_px: Margins | None = None,
    spacing_px: int | None = None,
) -> QVBoxLayout:
    """Lay these out from top to bottom, on a widget where one is given."""
    box = QVBoxLayout(on) if on is not None else QVBoxLayout()
    fill(box, *parts, margins_px=margins_px, spacing_px=spacing_px)
    return box


def fill(
    box: QBoxLayout,
    *parts: Part | Growing | None,
    margins_px: Margins | None = None,
    spacing_px: int | None = None,
) -> None:
    """Add these to a box; margins and spacing stay as Qt has them where none are given."""
    if margins_px is not None:
        box.setContentsMargins(*margins_px)
    if spacing_px is not None:
        box.setSpacing(spacing_px)
    for part in parts:
        _add(box, part)


def _add(box: QBoxLayout, part: Part | Growing | None) -> None:
    if part is STRETCH:
        box.addStretch(1)
        return
    inside, share = part if isinstance(part, tuple) else (part, 0)
    if isinstance(inside, QLayout):
        box.addLayout(inside, share)
    else:
        box.addWidget(inside, share)


def scroll(area: QScrollArea, inside: QWidget, *, sideways: bool = True) -> None:
    """Let this be taller than its area, and wider where it may scroll sideways."""
    area.setWidget(inside)
    area.setWidgetResizable(True)
    if not sideways:
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
