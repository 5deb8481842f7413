"""What stands in each menu: text, keys, what is said on hover, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

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
from ui.panels.alarms.panel import AlarmsPanel
from ui.panels.ledger.panel import LedgerPanel
from ui.panels.trends.panel import TrendsPanel
from ui.style.keys import numbered
from ui.style.scheme import SCHEMES
from ui.window.help_text import ABOUT, shortcuts_text, show_help, units_text
from ui.window.layout import ARRANGEMENTS
from ui.window.menu_owner import MenuOwner

Action = Callable[[], object]
Submit = Callable[[Command], object]
THEME_KEYS = {"dark": "Ctrl+Shift+D", "light": "Ctrl+Shift+B"}
LATER = "from the next start on"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a menu."""

    text: str
    keys: str
    """As Qt reads a shortcut; empty for none."""
    hover: str
    action: Action
    live: bool = False
    """It moves hardware, or needs a run that goes on: dead in a replay and after the run."""


def records(submit: Submit) -> list[Entry]:
    """Return what is made of the recording."""
    return [
        Entry(
            "&Certify what was recorded so far",
            "Ctrl+E",
            "count drops and frames; written beside the recording",
            partial(submit, Certify()),
            live=True,
        ),
        Entry(
            "Save a support &bundle",
            "Ctrl+B",
            "log, configuration, newest drops and certificates",
            partial(submit, MakeBundle()),
        ),
    ]


def files(window: MenuOwner) -> list[Entry]:
    """Return what opens, exports and ends."""
    return [
        Entry(
            "Open a &recording…",
            "Ctrl+Shift+O",
            "replay a session, in a window of its own",
            window.open_recording,
        ),
        Entry(
            "&Export the plot under the pointer or in the panel with the focus…",
            "Ctrl+Shift+E",
            "as picture (PNG, SVG) or numbers (CSV)",
            window.exports.ask_pointed,
        ),
        Entry(
            "Stop and &quit",
            "Ctrl+Q",
            "end the run, drain the recorder and close; asks first",
            window.close,
        ),
    ]


def view(window: MenuOwner) -> list[Entry]:
    """Return what concerns the images and the selected drop."""
    panels = window.panels
    return [
        Entry(
            "Find image &levels anew",
            "Ctrl+L",
            "in the pictures that are shown, common to both views",
            panels.levels.find_anew,
        ),
        Entry(
            "&Fix image levels…",
            "Ctrl+Shift+L",
            "type which electrons are black and white",
            panels.level_strip.ask_levels,
        ),
        Entry(
            "&Why: explain the selected drop",
            "Ctrl+Y",
            "its images, and what every gate said",
            panels.of(LedgerPanel).explain,
        ),
    ]


def images(window: MenuOwner) -> list[Entry]:
    """Return what the slider under the images does."""
    history, among = window.panels.history, "among those in memory"
    return [
        Entry("An &earlier drop", "Ctrl+PgUp", among, partial(history.step, -1)),
        Entry("A &later drop", "Ctrl+PgDown", among, partial(history.step, 1)),
        Entry("The &newest drop", "Ctrl+End", "follow it again", history.follow),
    ]


def trends(window: MenuOwner) -> list[Entry]:
    """Return what wheel and drag do in the trends."""
    step, half = window.panels.of(TrendsPanel).step, "by half of what is seen"
    return [
        Entry("Earlier", "Alt+Left", half, partial(step, "move", -0.5)),
        Entry("Later", "Alt+Right", half, partial(step, "move", 0.5)),
        Entry("Zoom in", "Alt+Up", "to half of the drops", partial(step, "zoom", 0.5)),
        Entry("Zoom out", "Alt+Down", "to twice the drops", partial(step, "zoom", 2.0)),
        Entry(
            "Follow the newest drop",
            "Alt+Home",
            "as after the start",
            partial(step, "follow", 0.0),
        ),
        Entry(
            "Statistics of the drops in sight",
            "Ctrl+Shift+S",
            "Allan deviation, histogram, tolerance",
            window.menu_actions.show_statistics,
        ),
    ]


def arrangements(window: MenuOwner) -> list[Entry]:
    """Return the shipped arrangements."""
    shipped = [
        Entry(
            f"Arrange for &{name}", numbered("Ctrl", number), words, partial(window.arrange, name)
        )
        for number, (name, words) in enumerate(ARRANGEMENTS.items(), start=1)
    ]
    return [
        *shipped,
        Entry("Reset la&yout", "Ctrl+0", "all docks as shipped", window.reset_layout),
    ]


