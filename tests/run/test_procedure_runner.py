"""A procedure under way: what it moves, which drops it is given, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from magis_calib.app.headless import news
from magis_calib.procedures.catalogue import KNOWN, ProcedureSpec
from magis_calib.procedures.poke import DROPS, HARMLESS_DROPS
from magis_calib.procedures.protocol import Procedure, ProcedureResult, Request, StartingPoint
from magis_calib.products.store import Product, read_product
from magis_calib.run.procedure_runner import PATIENCE_DROPS
from magis_calib.state.commands import (
    CancelProcedure,
    CloseLoop,
    HoldLoop,
    OpenLoop,
    ReturnTo,
    SetActuator,
    StartProcedure,
    StopRun,
)
from magis_calib.state.snapshot import HOLD_WORDS, Snapshot
from tests.bench import until
from tests.pictures import Scene, pair
from tests.run.conftest import Bench

pytestmark = pytest.mark.station

OUT_M = 20e-6


def there_and_back(place: StartingPoint, out: float = OUT_M) -> Procedure:
    """Go out and take two drops, go to the other side and take one."""
    base = place.base["trap_x_m"]
    first = yield Request({"trap_x_m": base + out}, "out", drops=2)
    second = yield Request({"trap_x_m": base - out}, "to the other side")
    seen = [record.drop_id for record in (*first, *second)]
    return ProcedureResult(True, f"saw drops {seen}", {"seen": seen})


def stumbling(place: StartingPoint) -> Procedure:
    yield Request({"trap_x_m": place.base["trap_x_m"] + OUT_M}, "out")
    raise ZeroDivisionError("by nothing")


@pytest.fixture(autouse=True)
def procedures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        KNOWN,
        "there_and_back",
        ProcedureSpec(
            "there_and_back", "go out and to the other side", there_and_back, lambda _: 3
        ),
    )
    monkeypatch.setitem(
        KNOWN, "stumbling", ProcedureSpec("stumbling", "go out and fall", stumbling, lambda _: 1)
    )


@pytest.fixture
def opened(bench: Bench) -> Iterator[Bench]:
    answered(bench, OpenLoop(), "loop open")
    return bench


def answered(bench: Bench, command: Any, words: str) -> Snapshot:
    bench.engine.submit(command)
    return until(bench.engine, lambda s: words in s.note, words)


def trap_x(bench: Bench) -> float:
    return bench.controllers.banks["drop_system"].readback()["trap_x_m"]


def readbacks(bench: Bench) -> dict[str, float]:
    return {
        name: value
        for bank in bench.controllers.banks.values()
        for name, value in bank.readback().items()
    }


def taken(bench: Bench, drop_id: int, scene: Scene | None = None, **changes: object) -> Snapshot:
    """Send one drop and wait until it has its outcome."""
    bench.drop(drop_id, scene, **changes)
    return until(
        bench.engine,
        lambda s: s.latest is not None and s.latest.drop_id == drop_id,
        f"drop {drop_id}",
    )


def ended(bench: Bench) -> Snapshot:
    return until(
        bench.engine,
        lambda s: s.procedure is not None and not s.procedure.running,
        "the procedure's end",
    )


def product_of(snapshot: Snapshot) -> Product:
    return read_product(Path(snapshot.procedure.product))


# ---- what it is given


def test_it_moves_the_controllers_to_what_it_asks_for_and_leaves_a_product(opened: Bench) -> None:
    before = readbacks(opened)
    snapshot = answered(opened, StartProcedure("there_and_back"), "there_and_back began")
    assert trap_x(opened) == pytest.approx(OUT_M)
    assert (snapshot.procedure.words, snapshot.procedure.done, snapshot.procedure.planned) == (
        "out",
        0,
        3,
    )
    taken(opened, 1)
    assert trap_x(opened) == pytest.approx(OUT_M)
    snapshot = taken(opened, 2)
    assert trap_x(opened) == pytest.approx(-OUT_M)
    assert (snapshot.procedure.words, snapshot.procedure.done) == ("to the other side", 2)
    assert snapshot.procedure.left_s > 0
    taken(opened, 3)
    snapshot = ended(opened)
    assert readbacks(opened) == before
    assert (snapshot.procedure.good, snapshot.procedure.words) == (True, "saw drops [1, 2, 3]")
    assert "there_and_back ended after 3 drops: saw drops [1, 2, 3]" in list(news(None, snapshot))
    product = product_of(snapshot)
    assert (product.kind, product.station, product.drops) == ("there_and_back", "bottom", (1, 3))
    assert product.session == Path(snapshot.session).name
    assert product.numbers == {"seen": [1, 2, 3]}
    assert product.operating_point == pytest.approx(before)
    assert product.valid
    assert [one.in_force["trap_x_m"] for one in snapshot.records] == pytest.approx(
        [OUT_M, OUT_M, -OUT_M]
    )


def test_a_drop_before_the_setpoints_are_in_force_is_not_given_to_it(opened: Bench) -> None:
    opened.controllers.next_drop = 3
    answered(opened, StartProcedure("there_and_back"), "there_and_back began")
    for drop_id in (1, 2):
        assert taken(opened, drop_id).procedure.done == 0
    assert taken(opened, 3).procedure.done == 1


def test_a_drop_that_is_unusable_incomplete_or_of_another_sequence_is_not_given_to_it(
    opened: Bench,
) -> None:
    answered(opened, StartProcedure("there_and_back"), "there_and_back began")
    assert taken(opened, 1).procedure.done == 1
    snapshot = taken(opened, 2, Scene(atoms=10.0))
    assert not snapshot.latest.estimate.usable
    assert snapshot.procedure.done == 1
    assert taken(opened, 3, sequence_type="no_atoms").procedure.done == 1
    counts = pair(np.random.default_rng(4), Scene(), 4).frames["x"].counts
    opened.drivers["x"].frame(counts, 4)
    snapshot = until(opened.engine, lambda s: s.latest.drop_id == 4, "the incomplete drop")
    assert not snapshot.latest.complete
    assert snapshot.procedure.done == 1
    assert taken(opened, 5).procedure.done == 2


# ---- how it ends


def test_a_cancelled_one_brings_the_setpoints_back(opened: Bench) -> None:
    before = readbacks(opened)
    answered(opened, CancelProcedure(), "no procedure runs")
    answered(opened, StartProcedure("there_and_back"), "there_and_back began")
    taken(opened, 1)
    snapshot = answered(opened, CancelProcedure(), "cancelled: by the operator")
    assert readbacks(opened) == before
    assert not snapshot.procedure.good
    assert not product_of(snapshot).valid
    assert snapshot.loop == "open"


def test_a_run_that_stops_ends_it_and_brings_the_setpoints_back(opened: Bench) -> None:
    before = readbacks(opened)
    answered(opened, StartProcedure("there_and_back"), "there_and_back began")
    opened.engine.submit(StopRun())
    assert opened.engine.wait(30)
    assert readbacks(opened) == before
    assert "cancelled: the run stops" in opened.engine.snapshot.procedure.words


def test_one_that_cannot_go_where_it_wants_ends_with_the_reason(opened: Bench) -> None:
    before = readbacks(opened)
    words = "trap_x_m = 1: outside its range"
    snapshot = answered(opened, StartProcedure("there_and_back", {"out": 1.0}), words)
    assert not snapshot.procedure.running
    assert not snapshot.procedure.good
    assert readbacks(opened) == before


def test_one_that_a_controller_refuses_on_the_way_ends_and_goes_back(opened: Bench) -> None:
    before = readbacks(opened)
    answered(opened, StartProcedure("there_and_back"), "there_and_back began")
    bank = opened.controllers.banks["drop_system"]
    judge, refused = bank.refusal, []

    def refuse_the_other_side(setpoints):
        if setpoints.get("trap_x_m", 0.0) < 0:
            refused.append(setpoints)
            return judge({"trap_x_m": 1e9})
        return judge(setpoints)

    bank.refusal = refuse_the_other_side
    taken(opened, 1)
    taken(opened, 2)
    snapshot = ended(opened)
    assert refused
    assert "did not go to to the other side" in snapshot.procedure.words
    assert "NOT restored" not in snapshot.procedure.words
    assert readbacks(opened) == pytest.approx(before)


def test_setpoints_that_could_not_be_restored_are_told(opened: Bench) -> None:
    answered(opened, StartProcedure("there_and_back"), "there_and_back began")
    opened.controllers.mute.update(("laser", "drop_system"))
    snapshot = answered(opened, CancelProcedure(), "setpoints NOT restored")
    assert trap_x(opened) == pytest.approx(OUT_M)
    assert not snapshot.procedure.good
    opened.controllers.mute.clear()


def test_twenty_useless_drops_in_a_row_are_enough(opened: Bench) -> None:
    before = readbacks(opened)
    answered(opened, StartProcedure("there_and_back"), "there_and_back began")
    taken(opened, 1)
    for drop_id in range(2, PATIENCE_DROPS + 1):
        assert taken(opened, drop_id, sequence_type="no_atoms").procedure.running
    opened.drop(PATIENCE_DROPS + 1, sequence_type="no_atoms")
    snapshot = ended(opened)
    assert f"gave up: {PATIENCE_DROPS} drops in a row of no use" in snapshot.procedure.words
    assert readbacks(opened) == before


def test_one_that_stumbles_is_no_fault_of_the_run_and_goes_back(opened: Bench) -> None:
    before = readbacks(opened)
    answered(opened, StartProcedure("stumbling"), "stumbling began")
    taken(opened, 1)
    snapshot = ended(opened)
    assert "broke off: ZeroDivisionError('by nothing')" in snapshot.procedure.words
    assert readbacks(opened) == before
    assert snapshot.loop == "open"
    assert snapshot.counters.complete == 1


def test_a_product_that_cannot_be_written_is_told_and_the_drop_counts_once(opened: Bench) -> None:
    (opened.sessions.parent / "products").write_text("in the way")
    answered(opened, StartProcedure("there_and_back"), "there_and_back began")
    for drop_id in (1, 2, 3):
        taken(opened, drop_id)
    snapshot = ended(opened)
    assert "saw drops [1, 2, 3]; its product is NOT written" in snapshot.procedure.words
    assert not snapshot.procedure.good
    assert snapshot.counters.complete == 3
    assert snapshot.loop == "open"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (StartProcedure("dance"), "not begun: procedure 'dance': wanted one of"),
        (StartProcedure("poke", {"speed": 2}), "not begun: procedure poke: "),
        (
            StartProcedure("response", {"actuators": ["trap_q_m"]}),
            "actuators: wanted some of ['trap_x_m'",
        ),
        (
            StartProcedure("response", {"drops": 8}),
            "drops: wanted at least 9 for 6 actuators, got 8",
        ),
    ],
)
def test_what_cannot_be_begun_is_refused_in_words_and_moves_nothing(
    opened: Bench, command, words: str
) -> None:
    before = readbacks(opened)
    snapshot = answered(opened, command, words)
    assert snapshot.procedure is None or not snapshot.procedure.running
    assert readbacks(opened) == before


# ---- and the loop


def test_a_closed_loop_waits_without_an_alarm_and_goes_on_afterwards(bench: Bench) -> None:
    answered(bench, StartProcedure("there_and_back"), "there_and_back began")
    for drop_id in (1, 2):
        snapshot = taken(bench, drop_id, Scene(x=2e-4))
        assert snapshot.loop == "procedure"
        assert snapshot.latest.decision.outcome == "held"
        assert snapshot.latest.decision.reason == HOLD_WORDS["procedure"]
        assert snapshot.alarms == ()
    taken(bench, 3, Scene(x=2e-4))
    assert ended(bench).loop == "closed"
    assert trap_x(bench) == 0.0
    snapshot = taken(bench, 4, Scene(x=2e-4))
    assert snapshot.latest.decision.outcome == "applied"
    assert trap_x(bench) < -10e-6
    assert snapshot.alarms == ()


def test_nothing_else_moves_or_turns_while_it_runs(opened: Bench) -> None:
    answered(opened, StartProcedure("there_and_back"), "there_and_back began")
    busy, at = "there_and_back is running, cancel it first", readbacks(opened)
    for command, words in (
        (CloseLoop(), f"not turned: {busy}"),
        (HoldLoop(), f"not turned: {busy}"),
        (StartProcedure("poke"), f"not begun: {busy}"),
        (SetActuator("trap_x_m", 1e-6), f"not sent: {busy}"),
        (ReturnTo({"trap_x_m": 1e-6}, "there"), f"not moved: {busy}"),
    ):
        snapshot = answered(opened, command, words)
        assert snapshot.loop == "procedure"
    assert readbacks(opened) == at


def failed_poke(bench: Bench) -> int:
    """Poke a station whose pictures never change; return the newest drop."""
    answered(bench, StartProcedure("poke"), "poke began")
    for drop_id in range(1, DROPS + HARMLESS_DROPS + 1):
        taken(bench, drop_id)
    snapshot = ended(bench)
    assert snapshot.procedure.words.startswith("poke failed: trap x does not move")
    return drop_id


def test_after_a_failed_poke_the_loop_cannot_be_closed_and_the_session_says_so(
    opened: Bench,
) -> None:
    before = readbacks(opened)
    failed_poke(opened)
    assert readbacks(opened) == pytest.approx(before)
    assert (
        answered(opened, CloseLoop(), "not closed: poke failed: trap x does not move").loop
        == "open"
    )
    answered(opened, StartProcedure("poke"), "poke began")
    answered(opened, CancelProcedure(), "cancelled: by the operator")
    answered(opened, CloseLoop(), "not closed: poke failed")
    opened.engine.submit(StopRun())
    assert opened.engine.wait(30)
    final = json.loads((Path(opened.engine.snapshot.session) / "final.json").read_text())
    assert final["poke"].startswith("poke failed: trap x does not move")


def test_a_loop_that_was_closed_sends_nothing_after_a_failed_poke_and_that_is_an_alarm(
    bench: Bench,
) -> None:
    last, before = failed_poke(bench), readbacks(bench)
    for drop_id in range(last + 1, last + 4):
        snapshot = taken(bench, drop_id, Scene(x=2e-4))
        assert snapshot.latest.decision.outcome == "held"
    assert snapshot.latest.decision.reason.startswith("poke failed")
    assert [alarm.key for alarm in snapshot.alarms] == ["loop"]
    assert readbacks(bench) == before


def test_a_run_without_a_poke_says_so(opened: Bench) -> None:
    taken(opened, 1)
    opened.engine.submit(StopRun())
    assert opened.engine.wait(30)
    final = json.loads((Path(opened.engine.snapshot.session) / "final.json").read_text())
    assert final["poke"] == "not poked"
