"""The menu bar: every action with its shortcut and what it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar

from magis_calib.state.commands import Command
from magis_calib.state.snapshot import Snapshot
from ui.models.live import goes_on
from ui.window import menu_entries as entries
from ui.window.menu_entries import Entry
from ui.window.menu_owner import MenuOwner


class Menus:
    """File, View, Loop, Procedures, Help.

    Entries that move hardware are dead in a replay and after the run.
    """

    def __init__(self, bar: QMenuBar, window: MenuOwner, submit: Callable[[Command], None]) -> None:
        """Fill the menu bar of `window`; `submit` hands a command to its run."""
        self._bar = bar
        self._window = window
        self.all_actions: list[QAction] = []
        self.live_actions: list[QAction] = []
        """Those that need a run that goes on."""
        self._file(self._menu("&File"), submit)
        self._view(self._menu("&View"))
        self._loop(self._menu("&Loop"), submit)
        self._add(self._menu("&Procedures"), entries.procedures(window))
        self._add(self._menu("&Help"), entries.helps(bar.window(), self.all_actions))

    def refresh(self, snapshot: Snapshot) -> None:
        """Enable what may be asked of this run now."""
        for action in self.live_actions:
            action.setEnabled(goes_on(snapshot))

    def _menu(self, name: str) -> QMenu:
        menu = self._bar.addMenu(name)
        menu.setToolTipsVisible(True)
        return menu

    def _file(self, menu: QMenu, submit: Callable[[Command], None]) -> None:
        opens, *others = entries.files(self._window)
        self._add(menu, [*entries.records(submit), opens])
        plots = menu.addMenu("E&xport plot")
        plots.aboutToShow.connect(lambda: self._window.exports.fill(plots))
        self._add(menu, others)

    def _view(self, menu: QMenu) -> None:
        window = self._window
        for name in window.docks:
            self._add_dock(menu, name)
        menu.addSeparator()
        self._add(menu, entries.view(window))
        self._add(menu.addMenu("&Images of"), entries.images(window))
        self._add(menu.addMenu("T&rends"), entries.trends(window))
        menu.addSeparator()
        self._add(menu, [*entries.arrangements(window), *entries.looks(window)])

    def _loop(self, menu: QMenu, submit: Callable[[Command], None]) -> None:
        self._add(menu, entries.turns(submit))
        menu.addSeparator()
        self._add(menu, entries.loop(self._window))

    def _add_dock(self, menu: QMenu, name: str) -> None:
        dock = self._window.docks[name]
        action = dock.toggleViewAction()
        action.setShortcut(QKeySequence(dock.line.keys))
        action.setToolTip(f"show or hide: {name.lower()}")
        # one that is shown again would else lie behind those in the same place
        action.triggered.connect(lambda shown: self._window.bring_up(name) if shown else None)
        menu.addAction(action)
        self.all_actions.append(action)

    def _add(self, menu: QMenu, those: Sequence[Entry]) -> None:
        for entry in those:
            action = self._action(entry)
            menu.addAction(action)
            self.all_actions.append(action)
            if entry.live:
                self.live_actions.append(action)

    def _action(self, entry: Entry) -> QAction:
        action = QAction(entry.text, self._bar.window())
        action.setShortcut(QKeySequence(entry.keys))
        action.setToolTip(entry.hover)
        action.triggered.connect(lambda _checked=False: entry.action())
        return action
