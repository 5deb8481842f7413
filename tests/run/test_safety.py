"""What the safety state says, what the watchdog does, and that nothing leaves after the operator
said no.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from magis_calib.domain.estimate import StationEstimate
from magis_calib.estimation.pair import Fitting
from magis_calib.state.commands import CloseLoop, HoldLoop, OpenLoop, ShadowLoop, StopRun
from magis_calib.state.safety import CHANGES, Safety
from tests.bench import until
from tests.pictures import Scene


def outcome(drop_id: int, word: str):
    return lambda s: (
        bool(s.records)
        and s.records[-1].drop_id == drop_id
        and s.records[-1].decision.outcome == word
    )


class Slow(Fitting):
    """Fits as always, once it is let go."""

    def __init__(self, station) -> None:
        super().__init__(station)
        self.go = threading.Event()
        self.go.set()
        self.begun = threading.Event()

    def estimate(self, *wanted) -> StationEstimate:
        self.begun.set()
        assert self.go.wait(30.0)
        return super().estimate(*wanted)


@pytest.fixture
def slow(bench) -> Slow:
    """In place of the estimator of a running application."""
    found = Slow(bench.station)
    bench.engine._pipeline._estimator = found
    return found


def trap_x(bench) -> float:
    return bench.controllers.banks["drop_system"].readback()["trap_x_m"]


def test_every_turn_of_the_switch_is_a_change_with_its_cause(bench) -> None:
    bench.drop(1)
    until(bench.engine, outcome(1, "applied"), "the first drop")
    turns = {"shadow": ShadowLoop(), "held": HoldLoop(), "idle": OpenLoop(), "closed": CloseLoop()}
    for state, command in turns.items():
        bench.engine.submit(command)
        until(bench.engine, lambda s, state=state: s.safety == state, state)
    bench.engine.submit(StopRun())
    assert bench.engine.wait(30.0)
    snapshot = bench.engine.snapshot
    assert snapshot.safety == "stopped"
    states = [one.state for one in snapshot.safety_changes]
    assert states[-6:] == ["closed", "shadow", "held", "idle", "closed", "stopped"]
    assert all(
        after.before == before.state
        for before, after in zip(snapshot.safety_changes, snapshot.safety_changes[1:], strict=False)
    )
    causes = {one.state: one.cause for one in snapshot.safety_changes}
    assert causes["held"] == "the operator holds the loop"
    assert causes["closed"] == "corrections are sent"
    final = json.loads((Path(snapshot.session) / "final.json").read_text())
    assert [one["state"] for one in final["safety_changes"]] == states[:-1]


def test_a_controller_that_is_gone_holds_the_closed_loop_and_says_why(bench) -> None:
    bench.drop(1)
    until(bench.engine, lambda s: s.safety == "closed", "closed")
    bench.controllers.mute.add("laser")
    snapshot = until(bench.engine, lambda s: s.safety == "held", "held")
    assert snapshot.loop == "closed"
    assert "laser" in snapshot.safety_cause
    bench.controllers.mute.clear()
    until(bench.engine, lambda s: not s.loop_detail, "the laser answers")
    bench.drop(2)
    until(bench.engine, lambda s: s.safety == "closed", "closed again by itself")


def test_a_silent_worker_holds_the_loop_and_what_it_was_about_to_send_is_not_sent(
    bench, slow
) -> None:
    bench.drop(1)
    until(bench.engine, outcome(1, "applied"), "the first drop")
    slow.go.clear()
    bench.drop(2, Scene(x=2e-4))
    snapshot = until(bench.engine, lambda s: s.safety == "fault", "the watchdog barks")
    assert "the worker is silent, busy with drop 2" in snapshot.safety_cause
    (alarm,) = [one for one in snapshot.alarms if one.key == "worker"]
    assert "support bundle" in alarm.remedy
    before = trap_x(bench)
    slow.go.set()
    record = until(bench.engine, outcome(2, "held"), "the late drop is held").records[-1]
    assert "silent" in record.decision.reason
    assert trap_x(bench) == before
    until(
        bench.engine,
        lambda s: s.safety == "closed" and not any(a.key == "worker" for a in s.alarms),
        "it speaks again",
    )
    bench.drop(3, Scene(x=2e-4))
    until(bench.engine, outcome(3, "applied"), "the next drop is corrected")


@pytest.mark.parametrize("command", [HoldLoop(), OpenLoop(), ShadowLoop()])
def test_nothing_is_sent_once_the_operator_said_no_although_the_worker_was_busy(
    bench, slow, command
) -> None:
    bench.drop(1)
    until(bench.engine, outcome(1, "applied"), "the first drop")
    before = trap_x(bench)
    slow.go.clear()
    slow.begun.clear()
    bench.drop(2, Scene(x=2e-4))
    assert slow.begun.wait(20.0)
    bench.engine.submit(command)
    slow.go.set()
    until(bench.engine, lambda s: s.records[-1].drop_id == 2, "the second drop")
    assert bench.engine.snapshot.records[-1].decision.outcome in ("held", "shadow")
    assert trap_x(bench) == before


def test_a_run_that_has_stopped_never_begins_again() -> None:
    safety = Safety()
    safety.become("stopped", "the end")
    with pytest.raises(
        ValueError, match="safety state after stopped: wanted one of \\[\\], got closed"
    ):
        safety.become("closed", "why not")
    assert all(state in CHANGES for states in CHANGES.values() for state in states)
