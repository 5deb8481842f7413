"""Nothing is concluded from a sentence: with every word changed, a recording tells the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from magis_calib.actuators.timeline import Timeline
from magis_calib.config.loading import load_config, select_station
from magis_calib.config.station import Station
from magis_calib.domain.control import NOT_SENT, NOT_WANTED, Decision, Hold
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.serial import record_from_json, to_json
from magis_calib.feedback.evaluation import DropContext
from magis_calib.feedback.gates import STALE_AFTER_S
from magis_calib.feedback.loop import Loop
from magis_calib.feedback.setpoint_history import controlled, settings_of
from magis_calib.replay.changes import Changes, ObservableChange
from magis_calib.replay.recorded_decisions import unwanted_of, waited_s
from magis_calib.replay.what_if import what_if
from magis_calib.run.alarms import decision_troubles
from simulators.instrument.numbers import load_plant_numbers
from simulators.plant import Plant
from tests.feedback.station import FIT_SIGMA, allowed, estimated

WISHES = {
    "open": "the loop is open: the operator moves setpoints by hand",
    "held": "the operator holds the loop",
    "shadow": "shadow: decided and logged, nothing is sent",
    "procedure": "a procedure moves the setpoints",
    "poke": "poke failed: trap x moves the wrong way",
    "fault": "fault: working: nobody foresaw this",
}
"""As they are said, and as old recordings have them."""
DROPS = 90


def around(drop: int) -> dict[str, Any]:
    """What is wrong about each drop: a bit of everything."""
    wished = list(WISHES.items())
    if 30 <= drop < 30 + 2 * len(wished):
        return {"unwanted": Hold(*wished[(drop - 30) // 2])}
    return {
        50: {"waited_s": 2 * STALE_AFTER_S},
        52: {"trouble": "laser: silent for 3 s"},
        54: {"astray": "trap x reads 12 µm off"},
    }.get(drop, {})


@pytest.fixture(scope="module", params=["short", "long"])
def records(request: pytest.FixtureRequest, station_of_module: Station) -> list[DropRecord]:
    """A run of the loop on the simulated plant, as its ledger tells it; long: a random phase."""
    station = station_of_module
    plant, rng = Plant(load_plant_numbers(), request.param, 3), np.random.default_rng(3)
    loop, timeline, facts = Loop(station), Timeline(plant.nominal), allowed(station)
    told = []
    for drop in range(1, DROPS + 1):
        in_force = timeline.in_force(drop)
        true = plant.drop(drop, in_force).observables
        noise = FIT_SIGMA * rng.standard_normal(6)
        seen = {name: value + noise[row] for row, (name, value) in enumerate(true.items())}
        estimate = estimated(drop, seen)
        at = DropContext(in_force, timeline.newest(), facts, **around(drop))
        judged = loop.judge(estimate, "interferometer", at)
        decision = judged.held(drop, drop)
        if judged.hold is None and judged.proposal is not None:
            decision = sent(decision, drop)
            if decision.outcome == "applied":
                timeline.change(drop + 1, judged.proposal.limited)
        record = DropRecord(drop, drop, "interferometer", True, estimate, decision, in_force, {})
        told.append(loop.stamped(record))
    return told


def sent(decision: Decision, drop: int) -> Decision:
    """Return what became of a proposal: it arrives, but for two drops."""
    if drop == 60:
        return replace(decision, reason="laser: silent; nothing was sent", code="absent")
    if drop == 62:
        return replace(decision, outcome="refused", reason="laser refused: busy", code="refused")
    limited = decision.proposal.limited
    return replace(
        decision, outcome="applied", sent=limited, readback=limited, effective_drop=drop + 1
    )


@pytest.fixture(scope="module")
def station_of_module() -> Station:
    return select_station(load_config(None), None)[1]


def reworded(record: DropRecord) -> DropRecord:
    """Return the record with every sentence in another language."""
    decision = record.decision
    verdicts = tuple(replace(one, words=f"Satz {n}") for n, one in enumerate(decision.verdicts))
    others = dict.fromkeys(decision.not_used, "anders")
    return replace(
        record, decision=replace(decision, reason="Grund", verdicts=verdicts, not_used=others)
    )


def predicted(station: Station, records: list[DropRecord]) -> list[object]:
    changes = Changes(observables={"x_m": ObservableChange(gain=0.3)})
    return [
        (one.in_force, one.estimate.values, bool(one.hold))
        for one in what_if(station, station, changes, records)
    ]


def test_the_run_has_a_bit_of_everything(records: list[DropRecord]) -> None:
    codes = {one.decision.code for one in records}
    assert codes >= {*WISHES, "", "fresh", "controllers", "whereabouts", "absent", "refused"}


def test_with_other_words_a_recording_tells_the_same(
    station_of_module: Station, records: list[DropRecord]
) -> None:
    others = [reworded(one) for one in records]
    assert all("Grund" in to_json(one) for one in others)
    assert [controlled(one) for one in others] == [controlled(one) for one in records]
    assert [waited_s(one) for one in others] == [waited_s(one) for one in records]
    loop = station_of_module.loop.observables
    wide = {name: one.tolerance for name, one in loop.items()}
    good = [[one.good for one in settings_of(them, {}, wide)] for them in (others, records)]
    assert good[0] == good[1]
    assert predicted(station_of_module, others) == predicted(station_of_module, records)
    for drop in range(1, DROPS):
        before, now = (decision_troubles(one[:drop], True, 0) for one in (records, others))
        assert before.keys() == now.keys()
    told = [unwanted_of(one.decision) for one in others]
    assert {one.code for one in told if one is not None} == set(WISHES)


def test_codes_are_recorded(records: list[DropRecord]) -> None:
    for one in records:
        again = record_from_json(to_json(one)).decision
        assert (again.code, again.phase_random) == (one.decision.code, one.decision.phase_random)
        assert again.verdicts == one.decision.verdicts


def test_a_recording_of_before_is_read_by_its_words(
    station_of_module: Station, records: list[DropRecord]
) -> None:
    old = [record_from_json(without_codes(to_json(one))) for one in records]
    known = [one.decision.code for one in records if one.decision.code != "refused"]
    assert [one.decision.code for one in old if one.decision.outcome != "refused"] == known
    assert [waited_s(one) for one in old] == [waited_s(one) for one in records]
    assert [controlled(one) for one in old] == [controlled(one) for one in records]
    assert predicted(station_of_module, old) == predicted(station_of_module, records)


def without_codes(text: str) -> str:
    """Return a record as it was written before there were codes."""
    table = json.loads(text)
    for name in ("code", "phase_random"):
        del table["decision"][name]
    for one in table["decision"]["verdicts"]:
        del one["code"]
    return json.dumps(table)


def test_every_code_from_outside_the_loop_is_told_in_the_document() -> None:
    assert set(WISHES) | {"silent", "recording"} == NOT_WANTED
    text = (Path(__file__).parents[2] / "docs" / "session-format.md").read_text(encoding="utf-8")
    assert all(f"`{code}`" in text for code in NOT_WANTED | NOT_SENT)
