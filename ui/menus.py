"""The menu bar and its shortcuts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu

from magis_calib.domain.commands import Certify, CloseLoop, Command, HoldLoop, MakeBundle, OpenLoop, ShadowLoop
from magis_calib.domain.snapshot import Snapshot
from magis_calib.feedback.procedures.known import KNOWN
from ui.export_dialog import Exports
from ui.help_words import ABOUT, shortcuts_text, show_help, units_text
from ui.layout import ARRANGEMENTS, Arrangement
from ui.scheme import FONT_SIZES_PT, SCHEMES


@dataclass(frozen=True, slots=True)
class Deeds:
    """What the menu can ask of the window."""

    leave: Callable[[], object]
    submit: Callable[[Command], object]
    reset_layout: Callable[[], object]
    find_levels: Callable[[], object]
    type_levels: Callable[[], object]
    ask_return: Callable[[], object]
    acknowledge: Callable[[], object]
    show_procedures: Callable[[], object]
    ask_procedure: Callable[[str], object]
    cancel_procedure: Callable[[], object]
    arrange: Callable[[Arrangement], object]
    remember: Callable[[str, object], object]
    look: Callable[[str, float], object]
    explain: Callable[[], object]
    step_images: Callable[[int], object]
    newest_images: Callable[[], object]
    show_statistics: Callable[[], object]
    show_settings: Callable[[], object]
    exports: Exports
    edit_targets: Callable[[], object]


class Menus:
    """File, View, Loop, Procedures, Help. Entries that move hardware are dead in a replay and after the run."""

    def __init__(self, window: QMainWindow, deeds: Deeds, docks: Iterable[QDockWidget]) -> None:
        self._window = window
        self.all_actions: list[QAction] = []
        bar = window.menuBar()
        file = bar.addMenu("&File")
        self.session_actions = [
            self._add(file, "&Certify what was recorded so far", "Ctrl+E", lambda: deeds.submit(Certify()))
        ]
        self._add(file, "Save a support &bundle", "Ctrl+B", lambda: deeds.submit(MakeBundle()))
        self._add_exports(file, deeds.exports)
        self._add(file, "Stop and &quit", "Ctrl+Q", deeds.leave)
        view = bar.addMenu("&View")
        for dock in docks:
            view.addAction(dock.toggleViewAction())
        view.addSeparator()
        self._add(view, "Find image &levels anew", "Ctrl+L", deeds.find_levels)
        self._add(view, "&Fix image levels…", "Ctrl+Shift+L", deeds.type_levels)
        self._add(view, "&Reset layout", "", deeds.reset_layout)
        self._add(view, "&Why: explain the selected drop", "Ctrl+Y", deeds.explain)
        self._add_images(view, deeds)
        self._add_looks(view, deeds)
        self._add_reach(view, deeds)
        loop = bar.addMenu("&Loop")
        self.loop_actions = [
            self._add(loop, "&Close: send corrections", "Ctrl+Return", lambda: deeds.submit(CloseLoop())),
            self._add(loop, "&Shadow: decide and log, send nothing", "Ctrl+T", lambda: deeds.submit(ShadowLoop())),
            self._add(loop, "&Hold: send nothing", "Ctrl+H", lambda: deeds.submit(HoldLoop())),
            self._add(loop, "&Open: move setpoints by hand", "Ctrl+O", lambda: deeds.submit(OpenLoop())),
        ]
        loop.addSeparator()
        self.loop_actions.append(
            self._add(loop, "&Return to the setpoints of the selected drop", "Ctrl+R", deeds.ask_return)
        )
        self._add(loop, "Settings of this &run, and the way back", "Ctrl+Shift+R", deeds.show_settings)
        self._add(loop, "Edit &targets, gains and limits", "Ctrl+Shift+T", deeds.edit_targets)
        self._add(loop, "&Acknowledge all alarms", "Ctrl+G", deeds.acknowledge)
        self._add_procedures(bar.addMenu("&Procedures"), deeds)
        help_menu = bar.addMenu("&Help")
        self._add(help_menu, "&Shortcuts", "F1", self._shortcuts)
        self._add(help_menu, "&Units and names", "", lambda: show_help(window, "Units and names", units_text()))
        self._add(help_menu, "&About magis-calib", "", lambda: show_help(window, "About magis-calib", ABOUT))

    def refresh(self, snapshot: Snapshot) -> None:
        """Enable what may be asked of this run now."""
        for action in (*self.loop_actions, *self.session_actions):
            action.setEnabled(snapshot.mode == "live" and not snapshot.finished)

    def _add_exports(self, file: QMenu, exports: Exports) -> None:
        """Offer every plot in sight by name, and the one that is pointed at."""
        plots = file.addMenu("E&xport plot")
        plots.aboutToShow.connect(lambda: exports.fill(plots))
        self._add(file, "&Export the plot under the pointer or in the panel with the focus…", "Ctrl+Shift+E",
                  exports.ask_pointed)  # fmt: skip

    def _add_looks(self, view: QMenu, deeds: Deeds) -> None:
        """Offer the shipped arrangements, the themes and the sizes of type."""
        view.addSeparator()
        for number, (name, words) in enumerate(ARRANGEMENTS.items(), start=1):
            self._add(view, f"Arrange for &{name}", f"Ctrl+{number}", partial(deeds.arrange, name)).setToolTip(words)
        themes, sizes = view.addMenu("&Theme"), view.addMenu("&Font size")
        for theme in SCHEMES:
            self._add(themes, f"{theme} (from the next start on)", "", partial(deeds.remember, "theme", theme))
        for size_pt in FONT_SIZES_PT:
            words = f"{size_pt:g} pt (from the next start on)"
            self._add(sizes, words, "", partial(deeds.remember, "font_pt", size_pt))
        view.setToolTipsVisible(True)

    def _add_images(self, view: QMenu, deeds: Deeds) -> None:
        """Offer from the keyboard what the slider under the images does."""
        images = view.addMenu("&Images of")
        self._add(images, "An &earlier drop", "Ctrl+PgUp", partial(deeds.step_images, -1))
        self._add(images, "A &later drop", "Ctrl+PgDown", partial(deeds.step_images, 1))
        self._add(images, "The &newest drop", "Ctrl+End", deeds.newest_images)

    def _add_reach(self, view: QMenu, deeds: Deeds) -> None:
        """Offer from the keyboard what wheel and drag do in the trends."""
        trends = view.addMenu("T&rends")
        for text, keys, wish, share in (
            ("Earlier", "Alt+Left", "move", -0.5), ("Later", "Alt+Right", "move", 0.5),
            ("Zoom in", "Alt+Up", "zoom", 0.5), ("Zoom out", "Alt+Down", "zoom", 2.0),
            ("Follow the newest drop", "Alt+Home", "follow", 0.0),
        ):  # fmt: skip
            self._add(trends, text, keys, partial(deeds.look, wish, share))
        self._add(trends, "Statistics of the drops in sight", "Ctrl+Shift+S", deeds.show_statistics)

    def _add_procedures(self, menu: QMenu, deeds: Deeds) -> None:
        self._add(menu, "&Show the procedures", "Ctrl+P", deeds.show_procedures)
        for name, known in KNOWN.items():
            start = self._add(menu, f"Start {name}…", "", partial(deeds.ask_procedure, name))
            start.setToolTip(known.summary)
            self.loop_actions.append(start)
        self.loop_actions.append(self._add(menu, "&Cancel the procedure…", "Ctrl+K", deeds.cancel_procedure))
        menu.setToolTipsVisible(True)

    def _add(self, menu: QMenu, text: str, keys: str, deed: Callable[[], object]) -> QAction:
        action = QAction(text, self._window)
        if keys:
            action.setShortcut(QKeySequence(keys))
        action.triggered.connect(lambda _checked=False: deed())
        menu.addAction(action)
        self.all_actions.append(action)
        return action

    def _shortcuts(self) -> None:
        show_help(self._window, "Shortcuts", shortcuts_text(self.all_actions))
