"""Where the docks are: a default for high and for low screens, and what the operator made of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, get_args

from PySide6.QtCore import QByteArray, QSettings, QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow

from ui.window.dock import Arrangement, DockWidget, Place

log = logging.getLogger(__name__)

VERSION = 5
"""Raise it when a dock gets another name: an older saved layout is then discarded."""
LEAST_WIDTH = 1000
LayoutFor = Literal["window", "replay"]
"""In the settings: a replay, which may be beside a run, leaves the layout of the run's window
alone.
"""
ARRANGEMENTS: dict[Arrangement, str] = {
    "run": "a shift: images, numbers, trends and what was decided",
    "commission": "procedures and what they find in front, more room for them",
    "replay": "a recording: trends and decisions, no procedures",
}
LOWER_SHARE: dict[Arrangement, float] = {"run": 0.19, "commission": 0.27, "replay": 0.19}
"""Of the window's height, for the docks along its bottom."""
SIDE_SHARE = 0.235
LEFT_SHARE = 0.365
"""Of the window's width, and of what that leaves."""
HIGH = 800
"""From this window height on those have a row of their own."""


def first_size() -> QSize:
    """Return the size of a window that was never shown before, within the screen."""
    wanted = QSize(1600, 900)
    screen = QGuiApplication.primaryScreen().availableSize()
    real = screen.width() >= LEAST_WIDTH  # an offscreen one is smaller than the window can be
    return wanted.boundedTo(screen) if real else wanted


def arrange(window: QMainWindow, docks: Sequence[DockWidget], which: Arrangement = "run") -> None:
    """Lay the docks out as shipped, for the window's present height."""
    for dock in docks:
        dock.setFloating(False)
        window.removeDockWidget(dock)
    high = window.height() >= HIGH
    _place(window, docks, high)
    for dock in docks:
        dock.setHidden(which in dock.line.absent)
    usual = _first(docks, "below" if high else "right")
    next((dock for dock in docks if which in dock.line.front), usual).raise_()
    _size(window, docks, high, which)
    QTimer.singleShot(  # holds only once the docks are laid out
        0, window, lambda: _size(window, docks, high, which)
    )


def restore(
    window: QMainWindow, docks: Sequence[DockWidget], settings: QSettings, place: LayoutFor
) -> bool:
    """Put the window as it was left; a dock that is new since then lies on others of its place.

    False, and the saved layout is dropped, when that cannot be.
    """
    geometry, state = settings.value(f"{place}/geometry"), settings.value(f"{place}/state")
    if geometry is None and state is None:
        return False
    try:
        if isinstance(geometry, QByteArray) and isinstance(state, QByteArray):  # noqa: SIM102
            if window.restoreGeometry(geometry) and window.restoreState(state, VERSION):
                _add_new(window, docks)
                return True
    except (TypeError, ValueError):
        pass
    log.warning("the saved window layout cannot be used and is discarded")
    for key in ("geometry", "state"):
        settings.remove(f"{place}/{key}")
    return False


def save(window: QMainWindow, settings: QSettings, place: LayoutFor) -> None:
    """Remember where everything is."""
    settings.setValue(f"{place}/geometry", window.saveGeometry())
    settings.setValue(f"{place}/state", window.saveState(VERSION))


def _first(docks: Sequence[DockWidget], place: Place) -> DockWidget:
    return next(dock for dock in docks if dock.line.place == place)


def _add_new(window: QMainWindow, docks: Sequence[DockWidget]) -> None:
    """Put docks that a saved layout did not know onto the first of their place."""
    nowhere = Qt.DockWidgetArea.NoDockWidgetArea
    for dock in docks:
        if window.dockWidgetArea(dock) == nowhere:
            window.tabifyDockWidget(_first(docks, dock.line.place), dock)


def _place(window: QMainWindow, docks: Sequence[DockWidget], high: bool) -> None:
    """Put the first dock of each place there, and the others on it."""
    on_the_right = Qt.DockWidgetArea.RightDockWidgetArea
    window.setCorner(Qt.Corner.BottomRightCorner, on_the_right)
    side, left, right, below = (_first(docks, place) for place in get_args(Place))
    window.addDockWidget(on_the_right, side)
    window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, left)
    if high:
        window.splitDockWidget(left, below, Qt.Orientation.Vertical)
    window.splitDockWidget(left, right, Qt.Orientation.Horizontal)
    if not high:
        window.tabifyDockWidget(right, below)
    for place in get_args(Place):
        for under, dock in pairwise(dock for dock in docks if dock.line.place == place):
            window.tabifyDockWidget(under, dock)


def _size(window: QMainWindow, docks: Sequence[DockWidget], high: bool, which: Arrangement) -> None:
    wide, tall = window.width(), window.height()
    side, left, right, below = (_first(docks, place) for place in get_args(Place))
    beside = max(side.minimumSizeHint().width(), round(SIDE_SHARE * wide))
    rest = wide - beside
    window.resizeDocks([side], [beside], Qt.Orientation.Horizontal)
    window.resizeDocks(
        [left, right],
        [round(LEFT_SHARE * rest), round((1 - LEFT_SHARE) * rest)],
        Qt.Orientation.Horizontal,
    )
    lower = round(LOWER_SHARE[which] * tall)
    heights = (
        {right: round(0.49 * tall) - lower, below: lower} if high else {right: round(0.43 * tall)}
    )
    window.resizeDocks(list(heights), list(heights.values()), Qt.Orientation.Vertical)
