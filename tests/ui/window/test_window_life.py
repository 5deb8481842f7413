"""From opening the window to closing it: what stays on disk, what is remembered, what a dead
station looks like.
"""

from __future__ import annotations

import getpass
import logging
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, QSettings, Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QToolButton
from pytestqt.qtbot import QtBot
from window_bench import StationBench, WindowBench, kept_in, replay_engine, said, wait_until

from magis_calib.recording.reader import Session
from magis_calib.state.commands import SetSpeed
from ui.models.ledger_text import HEADS
from ui.panels.alarms.panel import AlarmsPanel
from ui.panels.ledger.panel import LedgerPanel
from ui.panels.loop.panel import LoopPanel

pytestmark = pytest.mark.station

PATIENCE_MS = 30_000
NOTE = "shutter stuck, κ looks odd"


@dataclass(frozen=True)
class ClosedRun:
    """What a run leaves behind whose window was closed by its operator."""

    session: Path
    settings: QSettings
    noted_drop: int


@pytest.fixture(scope="module")
def closed_run(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> ClosedRun:
    folder = tmp_path_factory.mktemp("closed")
    settings = kept_in(folder)
    with StationBench(folder, settings, close_confirm=True) as bench:
        wait_until(lambda: len(bench.snapshot.records) >= 8, "eight drops")
        session, window = Path(bench.drawn().session), bench.window
        noted_drop = write_note(bench, row=3)
        window.docks["Fringe"].hide()
        window.docks["Alarms"].setFloating(True)
        window.close()
        question = window.leave_question
        assert question.isVisible()
        assert not bench.snapshot.finished
        question.yes.click()
        del window, question
        wait_until(lambda: not bench.window.isVisible(), "the window to close")
        assert bench.engine.finished.is_set()
    return ClosedRun(session, settings, noted_drop)


def write_note(bench: StationBench, row: int) -> int:
    """Select a row of the ledger, write a note beside it as an operator does,
    and return its drop.
    """
    ledger = bench.window.panels.of(LedgerPanel)
    ledger.table.selectRow(row)
    bench.drawn()
    record = ledger.model.row(ledger.table.selectionModel().selectedRows()[0].row())
    assert record is not None
    (edit,) = ledger.findChildren(QLineEdit)
    edit.setText(NOTE)
    bench.drawn()
    assert f"note on drop {record.drop_id}" in said(ledger)
    edit.returnPressed.emit()
    wait_until(lambda: any(one.note == NOTE for one in bench.snapshot.records), "the note")
    bench.drawn()
    model, column = ledger.table.model(), list(HEADS).index("note")
    notes = {
        model.index(line, 0).data(): model.index(line, column).data()
        for line in range(model.rowCount())
    }
    assert notes[str(record.drop_id)] == NOTE
    assert sum(note == NOTE for note in notes.values()) == 1
    return record.drop_id


def test_closing_the_window_ends_the_run_and_writes_the_final_state(closed_run: ClosedRun) -> None:
    assert (closed_run.session / "final.json").is_file()
    with Session(closed_run.session) as session:
        assert len(session.records) >= 8
        assert set(session.frames) >= {
            (one.drop_id, view) for one in session.records if one.complete for view in "xy"
        }


def test_note_is_kept_in_the_session(closed_run: ClosedRun) -> None:
    with Session(closed_run.session) as session:
        assert {one.drop_id: one.note for one in session.records if one.note} == {
            closed_run.noted_drop: NOTE
        }


def test_next_window_is_laid_out_as_the_last_one_was_left_whatever_a_replay_did_meanwhile(
    closed_run: ClosedRun, tmp_path: Path
) -> None:
    with WindowBench(replay_engine(closed_run.session, 1.0), closed_run.settings) as bench:
        bench.engine.start()
        bench.window.docks["Trends"].hide()
    with StationBench(tmp_path, closed_run.settings) as bench:
        docks = bench.window.docks
        assert [name for name, dock in docks.items() if dock.isHidden()] == ["Fringe", "What if"]
        assert [name for name, dock in docks.items() if dock.isFloating()] == ["Alarms"]
        del docks


@pytest.mark.parametrize("broken", [QByteArray(b"not a layout"), "a text", 7])
def test_broken_layout_is_discarded(
    closed_run: ClosedRun, tmp_path: Path, broken: object, caplog: pytest.LogCaptureFixture
) -> None:
    settings = kept_in(tmp_path)
    settings.setValue("replay/geometry", broken)
    settings.setValue("replay/state", broken)
    caplog.set_level(logging.WARNING, "ui")
    with WindowBench(replay_engine(closed_run.session, 1.0), settings) as bench:
        bench.engine.start()
        assert "discarded" in caplog.text
        assert not settings.contains("replay/state")
        assert {name for name, dock in bench.window.docks.items() if dock.isHidden()} == {
            "Procedures",
            "Alarms",
        }
    assert isinstance(settings.value("replay/state"), QByteArray)


def test_replay_shows_the_drops_at_the_speed_asked_for_and_moves_nothing(
    closed_run: ClosedRun, tmp_path: Path, qtbot: QtBot
) -> None:
    engine = replay_engine(closed_run.session, 0.0)
    with WindowBench(engine, kept_in(tmp_path)) as bench:
        engine.start()
        qtbot.waitUntil(lambda: len(bench.snapshot.records) == 1, timeout=PATIENCE_MS)
        bench.drawn()
        header, loop = said(bench.window.panels.state_line), bench.window.panels.of(LoopPanel)
        assert f"REPLAY of {closed_run.session.name}" in header
        assert "▶ REPLAY" in header
        assert "REPLAY" in bench.window.windowTitle()
        moving = [
            one
            for one in loop.findChildren(QPushButton)
            if one.text() in ("Close", "Hold", "Open", "Apply")
        ]
        assert len(moving) == 4
        assert not any(one.isVisible() for one in moving)
        assert not any(one.isEnabled() for one in bench.window.menus.live_actions)
        rows = loop.actuators.rows
        assert rows
        assert all(one.edit.isReadOnly() for one in rows.values())
        set_speed(qtbot, bench, "10×")
        qtbot.waitUntil(lambda: len(bench.snapshot.records) >= 2, timeout=PATIENCE_MS)
        assert "10 times real time" in bench.snapshot.note
        set_speed(qtbot, bench, "max")
        qtbot.waitUntil(lambda: bench.snapshot.finished, timeout=PATIENCE_MS)
        snapshot = bench.drawn()
        with Session(closed_run.session) as session:
            recorded = [one.drop_id for one in session.records if one.complete]
        assert [one.drop_id for one in snapshot.records if one.complete] == recorded
        assert bench.window.isVisible()
        assert "recording ended" in said(bench.window.panels.state_line)
        engine.submit(SetSpeed(1.0))  # too late, and harmless


def set_speed(qtbot: QtBot, bench: WindowBench, text: str) -> None:
    (button,) = [
        one
        for one in bench.window.panels.of(LoopPanel).findChildren(QToolButton)
        if one.text() == text
    ]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def acknowledge_one_then_all(qtbot: QtBot, bench: StationBench) -> None:
    """Say that one knows: of the laser alone by the keyboard,
    then of everything by its shortcut.
    """
    panel = bench.window.panels.of(AlarmsPanel)
    row = next(
        at
        for at in range(panel.table.rowCount())
        if panel.table.item(at, 2).text().startswith("laser")
    )
    panel.table.selectRow(row)
    assert panel.button.focusPolicy() & Qt.FocusPolicy.TabFocus
    panel.button.setFocus()
    qtbot.keyClick(panel.button, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: "acknowledged by" in bench.snapshot.note, timeout=PATIENCE_MS)
    bench.drawn()
    known = {
        panel.table.item(at, 2).text().split(":")[0]: panel.table.item(at, 4).text()
        for at in range(panel.table.rowCount())
    }
    assert known.pop("laser").startswith(getpass.getuser())
    assert set(known.values()) == {"–"}
    assert panel.table.selectionModel().selectedRows()[0].row() == row
    qtbot.keyClick(bench.window, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(
        lambda: all(one.acknowledged_by for one in bench.snapshot.alarms), timeout=PATIENCE_MS
    )
    bench.drawn()
    assert not panel.button.isEnabled()


def test_dead_station_is_named_and_alarmed_and_the_run_can_still_be_stopped(
    tmp_path: Path, qtbot: QtBot
) -> None:
    with StationBench(tmp_path, kept_in(tmp_path), silent_after_s=2.5) as bench:
        qtbot.waitUntil(lambda: len(bench.snapshot.records) >= 3, timeout=PATIENCE_MS)
        bench.drawn()
        assert "✖" not in said(bench.window.panels.state_line)
        bench.kill_station()
        links = {"camera x", "camera y", "laser", "drop system"}
        qtbot.waitUntil(
            lambda: not any(one.connected for one in bench.snapshot.links), timeout=PATIENCE_MS
        )
        qtbot.waitUntil(lambda: len(bench.snapshot.alarms) >= len(links), timeout=PATIENCE_MS)
        bench.drawn()
        header = said(bench.window.panels.state_line)
        assert links <= set(header.split(" | "))
        assert header.count("✖") >= len(links)
        assert "alarms" in header
        bench.window.panels.state_line.alarms_wanted.emit()
        bench.drawn()
        table = bench.window.panels.of(AlarmsPanel).table
        shown = " | ".join(table.item(row, 2).text() for row in range(table.rowCount())).replace(
            "_", " "
        )
        assert all(f"{link}:" in shown for link in links)
        assert "✖ act" in {table.item(row, 0).text() for row in range(table.rowCount())}
        acknowledge_one_then_all(qtbot, bench)
        (stop,) = [
            one
            for one in bench.window.panels.of(LoopPanel).findChildren(QPushButton)
            if one.text() == "Stop"
        ]
        qtbot.mouseClick(stop, Qt.MouseButton.LeftButton)
        qtbot.mouseClick(stop, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: bench.snapshot.finished, timeout=PATIENCE_MS)
        session = Path(bench.drawn().session)
        assert "run ended" in said(bench.window.statusBar())
        assert bench.window.isVisible()
        assert (session / "final.json").is_file()


def test_what_was_wrong_before_is_listed_on_request(tmp_path: Path, qtbot: QtBot) -> None:
    faults = tmp_path / "faults.toml"
    faults.write_text(
        '[[fault]]\nkind = "refuses"\ncontroller = "laser"\nfrom_drop = 4\nuntil_drop = 6\n'
    )
    with StationBench(tmp_path, kept_in(tmp_path), faults=faults) as bench:
        qtbot.waitUntil(
            lambda: any(one.key == "correction" for one in bench.snapshot.past_alarms),
            timeout=PATIENCE_MS,
        )
        bench.window.docks["Alarms"].raise_()
        bench.drawn()
        panel = bench.window.panels.of(AlarmsPanel)
        assert "over" not in [
            panel.table.item(row, 0).text() for row in range(panel.table.rowCount())
        ]
        panel.history.setChecked(True)
        snapshot = bench.drawn()
        rows = [
            [panel.table.item(row, column).text() for column in range(4)]
            for row in range(panel.table.rowCount())
        ]
        (refused,) = [row for row in rows if "refused" in row[2]]
        (over,) = [one for one in snapshot.past_alarms if one.key == "correction"]
        assert refused[0] == "✓ over"
        assert refused[2] == over.text
        assert refused[3].startswith("over at ")
