"""What the keys of the menus Loop and Procedures do."""

from __future__ import annotations

from functools import partial

import pytest
from entries_of_view import in_sight
from keyboard import Keys, has_keyboard, press
from PySide6.QtCore import Qt
from window_bench import StationBench, said, wait_until

from magis_calib.procedures.catalogue import KNOWN
from magis_calib.state.commands import HoldLoop, OpenLoop, StartProcedure
from magis_calib.state.snapshot import LoopWord
from ui.panels.ledger.panel import LedgerPanel
from ui.panels.matrix.panel import MatrixPanel
from ui.panels.procedures.panel import ProceduresPanel
from ui.widgets.confirm import ConfirmBar


def becomes(word: LoopWord, keys: Keys) -> None:
    bench = keys.bench
    bench.engine.submit(OpenLoop() if word == "held" else HoldLoop())
    wait_until(lambda: bench.snapshot.loop not in (word, "closed"), "another state")
    keys()
    wait_until(lambda: bench.snapshot.loop == word, word)
    bench.drawn()
    assert f"LOOP {word.upper()}" in said(bench.window.panels.state_line)


def readbacks(bench: StationBench) -> dict[str, float]:
    return {one.name: one.readback for one in bench.snapshot.actuators}


def answered(question: ConfirmBar, key: Qt.Key) -> None:
    """Answer with Escape, or yes with Tab and Space, and see the keyboard go on."""
    assert question.isVisible()
    assert question.no.hasFocus(), "a Return or Space by habit must not move anything"
    if key == Qt.Key.Key_Space:
        press(Qt.Key.Key_Backtab)
        assert question.yes.hasFocus()
    press(key)
    assert not question.isVisible()


def returns(keys: Keys) -> None:
    bench, ledger = keys.bench, keys.bench.window.panels.of(LedgerPanel)
    bench.engine.submit(HoldLoop())
    wait_until(lambda: bench.snapshot.loop == "held", "the hold")
    bench.window.bring_up("Ledger")
    bench.drawn()
    ledger.table.selectRow(ledger.model.rowCount() - 3)
    goal, before = ledger._selected(), readbacks(bench)
    assert goal.in_force != before
    keys()
    assert f"return to the setpoints of drop {goal.drop_id}" in ledger.question.text()
    answered(ledger.question, Qt.Key.Key_Escape)
    assert readbacks(bench) == before
    keys()
    answered(ledger.question, Qt.Key.Key_Space)
    wait_until(lambda: "went to the setpoints" in bench.snapshot.note, "the way back")
    for state in bench.snapshot.actuators:
        assert state.readback == pytest.approx(
            goal.in_force[state.name], abs=state.readback_tolerance
        )


def brings_up(dock: str, keys: Keys) -> None:
    bench = keys.bench
    keys()
    wait_until(lambda: has_keyboard(bench.window.docks[dock]), f"the keyboard in {dock}")
    assert in_sight(bench, dock)


def refuses_to_promote(keys: Keys) -> None:
    bench, question = keys.bench, keys.bench.window.panels.of(MatrixPanel).question
    assert bench.snapshot.measured is None
    keys()
    assert question.text().startswith("▲")
    assert not question.yes.isEnabled(), "nothing was measured here"
    answered(question, Qt.Key.Key_Escape)


def acknowledges(keys: Keys) -> None:
    bench = keys.bench
    bench.kill_station()
    wait_until(lambda: len(bench.snapshot.alarms) >= 3, "alarms")
    assert not any(one.acknowledged_by for one in bench.snapshot.alarms)
    keys()
    wait_until(lambda: any(one.acknowledged_by for one in bench.snapshot.alarms), "the answer")


def asks_to_start(name: str, keys: Keys) -> None:
    panel = keys.bench.window.panels.of(ProceduresPanel)
    keys()
    wait_until(lambda: has_keyboard(panel), "the keyboard in the question")
    assert f"start {name}" in panel.start_question.text().replace("_", " ").replace(
        name.replace("_", " "), name
    )
    answered(panel.start_question, Qt.Key.Key_Escape)
    keys.bench.drawn()
    assert keys.bench.snapshot.procedure is None or not keys.bench.snapshot.procedure.running


def cancels(keys: Keys) -> None:
    bench, question = keys.bench, keys.bench.window.panels.of(ProceduresPanel).cancel_question
    bench.engine.submit(StartProcedure("poke"))
    wait_until(lambda: bench.snapshot.loop == "procedure", "the poke")
    bench.drawn()
    keys()
    answered(question, Qt.Key.Key_Escape)
    assert bench.snapshot.loop == "procedure"
    keys()
    answered(question, Qt.Key.Key_Space)
    wait_until(lambda: not bench.snapshot.procedure.running, "the end of it")
    assert "cancelled: by the operator" in bench.snapshot.procedure.words


LOOP = {
    "Close: send corrections": partial(becomes, "closed"),
    "Shadow: decide and log, send nothing": partial(becomes, "shadow"),
    "Hold: send nothing": partial(becomes, "held"),
    "Open: move setpoints by hand": partial(becomes, "open"),
    "Return to the setpoints of the selected drop": returns,
    "Promote the measured matrix…": refuses_to_promote,
    "Settings of this run, and the way back": partial(brings_up, "Settings"),
    "Edit targets, gains and limits": partial(brings_up, "Targets"),
    "What if a recording had other targets or gains": partial(brings_up, "What if"),
}
PROCEDURES = {
    "Show the procedures": partial(brings_up, "Procedures"),
    **{f"Start {name.replace('_', ' ')}…": partial(asks_to_start, name) for name in KNOWN},
    "Cancel the procedure…": cancels,
}
