"""The settings of a run: what is listed, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from window_bench import (
    StationBench,
    WindowBench,
    kept_in,
    let_qt_work,
    replay_engine,
    said,
    wait_until,
)

from magis_calib.state.commands import CloseLoop, HoldLoop
from ui.panels.settings.panel import SettingsPanel, first_setpoints
from ui.panels.settings.table_model import HEADS

pytestmark = pytest.mark.station

PATIENCE_MS = 30_000


@pytest.fixture(scope="module")
def bench(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StationBench]:
    folder: Path = tmp_path_factory.mktemp("settings")
    with StationBench(folder, kept_in(folder)) as bench:
        wait_until(lambda: len(bench.snapshot.records) >= 15, "fifteen drops")
        yield bench


@pytest.fixture
def held(bench: StationBench, qtbot: QtBot) -> Iterator[StationBench]:
    """The bench with the loop on hold and some drops under the same setpoints."""
    bench.engine.submit(HoldLoop())
    qtbot.waitUntil(lambda: bench.snapshot.loop == "held", timeout=PATIENCE_MS)
    drop = bench.snapshot.records[-1].drop_id
    qtbot.waitUntil(lambda: bench.snapshot.records[-1].drop_id >= drop + 5, timeout=PATIENCE_MS)
    bench.window.menu_actions.show_settings()
    let_qt_work(50)
    bench.drawn()
    yield bench
    bench.window.panels.of(SettingsPanel).question.hide()
    bench.engine.submit(CloseLoop())
    qtbot.waitUntil(lambda: bench.snapshot.loop == "closed", timeout=PATIENCE_MS)


def cell(bench: WindowBench, row: int, head: str) -> str:
    model = bench.window.panels.of(SettingsPanel).model
    return str(model.index(row, list(HEADS).index(head)).data())


def test_drops_under_the_same_setpoints_are_one_row_with_their_mean(held: StationBench) -> None:
    panel = held.window.panels.of(SettingsPanel)
    newest = panel.model.row(0)
    assert newest is not None
    assert newest.last_drop - newest.first_drop >= 3
    inside = [
        one for one in held.snapshot.records if newest.first_drop <= one.drop_id <= newest.last_drop
    ]
    assert all(dict(one.in_force) == dict(newest.setpoints) for one in inside)
    mean = np.nanmean([one.estimate.values["z_m"] - one.targets["z_m"] for one in inside]) * 1e6
    assert cell(held, 0, "drops") == f"{newest.first_drop} – {newest.last_drop}"
    assert float(cell(held, 0, "z µm").split("(")[0].replace("−", "-")) == pytest.approx(
        mean, abs=0.51
    )
    assert cell(held, 0, "result") in ("✓ good", "▲ off")
    assert cell(held, 0, "to go there from now") == "there already"
    assert "→" in cell(held, panel.model.rowCount() - 1, "to go there from now")
    rows = [panel.model.row(row) for row in range(panel.model.rowCount())]
    assert [one.first_drop for one in rows] == sorted(
        (one.first_drop for one in rows), reverse=True
    )


def test_a_yes_brings_the_setpoints_of_the_start_back(held: StationBench, qtbot: QtBot) -> None:
    panel = held.window.panels.of(SettingsPanel)
    goal, drop = first_setpoints(held.snapshot.history)
    assert drop == held.snapshot.history["drop_id"][0]
    panel.start.click()
    assert f"the setpoints of the start, drop {drop}" in panel.question.text()
    before = {one.name: one.setpoint for one in held.snapshot.actuators}
    let_qt_work(200)
    assert before == {one.name: one.setpoint for one in held.snapshot.actuators}, (
        "nothing moves before the yes"
    )
    panel.question.yes.click()
    qtbot.waitUntil(lambda: "the setpoints of the start" in held.snapshot.note, timeout=PATIENCE_MS)
    for state in held.snapshot.actuators:
        assert state.readback == pytest.approx(goal[state.name], abs=state.readback_tolerance)


def test_a_selected_row_is_returned_to_and_stays_selected(held: StationBench, qtbot: QtBot) -> None:
    panel = held.window.panels.of(SettingsPanel)
    row = next(
        row
        for row in range(1, panel.model.rowCount())
        if "→" in cell(held, row, "to go there from now")
    )
    panel.table.selectRow(row)
    chosen = panel.model.row(row)
    drop = held.snapshot.records[-1].drop_id
    qtbot.waitUntil(lambda: held.snapshot.records[-1].drop_id > drop, timeout=PATIENCE_MS)
    held.drawn()
    assert panel._selected().first_drop == chosen.first_drop
    panel.back.click()
    assert f"{chosen.last_drop}, in steps that the controllers allow?" in panel.question.text()
    panel.question.yes.click()
    qtbot.waitUntil(lambda: f"{chosen.last_drop}" in held.snapshot.note, timeout=PATIENCE_MS)
    for state in held.snapshot.actuators:
        assert state.readback == pytest.approx(
            chosen.setpoints[state.name], abs=state.readback_tolerance
        )


def test_nothing_is_offered_while_the_loop_is_closed(bench: StationBench) -> None:
    bench.window.menu_actions.show_settings()
    bench.drawn()
    bench.window.panels.of(SettingsPanel).ask_selected()
    assert bench.window.panels.of(SettingsPanel).question.isVisible()
    assert not bench.window.panels.of(SettingsPanel).question.yes.isEnabled()
    bench.window.panels.of(SettingsPanel).question.hide()


def test_settings_are_found_from_the_menu(bench: StationBench, qtbot: QtBot) -> None:
    bench.window.docks["Ledger"].raise_()
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(bench.window, Qt.Key.Key_R, both)
    qtbot.waitUntil(
        lambda: not bench.window.panels.of(SettingsPanel).table.visibleRegion().isEmpty(),
        timeout=PATIENCE_MS,
    )


def test_a_replay_is_read_only_and_says_why(
    bench: StationBench, tmp_path: Path, qtbot: QtBot
) -> None:
    session = Path(bench.snapshot.session)
    with WindowBench(replay_engine(session, float("inf")), kept_in(tmp_path)) as replay:
        replay.engine.start()
        qtbot.waitUntil(lambda: len(replay.snapshot.records) >= 5, timeout=PATIENCE_MS)
        replay.window.menu_actions.show_settings()
        let_qt_work(50)
        replay.drawn()
        panel = replay.window.panels.of(SettingsPanel)
        assert panel.model.rowCount() > 0
        assert "read only: " in said(panel)
        assert not any(one.isEnabled() for one in (panel.back, panel.start, panel.good))
