"""The menu bar: every action with its shortcut and what it does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu

from magis_calib.procedures.catalogue import KNOWN
from magis_calib.state.commands import (
    Certify,
    CloseLoop,
    Command,
    HoldLoop,
    MakeBundle,
    OpenLoop,
    ShadowLoop,
)
from magis_calib.state.snapshot import Snapshot
from ui.models.keys import numbered
from ui.panels.alarms.panel import AlarmsPanel
from ui.panels.ledger.panel import LedgerPanel
from ui.panels.trends.panel import TrendsPanel
from ui.style.scheme import SCHEMES
from ui.window.help_text import ABOUT, shortcuts_text, show_help, units_text
from ui.window.layout import ARRANGEMENTS

if TYPE_CHECKING:
    from ui.window.main_window import MainWindow

THEME_KEYS = {"dark": "Ctrl+Shift+D", "light": "Ctrl+Shift+B"}
LATER = "from the next start on"


class Menus:
    """File, View, Loop, Procedures, Help.

    Entries that move hardware are dead in a replay and after the run.
    """

    def __init__(self, window: MainWindow, submit: Callable[[Command], None]) -> None:
        self._window = window
        self._submit = submit
        self.all_actions: list[QAction] = []
        self.live_actions: list[QAction] = []
        """Those that need a run that goes on."""
        bar = window.menuBar()
        menus = {
            name: bar.addMenu(name) for name in ("&File", "&View", "&Loop", "&Procedures", "&Help")
        }
        for menu, fill in zip(
            menus.values(),
            (self._file, self._view, self._loop, self._procedures, self._help),
            strict=True,
        ):
            menu.setToolTipsVisible(True)
            fill(menu)

    def refresh(self, snapshot: Snapshot) -> None:
        """Enable what may be asked of this run now."""
        for action in self.live_actions:
            action.setEnabled(snapshot.mode == "live" and not snapshot.finished)

    def _file(self, menu: QMenu) -> None:
        window = self._window
        exports = self._window.exports
        self._live(
            menu,
            "&Certify what was recorded so far",
            "Ctrl+E",
            "count drops and frames; written beside the recording",
            self._sends(Certify()),
        )
        self._add(
            menu,
            "Save a support &bundle",
            "Ctrl+B",
            "log, configuration, newest drops and certificates",
            self._sends(MakeBundle()),
        )
        self._add(
            menu,
            "Open a &recording…",
            "Ctrl+Shift+O",
            "replay a session, in a window of its own",
            self._window.open_recording,
        )
        plots = menu.addMenu("E&xport plot")
        plots.aboutToShow.connect(lambda: exports.fill(plots))
        self._add(
            menu,
            "&Export the plot under the pointer or in the panel with the focus…",
            "Ctrl+Shift+E",
            "as picture (PNG, SVG) or numbers (CSV)",
            exports.ask_pointed,
        )
        self._add(
            menu,
            "Stop and &quit",
            "Ctrl+Q",
            "end the run, drain the recorder and close; asks first",
            window.close,
        )

    def _view(self, menu: QMenu) -> None:
        window = self._window
        panels = self._window.panels
        for name, dock in window.docks.items():
            action = dock.toggleViewAction()
            action.setShortcut(QKeySequence(dock.line.keys))
            action.setToolTip(f"show or hide: {name.lower()}")
            action.triggered.connect(lambda shown, name=name: self._shown(name, shown))
            menu.addAction(action)
            self.all_actions.append(action)
        menu.addSeparator()
        self._add(
            menu,
            "Find image &levels anew",
            "Ctrl+L",
            "in the pictures that are shown, common to both views",
            panels.levels.find_anew,
        )
        self._add(
            menu,
            "&Fix image levels…",
            "Ctrl+Shift+L",
            "type which electrons are black and white",
            panels.level_strip.ask,
        )
        self._add(
            menu,
            "&Why: explain the selected drop",
            "Ctrl+Y",
            "its images, and what every gate said",
            panels.of(LedgerPanel).explain,
        )
        self._images(menu.addMenu("&Images of"))
        self._trends(menu.addMenu("T&rends"))
        self._looks(menu)

    def _shown(self, dock: str, shown: bool) -> None:
        """Bring up a dock that is shown again: Qt would leave it behind those that lie in the same
        place.
        """
        if shown:
            self._window.bring_up(dock)

    def _images(self, menu: QMenu) -> None:
        """Offer from the keyboard what the slider under the images does."""
        history = self._window.panels.history
        for text, keys, hover, deed in (
            ("An &earlier drop", "Ctrl+PgUp", "among those in memory", partial(history.step, -1)),
            ("A &later drop", "Ctrl+PgDown", "among those in memory", partial(history.step, 1)),
            ("The &newest drop", "Ctrl+End", "follow it again", history.follow),
        ):
            self._add(menu, text, keys, hover, deed)

    def _trends(self, menu: QMenu) -> None:
        """Offer from the keyboard what wheel and drag do in the trends."""
        for text, keys, hover, wish, share in (
            ("Earlier", "Alt+Left", "by half of what is seen", "move", -0.5),
            ("Later", "Alt+Right", "by half of what is seen", "move", 0.5),
            ("Zoom in", "Alt+Up", "to half of the drops", "zoom", 0.5),
            ("Zoom out", "Alt+Down", "to twice the drops", "zoom", 2.0),
            ("Follow the newest drop", "Alt+Home", "as after the start", "follow", 0.0),
        ):
            self._add(
                menu,
                text,
                keys,
                hover,
                partial(self._window.panels.of(TrendsPanel).step, wish, share),
            )
        self._add(
            menu,
            "Statistics of the drops in sight",
            "Ctrl+Shift+S",
            "Allan deviation, histogram, tolerance",
            self._window.menu_actions.show_statistics,
        )

    def _looks(self, menu: QMenu) -> None:
        """Offer the shipped arrangements, the themes and the size of type."""
        window = self._window
        menu.addSeparator()
        for number, (name, words) in enumerate(ARRANGEMENTS.items(), start=1):
            self._add(
                menu,
                f"Arrange for &{name}",
                numbered("Ctrl", number),
                words,
                partial(window.arrange, name),
            )
        self._add(menu, "Reset la&yout", "Ctrl+0", "all docks as shipped", window.reset_layout)
        for theme in SCHEMES:
            self._add(
                menu,
                f"{theme.capitalize()} colours",
                THEME_KEYS.get(theme, ""),
                LATER,
                partial(window.remember, "theme", theme),
            )
        self._add(menu, "Lar&ger type", "Ctrl++", LATER, partial(window.resize_type, 1))
        self._add(menu, "S&maller type", "Ctrl+-", LATER, partial(window.resize_type, -1))

    def _loop(self, menu: QMenu) -> None:
        actions = self._window.menu_actions
        for text, keys, hover, command in (
            (
                "&Close: send corrections",
                "Ctrl+Return",
                "from now on; clears a latched fault",
                CloseLoop(),
            ),
            (
                "&Shadow: decide and log, send nothing",
                "Ctrl+T",
                "as if it were closed",
                ShadowLoop(),
            ),
            ("&Hold: send nothing", "Ctrl+H", "keep measuring, keep the setpoints", HoldLoop()),
            ("&Open: move setpoints by hand", "Ctrl+O", "keep measuring", OpenLoop()),
        ):
            self._live(menu, text, keys, hover, self._sends(command))
        menu.addSeparator()
        self._live(
            menu,
            "&Return to the setpoints of the selected drop",
            "Ctrl+R",
            "asks first",
            actions.ask_return,
        )
        self._add(
            menu,
            "Settings of this &run, and the way back",
            "Ctrl+Shift+R",
            "every setpoint vector with what it gave",
            actions.show_settings,
        )
        self._add(
            menu,
            "Edit &targets, gains and limits",
            "Ctrl+Shift+T",
            "saved, current, range; applied after a yes",
            actions.edit_targets,
        )
        self._add(
            menu,
            "What &if a recording had other targets or gains",
            "Ctrl+Shift+W",
            "predicted; nothing moves",
            actions.suppose,
        )
        self._live(
            menu,
            "&Acknowledge all alarms",
            "Ctrl+G",
            "say that you know of them",
            self._window.panels.of(AlarmsPanel).acknowledge_all,
        )

    def _procedures(self, menu: QMenu) -> None:
        actions = self._window.menu_actions
        self._add(
            menu,
            "&Show the procedures",
            "Ctrl+P",
            "and give them the keyboard",
            actions.show_procedures,
        )
        for number, (name, known) in enumerate(KNOWN.items(), start=1):
            self._live(
                menu,
                f"Start {name.replace('_', ' ')}…",
                numbered("Ctrl+Shift", number),
                f"{known.summary}; asks first",
                partial(actions.ask_procedure, name),
            )
        self._live(
            menu,
            "&Cancel the procedure…",
            "Ctrl+K",
            "the setpoints go back; asks first",
            actions.ask_cancel,
        )
        self._live(
            menu,
            "&Promote the measured matrix…",
            "Ctrl+Shift+M",
            "in force from the next start on; asks first",
            actions.ask_promotion,
        )

    def _help(self, menu: QMenu) -> None:
        window = self._window
        self._add(
            menu,
            "&Shortcuts",
            "F1",
            "of everything that can be done here",
            lambda: show_help(window, "Shortcuts", shortcuts_text(self.all_actions)),
        )
        self._add(
            menu,
            "&Units and names",
            "Shift+F1",
            "of all quantities, shown and in files",
            lambda: show_help(window, "Units and names", units_text()),
        )
        self._add(
            menu,
            "&About magis-calib",
            "Ctrl+F1",
            "which version this is",
            lambda: show_help(window, "About magis-calib", ABOUT),
        )

    def _sends(self, command: Command) -> Callable[[], object]:
        return lambda: self._submit(command)

    def _live(
        self, menu: QMenu, text: str, keys: str, hover: str, deed: Callable[[], object]
    ) -> None:
        self.live_actions.append(self._add(menu, text, keys, hover, deed))

    def _add(
        self, menu: QMenu, text: str, keys: str, hover: str, deed: Callable[[], object]
    ) -> QAction:
        action = QAction(text, self._window)
        action.setShortcut(QKeySequence(keys))
        action.setToolTip(hover)
        action.triggered.connect(lambda _checked=False: deed())
        menu.addAction(action)
        self.all_actions.append(action)
        return action