def looks(window: MenuOwner) -> list[Entry]:
    """Return the themes and the size of type."""
    themes = [
        Entry(
            f"{theme.capitalize()} colours",
            THEME_KEYS.get(theme, ""),
            LATER,
            partial(window.remember, "theme", theme),
        )
        for theme in SCHEMES
    ]
    return [
        *themes,
        Entry("Lar&ger type", "Ctrl++", LATER, partial(window.resize_type, 1)),
        Entry("S&maller type", "Ctrl+-", LATER, partial(window.resize_type, -1)),
    ]


TURNS: Sequence[tuple[str, str, str, Command]] = (
    ("&Close: send corrections", "Ctrl+Return", "from now on; clears a latched fault", CloseLoop()),
    ("&Shadow: decide and log, send nothing", "Ctrl+T", "as if it were closed", ShadowLoop()),
    ("&Hold: send nothing", "Ctrl+H", "keep measuring, keep the setpoints", HoldLoop()),
    ("&Open: move setpoints by hand", "Ctrl+O", "keep measuring", OpenLoop()),
)


def turns(submit: Submit) -> list[Entry]:
    """Return what turns the loop on and off."""
    return [
        Entry(text, keys, hover, partial(submit, command), live=True)
        for text, keys, hover, command in TURNS
    ]


def loop(window: MenuOwner) -> list[Entry]:
    """Return what else concerns the loop."""
    actions = window.menu_actions
    return [
        Entry(
            "&Return to the setpoints of the selected drop",
            "Ctrl+R",
            "asks first",
            actions.ask_return,
            live=True,
        ),
        Entry(
            "Settings of this &run, and the way back",
            "Ctrl+Shift+R",
            "every setpoint vector with what it gave",
            actions.show_settings,
        ),
        Entry(
            "Edit &targets, gains and limits",
            "Ctrl+Shift+T",
            "saved, current, range; applied after a yes",
            actions.edit_targets,
        ),
        Entry(
            "What &if a recording had other targets or gains",
            "Ctrl+Shift+W",
            "predicted; nothing moves",
            actions.suppose,
        ),
        Entry(
            "&Acknowledge all alarms",
            "Ctrl+G",
            "say that you know of them",
            window.panels.of(AlarmsPanel).acknowledge_all,
            live=True,
        ),
    ]


def procedures(window: MenuOwner) -> list[Entry]:
    """Return what begins a procedure, ends it, and takes over what it found."""
    actions = window.menu_actions
    return [
        Entry(
            "&Show the procedures", "Ctrl+P", "and give them the keyboard", actions.show_procedures
        ),
        *(_start(window, number, name) for number, name in enumerate(KNOWN, start=1)),
        Entry(
            "&Cancel the procedure…",
            "Ctrl+K",
            "the setpoints go back; asks first",
            actions.ask_cancel,
            live=True,
        ),
        Entry(
            "&Promote the measured matrix…",
            "Ctrl+Shift+M",
            "in force from the next start on; asks first",
            actions.ask_promotion,
            live=True,
        ),
    ]


def _start(window: MenuOwner, number: int, name: str) -> Entry:
    return Entry(
        f"Start {name.replace('_', ' ')}…",
        numbered("Ctrl+Shift", number),
        f"{KNOWN[name].summary}; asks first",
        partial(window.menu_actions.ask_procedure, name),
        live=True,
    )


def helps(parent: QWidget, actions: Sequence[QAction]) -> list[Entry]:
    """Return what explains, beside `parent`; `actions` are those whose shortcuts are listed."""

    def show(title: str, text: Callable[[], str]) -> Action:
        return lambda: show_help(parent, title, text())

    return [
        Entry(
            "&Shortcuts",
            "F1",
            "of everything that can be done here",
            show("Shortcuts", lambda: shortcuts_text(actions)),
        ),
        Entry(
            "&Units and names",
            "Shift+F1",
            "of all quantities, shown and in files",
            show("Units and names", units_text),
        ),
        Entry(
            "&About magis-calib",
            "Ctrl+F1",
            "which version this is",
            show("About magis-calib", lambda: ABOUT),
        ),
    ]
