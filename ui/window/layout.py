"""Where the docks are: a default for high and for low screens, and what the operator made of it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Literal

from PySide6.QtCore import QByteArray, QSettings, QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDockWidget, QMainWindow

from ui.window.panel_guard import PanelGuard

log = logging.getLogger(__name__)

VERSION = 5
"""Raise it when docks change: an older saved layout is then discarded."""
LEAST_WIDTH = 1000
Arrangement = Literal["run", "commission", "replay"]
LayoutFor = Literal["window", "replay"]
"""In the settings: a replay, which may be beside a run, leaves the layout of the run's window
alone.
"""
ARRANGEMENTS: dict[Arrangement, str] = {
    "run": "a shift: images, numbers, trends and what was decided",
    "commission": "procedures and what they find in front, more room for them",
    "replay": "a recording: trends and decisions, no procedures",
}
PLACED = ("Loop", "Fringe", "Trends", "Ledger")
"""Docks with a place of their own.

All others lie on the ledger, in the order in which they were made.
"""
FRONT: dict[Arrangement, str] = {"run": "Ledger", "commission": "Procedures", "replay": "Ledger"}
"""Which of the docks that lie on each other is on top."""
HIDDEN: dict[Arrangement, tuple[str, ...]] = {
    "run": ("What if",),
    "commission": ("What if",),
    "replay": ("Procedures", "Alarms"),
}
LOWER_SHARE: dict[Arrangement, float] = {"run": 0.19, "commission": 0.27, "replay": 0.19}
"""Of the window's height, for those docks."""
HIGH = 800
"""From this window height on the ledger has a row of its own."""


def first_size() -> QSize:
    """Return the size of a window that was never shown before: what it was made for, or what the
    screen has.
    """
    wanted = QSize(1600, 900)
    screen = QGuiApplication.primaryScreen().availableSize()
    real = screen.width() >= LEAST_WIDTH  # an offscreen one is smaller than the window can be
    return wanted.boundedTo(screen) if real else wanted


def add_dock(window: QMainWindow, name: str, inside: PanelGuard) -> QDockWidget:
    """Make a dock with a lasting name; what is inside is drawn only while it can be seen."""
    dock = QDockWidget(name, window)
    dock.setObjectName(f"dock_{name.lower().replace(' ', '_')}")
    dock.setWidget(inside)
    dock.visibilityChanged.connect(inside.follow_dock)
    dock.topLevelChanged.connect(
        lambda _floating: inside.follow_dock(in_sight=True)
    )  # Qt says nothing else of it
    dock.setFeatures(
        QDockWidget.DockWidgetFeature.DockWidgetMovable
        | QDockWidget.DockWidgetFeature.DockWidgetClosable
        | QDockWidget.DockWidgetFeature.DockWidgetFloatable
    )
    return dock


def arrange(
    window: QMainWindow, docks: Mapping[str, QDockWidget], which: Arrangement = "run"
) -> None:
    """Lay the docks out as shipped, for the window's present height."""
    for dock in docks.values():
        dock.setFloating(False)
        window.removeDockWidget(dock)
    right, bottom = Qt.DockWidgetArea.RightDockWidgetArea, Qt.DockWidgetArea.BottomDockWidgetArea
    window.setCorner(Qt.Corner.BottomRightCorner, right)
    loop, fringe, trends, ledger = (docks[name] for name in PLACED)
    high = window.height() >= HIGH
    window.addDockWidget(right, loop)
    window.addDockWidget(bottom, fringe)
    if high:
        window.splitDockWidget(fringe, ledger, Qt.Orientation.Vertical)
    window.splitDockWidget(fringe, trends, Qt.Orientation.Horizontal)
    if not high:
        window.tabifyDockWidget(trends, ledger)
    below = ledger
    for name, dock in docks.items():
        if name not in PLACED:
            window.tabifyDockWidget(below, dock)
            below = dock
    for dock in docks.values():
        dock.show()
    for name in HIDDEN[which]:
        docks[name].hide()
    front = docks[FRONT[which]] if high or which == "commission" else trends
    front.raise_()
    _size(window, docks, high, which)
    QTimer.singleShot(
        0, window, lambda: _size(window, docks, high, which)
    )  # holds only once the docks are laid out


def restore(window: QMainWindow, settings: QSettings, place: LayoutFor) -> bool:
    """Put the window as it was left.

    False, and the saved layout is dropped, when that cannot be.
    """
    geometry, state = settings.value(f"{place}/geometry"), settings.value(f"{place}/state")
    if geometry is None and state is None:
        return False
    try:
        if isinstance(geometry, QByteArray) and isinstance(state, QByteArray):  # noqa: SIM102
            if window.restoreGeometry(geometry) and window.restoreState(state, VERSION):
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


def _size(
    window: QMainWindow, docks: Mapping[str, QDockWidget], high: bool, which: Arrangement
) -> None:
    wide, tall = window.width(), window.height()
    loop = max(docks["Loop"].minimumSizeHint().width(), round(0.235 * wide))
    window.resizeDocks([docks["Loop"]], [loop], Qt.Orientation.Horizontal)
    rest = wide - loop
    window.resizeDocks(
        [docks["Fringe"], docks["Trends"]],
        [round(0.365 * rest), round(0.635 * rest)],
        Qt.Orientation.Horizontal,
    )
    if high:
        lower = LOWER_SHARE[which]
        window.resizeDocks(
            [docks["Trends"], docks["Ledger"]],
            [round(0.49 * tall) - round(lower * tall), round(lower * tall)],
            Qt.Orientation.Vertical,
        )
    else:
        window.resizeDocks([docks["Trends"]], [round(0.43 * tall)], Qt.Orientation.Vertical)
