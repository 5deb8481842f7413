"""Targets, gains and limits in the window: shown from the run, asked about in place, applied by the
run alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot
from window_bench import StationBench, WindowBench, kept_in, replay_engine, said, wait_until

from magis_calib.config.settings import LoopSettings
from magis_calib.state.commands import (
    CancelProcedure,
    SetGain,
    SetLimits,
    SetTarget,
    StartProcedure,
)
from ui.models.editable_settings import items_of, why_read_only
from ui.panels.targets.panel import TargetsPanel
from ui.panels.targets.rows import TargetRow

pytestmark = pytest.mark.station

PATIENCE_MS = 30_000


@pytest.fixture(scope="module")
def bench(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StationBench]:
    folder: Path = tmp_path_factory.mktemp("targets")
    with StationBench(folder, kept_in(folder)) as bench:
        wait_until(lambda: len(bench.snapshot.records) >= 6, "six drops")
        yield bench


@pytest.fixture
def panel(bench: StationBench, qtbot: QtBot) -> Iterator[TargetsPanel]:
    """The panel in front; the run as configured before and after."""
    (action,) = [
        one for one in bench.window.menus.all_actions if one.shortcut().toString() == "Ctrl+Shift+T"
    ]
    action.trigger()
    bench.drawn()
    yield bench.window.panels.of(TargetsPanel)
    bench.window.panels.of(TargetsPanel).clear()
    saved = bench.snapshot.saved
    for command in (
        *(SetTarget(*one) for one in saved.targets.items()),
        *(SetGain(*one) for one in saved.gains.items()),
        *(SetLimits(*one) for one in saved.limits.items()),
    ):
        bench.engine.submit(command)
    qtbot.waitUntil(lambda: in_force(bench) == saved, timeout=PATIENCE_MS)
    bench.drawn()


def in_force(bench: StationBench) -> LoopSettings:
    now = bench.snapshot
    return LoopSettings(now.targets, now.gains, now.limits, now.saved.nominal)


def type_new(qtbot: QtBot, row: TargetRow, text: str, key: Qt.Key | None = None) -> None:
    row.edit.setFocus()
    row.edit.selectAll()
    qtbot.keyClicks(row.edit, text)
    if key is not None:
        qtbot.keyClick(row.edit, key)


def press(qtbot: QtBot, button: QPushButton) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_the_shortcut_brings_the_first_field_to_the_keyboard(
    bench: StationBench, panel: TargetsPanel
) -> None:
    assert panel.isVisible()
    assert bench.window.focusWidget() is panel.rows[("target", "x_m")].edit


def test_every_number_is_shown_as_saved_and_in_force_in_shown_units(
    bench: StationBench, panel: TargetsPanel
) -> None:
    snapshot = bench.drawn()
    assert len(panel.rows) == 6 + 6 + 4 * len(snapshot.saved.limits)
    row = panel.rows[("target", "fringe_x_rad_per_m")]
    assert (row._saved.text(), row._current.text(), row._unit.text()) == (
        "6283.0",
        "6283.0",
        "rad/m",
    )
    row = panel.rows[("step_cap", "trap_x_m")]
    assert (row._saved.text(), row._current.text(), row._range.text(), row._unit.text()) == (
        "50",
        "50",
        "0 < … 50",
        "µm",
    )
    assert "5e-05 m" in row._current.toolTip()
    assert panel.rows[("gain", "phase_rad")]._current.text() == "auto"


def test_nothing_is_applied_before_a_yes_and_a_no_applies_nothing(
    bench: StationBench, panel: TargetsPanel, qtbot: QtBot
) -> None:
    before = in_force(bench)
    type_new(qtbot, panel.rows[("target", "x_m")], "12", Qt.Key.Key_Return)
    assert "apply target of x 0.0 → 12.0 µm? For this run" in panel.question.text()
    press(qtbot, panel.question.no)
    drops = bench.snapshot.counters.complete
    qtbot.waitUntil(lambda: bench.snapshot.counters.complete > drops, timeout=PATIENCE_MS)
    assert in_force(bench) == before
    assert panel.rows[("target", "x_m")].edit.text() == "12", "what was typed stays"


def test_changes_are_listed_and_in_force_after_a_yes(
    bench: StationBench, panel: TargetsPanel, qtbot: QtBot
) -> None:
    rows = panel.rows
    type_new(qtbot, rows[("target", "x_m")], "12")
    type_new(qtbot, rows[("gain", "y_m")], "0,4")
    type_new(qtbot, rows[("step_cap", "trap_x_m")], "30")
    type_new(qtbot, rows[("excursion", "trap_x_m")], "range")
    press(qtbot, panel.apply)
    for words in (
        "target of x 0.0 → 12.0 µm",
        "gain of y auto → 0.4",
        "step cap of trap x 50 → 30 µm",
        "excursion of trap x 450 → range µm",
    ):
        assert words in panel.question.text()
    press(qtbot, panel.question.yes)
    qtbot.waitUntil(lambda: bench.snapshot.targets["x_m"] == 12e-6, timeout=PATIENCE_MS)
    snapshot = bench.drawn()
    assert snapshot.gains["y_m"] == 0.4
    assert (snapshot.limits["trap_x_m"].step_cap, snapshot.limits["trap_x_m"].excursion) == (
        30e-6,
        "range",
    )
    assert rows[("target", "x_m")]._current.text() == "≠ 12.0"
    assert [row.edit.text() for row in rows.values() if row.edit.text()] == [], "no longer changes"
    press(qtbot, panel.take_saved)
    assert {key: row.edit.text() for key, row in rows.items() if row.edit.text()} == {
        ("target", "x_m"): "0",
        ("gain", "y_m"): "auto",
        ("step_cap", "trap_x_m"): "50",
        ("excursion", "trap_x_m"): "450",
    }
    press(qtbot, panel.apply)
    press(qtbot, panel.question.yes)
    qtbot.waitUntil(lambda: in_force(bench) == snapshot.saved, timeout=PATIENCE_MS)


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        (("target", "x_m"), "9999", "µm, got 9999 µm"),
        (("target", "x_m"), "abc", "wanted a number, got “abc”"),
        (("target", "x_m"), "nan", "wanted a number"),
        (("gain", "x_m"), "2", "wanted auto, 0 < g < 2, got 2"),
        (("gain", "x_m"), "automatic", "wanted “auto” or a number, got “automatic”"),
        (("step_cap", "trap_x_m"), "0", "wanted 0 < … 50 µm, got 0 µm"),
        (("maximum", "trap_x_m"), "-400", "… 500 µm, got -400 µm"),
        (("excursion", "trap_x_m"), "-1", "wanted range, or > 0 µm, got -1 µm"),
    ],
)
def test_what_cannot_be_is_marked_in_place_and_not_applied(
    bench: StationBench, panel: TargetsPanel, qtbot: QtBot, key: tuple, text: str, words: str
) -> None:
    row = panel.rows[key]
    type_new(qtbot, panel.rows[("target", "y_m")], "5")
    type_new(qtbot, row, text, Qt.Key.Key_Return)
    assert row._mark.text() == "▲ no"
    assert words in row._mark.toolTip()
    assert words in row.edit.accessibleDescription()
    assert "▲" in panel._state.text()
    assert not panel.apply.isEnabled()
    assert not panel.question.isVisible()
    qtbot.keyClick(row.edit, Qt.Key.Key_Escape)
    assert (row.edit.text(), row._mark.text()) == ("", "")
    assert panel.apply.isEnabled(), "the other change stands"


def test_what_the_run_refuses_stays_typed_and_its_answer_is_shown(
    bench: StationBench, panel: TargetsPanel, qtbot: QtBot
) -> None:
    bench.engine.submit(StartProcedure("poke"))
    qtbot.waitUntil(lambda: bench.snapshot.loop == "procedure", timeout=PATIENCE_MS)
    try:
        bench.drawn()
        type_new(qtbot, panel.rows[("step_cap", "trap_y_m")], "30", Qt.Key.Key_Return)
        press(qtbot, panel.question.yes)
        qtbot.waitUntil(lambda: "poke is running" in bench.snapshot.note, timeout=PATIENCE_MS)
        bench.drawn()
        assert "▲ limits not set: poke is running, cancel it first" in panel._state.text()
        assert panel.rows[("step_cap", "trap_y_m")].edit.text() == "30"
    finally:
        bench.engine.submit(CancelProcedure())
        qtbot.waitUntil(lambda: bench.snapshot.loop != "procedure", timeout=PATIENCE_MS)


def test_a_question_about_other_numbers_goes_away(
    bench: StationBench, panel: TargetsPanel, qtbot: QtBot
) -> None:
    type_new(qtbot, panel.rows[("target", "x_m")], "12", Qt.Key.Key_Return)
    assert panel.question.isVisible()
    type_new(qtbot, panel.rows[("target", "x_m")], "13")
    assert not panel.question.isVisible()
    press(qtbot, panel.put_back)
    assert panel.rows[("target", "x_m")].edit.text() == ""
    assert not panel.apply.isEnabled()


def test_a_question_stands_while_drops_come(
    bench: StationBench, panel: TargetsPanel, qtbot: QtBot
) -> None:
    type_new(qtbot, panel.rows[("target", "x_m")], "12", Qt.Key.Key_Return)
    drops = bench.snapshot.counters.complete
    qtbot.waitUntil(lambda: bench.snapshot.counters.complete > drops + 1, timeout=PATIENCE_MS)
    bench.drawn()
    assert panel.question.isVisible()


def test_wheel_over_a_field_changes_nothing(
    bench: StationBench, panel: TargetsPanel, qtbot: QtBot
) -> None:
    edit = panel.rows[("target", "x_m")].edit
    type_new(qtbot, panel.rows[("target", "x_m")], "12")
    at = QPointF(5, 5)
    event = QWheelEvent(
        at,
        edit.mapToGlobal(at),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(edit, event)
    assert edit.text() == "12"


def test_every_field_and_button_has_a_name_of_its_own(panel: TargetsPanel) -> None:
    names = [edit.accessibleName() for edit in panel.findChildren(QLineEdit)]
    assert len(set(names)) == len(names) == len(panel.rows)
    assert "new step cap of trap x" in names
    assert all(one.accessibleName() for one in (panel.apply, panel.put_back, panel.take_saved))


@pytest.mark.parametrize("page", [0, 1])
def test_nothing_is_cut_off_sideways_in_a_window_of_1280(
    bench: StationBench, panel: TargetsPanel, page: int
) -> None:
    size = bench.window.size()
    try:
        bench.window.resize(1280, 720)
        bench.window.reset_layout()
        bench.window.menu_actions.edit_targets()
        panel._tabs.setCurrentIndex(page)
        wait_until(lambda: bench.drawn() and panel._stack.currentWidget().isVisible(), "the page")
        bench.window.reset_layout()
        bench.window.menu_actions.edit_targets()
        panel._tabs.setCurrentIndex(page)
        wait_until(
            lambda: panel._stack.currentWidget().horizontalScrollBar().maximum() == 0,
            "room for all columns",
        )
    finally:
        bench.window.resize(size)
        bench.window.reset_layout()


def test_in_a_replay_all_is_read_only_and_says_why(
    bench: StationBench, tmp_path: Path, qtbot: QtBot
) -> None:
    folder = tmp_path / "run"
    with StationBench(folder, kept_in(tmp_path)) as live:
        wait_until(lambda: len(live.snapshot.records) >= 2, "two drops")
        session = Path(live.snapshot.session)
    engine = replay_engine(session, math.inf)
    engine.start()
    with WindowBench(engine, kept_in(tmp_path)) as replay:
        replay.window.menu_actions.edit_targets()
        wait_until(lambda: replay.snapshot.latest is not None, "a drop")
        snapshot = replay.drawn()
        panel = replay.window.panels.of(TargetsPanel)
        assert why_read_only(snapshot) in said(panel)
        assert all(row.edit.isReadOnly() for row in panel.rows.values())
        assert not panel.apply.isEnabled()
        assert not panel.take_saved.isEnabled()


def test_before_anything_is_known_there_is_nothing_to_change(bench: StationBench) -> None:
    assert items_of(replace(bench.snapshot, saved=None)) == {}
    unknown = items_of(replace(bench.snapshot, actuators=()))[("maximum", "trap_x_m")]
    assert unknown.range_in_words() == "not known yet"
    assert unknown.read("1") == (None, "its controller has not described it yet")
