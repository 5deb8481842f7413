"""Every entry of the menus is pressed by its keys over a running station, and does what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from entries_of_file import FILE, HELP
from entries_of_loop import LOOP, PROCEDURES, acknowledges, answered
from entries_of_view import VIEW
from keyboard import Keys, entries, plain
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QMenu, QSlider
from window_bench import StationBench, kept_in, wait_until

from magis_calib.state.commands import CloseLoop
from ui.panels.trends.panel import TrendsPanel
from ui.window.docks import DOCKS

pytestmark = pytest.mark.station


def ends_the_run(keys: Keys) -> None:
    bench, window = keys.bench, keys.bench.window
    keys()
    answered(window.leave_question, Qt.Key.Key_Escape)
    keys()
    assert not bench.snapshot.finished
    answered(window.leave_question, Qt.Key.Key_Space)
    wait_until(lambda: not window.isVisible(), "the window to close")
    assert bench.snapshot.finished
    assert (Path(bench.snapshot.session) / "final.json").is_file()


LAST = {"Acknowledge all alarms": acknowledges, "Stop and quit": ends_the_run}
"""The first of them lets the station die, the other ends the run."""
CHECKS: dict[str, Callable[[Keys], None]] = {**VIEW, **LOOP, **PROCEDURES, **FILE, **HELP, **LAST}


@pytest.fixture(scope="module")
def running(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StationBench]:
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    folder: Path = tmp_path_factory.mktemp("actions")
    with StationBench(folder, kept_in(folder), close_confirm=True, interval_s=0.2) as bench:
        wait_until(lambda: len(bench.snapshot.records) >= 12, "twelve drops")
        wait_until(
            lambda: len(bench.window.panels.image_history.kept) >= 8,
            "images of eight of them in memory",
        )
        bench.window.panels.recalls.submit(
            int
        ).result()  # its thread lives as long as the window, not as one test
        yield bench


def laid_out(bench: StationBench) -> list[tuple[bool, bool]]:
    return [(dock.isHidden(), dock.isFloating()) for dock in bench.window.docks.values()]


@pytest.fixture
def bench(running: StationBench) -> Iterator[StationBench]:
    """The bench as after its start, before and after the test."""
    before = laid_out(running)
    yield running
    if running.snapshot.finished:
        return
    if laid_out(running) != before:
        running.window.arrange("run")
    running.window.panels.history.follow()
    running.window.panels.of(TrendsPanel).zoom_or_move("follow", 0.0)
    running.window.panels.levels.find_anew()
    if running.snapshot.loop != "closed":
        running.engine.submit(CloseLoop())
        wait_until(lambda: running.snapshot.loop == "closed", "the closed loop")


def test_every_action_has_a_shortcut_of_its_own_and_a_tooltip(bench: StationBench) -> None:
    actions = bench.window.menus.all_actions
    without = {dock.name for dock in DOCKS if not dock.keys}
    keys = {plain(one): one.shortcut().toString() for one in actions if plain(one) not in without}
    assert all(keys.values())
    assert len(set(keys.values())) == len(keys) == len(actions) - len(without)
    assert all(one.toolTip() != plain(one) for one in actions)


def test_what_the_keyboard_reaches_has_a_name(bench: StationBench) -> None:
    bench.drawn()
    for kind in (QLineEdit, QSlider):
        assert all(
            one.accessibleName() for one in bench.window.findChildren(kind) if one.isVisible()
        )
    buttons = [one for one in bench.window.findChildren(QAbstractButton) if one.isVisible()]
    nameless = [
        one
        for one in buttons
        if not (one.text() or one.accessibleName() or one.objectName().startswith("qt_"))
    ]
    assert nameless == []


def test_no_entry_of_the_menus_is_left_out_below(bench: StationBench) -> None:
    menus = [one.menu() for one in bench.window.menuBar().actions()]
    found = [plain(one) for menu in menus if isinstance(menu, QMenu) for one in entries(menu)]
    assert sorted(found) == sorted(map(plain, bench.window.menus.all_actions))
    assert sorted(found) == sorted(CHECKS)


@pytest.mark.parametrize("text", CHECKS)
def test_its_keys_do_what_the_entry_says(bench: StationBench, text: str) -> None:
    (action,) = [one for one in bench.window.menus.all_actions if plain(one) == text]
    keys = Keys(bench, action)
    CHECKS[text](keys)
    assert keys.times
