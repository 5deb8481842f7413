"""The table of docks: any number of panels, and of whatever else is counted through by keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel
from window_bench import delete_now, kept_in, let_qt_work

from magis_calib.procedures import catalogue
from magis_calib.state.commands import Command
from magis_calib.state.snapshot import Snapshot
from ui.panels.loop import replay_bar
from ui.style.theme import dress
from ui.window import layout, main_window, menu_entries
from ui.window.dock import Dock
from ui.window.docks import DOCKS
from ui.window.main_window import MainWindow

MANY = 15


@dataclass
class Still:
    """A run in which nothing happens."""

    snapshot: Snapshot

    def submit(self, command: Command) -> None:
        raise AssertionError(f"nobody asked for {command}")


class Greeting(QLabel):
    """The smallest panel there is."""

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        self.setText(f"hello, {snapshot.station}")


def greetings(place: str = "below") -> tuple[Dock, ...]:
    return tuple(Dock(f"Hello {at}", lambda _given: Greeting(), place=place) for at in range(MANY))


Opened = Callable[[], MainWindow]


@pytest.fixture
def opened(qapp: QApplication, tmp_path: Path) -> Iterator[Opened]:
    """Open windows over a still run; each is closed when the next is opened, and at the end."""
    dress(qapp)
    snapshot = Snapshot("s", "S", "live", "", 0.0, "open", "", None)
    run, settings = Still(snapshot), kept_in(tmp_path)
    windows: list[MainWindow] = []

    def close_last() -> None:
        for window in windows:
            run.snapshot = replace(snapshot, finished=True)
            window.close()
            window.deleteLater()
        windows.clear()
        delete_now()

    def open_one() -> MainWindow:
        close_last()
        run.snapshot = snapshot
        window = MainWindow(run, settings)
        windows.append(window)
        window.show()
        let_qt_work(400)
        window.tick_all()
        assert window.failures == []
        return window

    yield open_one
    close_last()


def shortcuts(window: MainWindow) -> list[QKeySequence]:
    """Return every shortcut that was given to anything in the window."""
    actions = [key for one in window.findChildren(QAction) for key in one.shortcuts()]
    buttons = [one.shortcut() for one in window.findChildren(QAbstractButton)]
    return [*actions, *(key for key in buttons if not key.isEmpty())]


def assert_keys_are_sound(window: MainWindow) -> None:
    texts = [key.toString(QKeySequence.SequenceFormat.PortableText) for key in shortcuts(window)]
    assert len(texts) > 40
    assert [text for text, times in Counter(texts).items() if times > 1] == []
    for text, key in zip(texts, shortcuts(window), strict=True):
        assert text
        assert not text.endswith("+") or text.endswith("++"), f"{text!r} has no key"
        assert key == QKeySequence.fromString(text, QKeySequence.SequenceFormat.PortableText)


def test_every_shortcut_is_readable_and_has_one_meaning(opened: Opened) -> None:
    window = opened()
    assert_keys_are_sound(window)
    for dock in DOCKS:
        shown = window.docks[dock.name].toggleViewAction().shortcut()
        assert shown == QKeySequence(dock.keys)
        assert shown.toString() == dock.keys


@pytest.mark.parametrize("place", ["side", "left", "right", "below"])
@pytest.mark.parametrize("arrangement", layout.ARRANGEMENTS)
def test_any_number_of_docks_beyond_the_keys_is_shown_and_can_be_brought_up(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, place: str, arrangement: str
) -> None:
    monkeypatch.setattr(main_window, "DOCKS", (*DOCKS, *greetings(place)))
    window = opened()
    assert len(window.docks) == len(DOCKS) + MANY
    assert_keys_are_sound(window)
    window.arrange(arrangement)
    for at in (0, MANY - 1):
        dock = window.docks[f"Hello {at}"]
        assert dock.toggleViewAction().shortcut().isEmpty()
        assert dock.toggleViewAction() in window.menus.all_actions
        window.bring_up(f"Hello {at}")
        let_qt_work(50)
        assert not dock.visibleRegion().isEmpty()
        window.tick_all()
        assert dock.findChild(Greeting).text() == "hello, s"
    assert window.failures == []


def test_a_dock_that_the_saved_layout_does_not_know_lies_on_its_place_and_the_rest_is_kept(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = opened()
    window.docks["Fringe"].hide()
    window.docks["Alarms"].setFloating(True)
    del window
    monkeypatch.setattr(main_window, "DOCKS", (*DOCKS, *greetings()))
    window = opened()
    assert window.docks["Fringe"].isHidden()
    assert window.docks["Alarms"].isFloating()
    on_the_ledger = window.tabifiedDockWidgets(window.docks["Ledger"])
    for at in range(MANY):
        assert window.docks[f"Hello {at}"] in on_the_ledger
    window.reset_layout()


def test_any_number_of_procedures_beyond_the_digits_can_be_started_from_the_menu(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(MANY):
        monkeypatch.setitem(catalogue.KNOWN, f"more_{at}", catalogue.KNOWN["poke"])
    window = opened()
    assert_keys_are_sound(window)
    texts = [one.text() for one in window.menus.all_actions]
    assert all(f"Start more {at}…" in texts for at in range(MANY))


def test_any_number_of_speeds_arrangements_and_themes_beyond_the_keys_is_offered(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(MANY):
        monkeypatch.setitem(replay_bar.SPEEDS, f"{at + 20}×", at + 20.0)
        monkeypatch.setitem(menu_entries.ARRANGEMENTS, f"more {at}", "like the others")
        monkeypatch.setitem(menu_entries.SCHEMES, f"more {at}", menu_entries.SCHEMES["dark"])
    window = opened()
    assert_keys_are_sound(window)
    texts = [one.text() for one in window.menus.all_actions]
    assert all(f"More {at} colours" in texts for at in range(MANY))
    assert all(f"Arrange for &more {at}" in texts for at in range(MANY))
