"""The loop against a plant written down here by hand, one number at a time."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from magis_calib.actuators.timeline import Timeline
from magis_calib.domain.control import ParameterFacts
from magis_calib.domain.estimate import StationEstimate
from magis_calib.domain.quantities import DIAGNOSTICS, OBSERVABLES, wrap_phase
from magis_calib.feedback.evaluation import DropContext
from magis_calib.feedback.gates import PhaseGate
from magis_calib.feedback.loop import Loop
from simulators.instrument.numbers import load_plant_numbers
from simulators.plant import Plant
from tests.feedback.station import allowed, estimated

NOMINAL = {
    "trap_x_m": 0.0,
    "trap_y_m": 0.0,
    "launch_frequency_hz": 0.0,
    "mirror_tilt_x_rad": 388.27e-6,
    "timing_asymmetry_s": 0.0,
    "final_pulse_phase_rad": 0.0,
}


def plant(setpoints: dict[str, float], offset: dict[str, float]) -> dict[str, float]:
    """The bottom station in the units a physicist uses: µm, µrad, kHz, µs."""
    x_um, y_um = setpoints["trap_x_m"] * 1e6, setpoints["trap_y_m"] * 1e6
    tilt_urad, dt_us = (
        setpoints["mirror_tilt_x_rad"] * 1e6 - 388.27,
        setpoints["timing_asymmetry_s"] * 1e6,
    )
    found = {
        "x_m": x_um * 1e-6,
        "y_m": y_um * 1e-6,
        "z_m": 651.2e-6 * setpoints["launch_frequency_hz"] / 1e3,
        "fringe_x_rad_per_m": 6283.0 + 0.0164 * y_um + 16.18 * tilt_urad,
        "fringe_z_rad_per_m": 7.30 * dt_us,
        "phase_rad": 1.0
        + 0.0007 * x_um
        + 0.036 * tilt_urad
        + 0.00126 * dt_us
        + setpoints["final_pulse_phase_rad"],
    }
    found = {name: value + offset.get(name, 0.0) for name, value in found.items()}
    return {**found, "phase_rad": wrap_phase(found["phase_rad"])}


def estimate(
    drop_id: int, values: dict[str, float], missing: tuple[str, ...] = ()
) -> StationEstimate:
    known = {name: math.nan if name in missing else value for name, value in values.items()}
    every = {**dict.fromkeys([*OBSERVABLES, *DIAGNOSTICS], math.nan), **known}
    error = {name: 1e-6 if math.isfinite(value) else math.nan for name, value in every.items()}
    return StationEstimate(
        drop_id, every, error, np.eye(6) * 1e-12, True, ("a reason",) if missing else ()
    )


@pytest.fixture
def facts(station) -> dict[str, ParameterFacts]:
    return {
        name: ParameterFacts(name, "", one.minimum, one.maximum, one.step_cap, 1, 0.0, 0.0, 0.0)
        for name, one in station.loop.actuators.items()
    }


def run(station, facts, offset, drops=40, missing=(), delay=0):
    """Close the loop on the plant for some drops; return observables and setpoints of each."""
    loop, timeline, history = Loop(station), Timeline(NOMINAL), []
    for drop in range(1, drops + 1):
        in_force = timeline.in_force(drop)
        values = plant(in_force, offset)
        judged = loop.judge(
            estimate(drop, values, missing),
            "interferometer",
            DropContext(in_force, timeline.newest(), facts),
        )
        history.append((values, in_force, judged))
        if judged.proposal is not None and not judged.hold:
            timeline.change(drop + 1 + delay, judged.proposal.limited)
    return history


OFFSET = {
    "x_m": 250e-6,
    "y_m": -250e-6,
    "z_m": 300e-6,
    "fringe_x_rad_per_m": -600.0,
    "fringe_z_rad_per_m": 350.0,
    "phase_rad": 2.0,
}


@pytest.mark.parametrize("delay", [0, 1, 3])
def test_the_loop_comes_home_from_far_away_also_when_writes_take_effect_late(
    station, facts, delay: int
) -> None:
    history = run(station, facts, OFFSET, drops=60, delay=delay)
    for name, value in history[-1][0].items():
        observable = station.loop.observables[name]
        assert abs(value - observable.target) < 0.05 * observable.noise, name


def test_no_step_is_larger_than_its_cap_and_no_setpoint_leaves_its_range(station, facts) -> None:
    far = {name: 40 * value for name, value in OFFSET.items()}
    history = run(station, facts, far, drops=60)
    for (_, before, _), (_, after, _) in pairwise(history):
        for name, one in station.loop.actuators.items():
            assert abs(after[name] - before[name]) <= one.step_cap * (1 + 1e-9)
            assert one.minimum <= after[name] <= one.maximum


def test_an_actuator_at_its_limit_freezes_all_and_says_which(station, facts) -> None:
    history = run(station, facts, {"x_m": 10e-3, "y_m": -250e-6}, drops=30)
    end, last = history[-1][1], history[-1][2]
    assert "at a limit: trap x" in last.hold.words
    assert end["trap_x_m"] == pytest.approx(-station.loop.actuators["trap_x_m"].excursion)
    assert last.proposal is not None, "what was proposed and not sent is still told"
    assert history[-2][1] == end


def test_a_limited_tilt_is_not_compensated_in_phase_for_motion_that_did_not_happen(
    station, facts
) -> None:
    """A real step of the wavevector wants 28 µrad, the mirror takes 10: the phase is turned by the
    effect of 10.
    """
    slow = facts | {"mirror_tilt_x_rad": replace(facts["mirror_tilt_x_rad"], step_limit=10e-6)}
    loop, rng = Loop(station), np.random.default_rng(1)
    for drop in range(30):
        loop.judge(
            estimate(drop, noisy(rng, plant(NOMINAL, {}))),
            "interferometer",
            DropContext(NOMINAL, NOMINAL, slow),
        )
    step = {"fringe_x_rad_per_m": -450.0}
    for drop in range(30, 33):
        off = estimate(drop, noisy(rng, plant(NOMINAL, step)))
        judged = loop.judge(off, "interferometer", DropContext(NOMINAL, NOMINAL, slow))
    assert judged.proposal.limited["mirror_tilt_x_rad"] - NOMINAL[
        "mirror_tilt_x_rad"
    ] == pytest.approx(10e-6, rel=0.01)
    phase_left = wrap_phase(plant(dict(judged.proposal.limited), step)["phase_rad"] - 1.0)
    assert phase_left == pytest.approx(0.0, abs=0.02)


def noisy(rng, values):
    scatter = {
        "x_m": 1e-6,
        "y_m": 1e-6,
        "z_m": 1e-6,
        "fringe_x_rad_per_m": 1.0,
        "fringe_z_rad_per_m": 1.0,
        "phase_rad": 5e-3,
    }
    return {name: value + scatter[name] * rng.standard_normal() for name, value in values.items()}


def test_phase_is_controlled_from_the_ninth_drop_on_and_across_the_wrap(station, facts) -> None:
    history = run(station, facts, {"phase_rad": 2.5})
    used = ["phase_rad" in judged.used for _, _, judged in history]
    assert used[:7] == [False] * 7
    assert all(used[8:])
    assert "not yet known" in history[0][2].not_used["phase_rad"]
    assert history[-1][0]["phase_rad"] == pytest.approx(1.0, abs=1e-3)


def test_what_was_not_measured_moves_nothing_and_says_why(station, facts) -> None:
    history = run(station, facts, OFFSET, missing=("x_m",))
    assert history[-1][1]["trap_x_m"] == 0.0
    assert history[-1][2].not_used["x_m"] == "a reason"
    assert history[-1][0]["y_m"] == pytest.approx(0.0, abs=1e-6)


def test_only_interferometer_drops_are_acted_upon(station, facts) -> None:
    judged = Loop(station).judge(
        estimate(1, plant(NOMINAL, OFFSET)), "no_atoms", DropContext(NOMINAL, NOMINAL, facts)
    )
    assert judged.proposal is None
    assert "no_atoms" in judged.hold.words


def test_the_prediction_is_made_for_the_setpoints_in_force(station, facts) -> None:
    loop = Loop(station)
    loop.judge(
        estimate(1, plant(NOMINAL, OFFSET)), "interferometer", DropContext(NOMINAL, NOMINAL, facts)
    )
    moved = {**NOMINAL, "mirror_tilt_x_rad": 400e-6, "trap_y_m": 20e-6}
    judged = loop.judge(
        estimate(2, plant(moved, OFFSET)), "interferometer", DropContext(moved, NOMINAL, facts)
    )
    for name, value in plant(moved, OFFSET).items():
        assert judged.found.named().prediction[name] == pytest.approx(value, rel=1e-6, abs=1e-9), (
            name
        )


@pytest.mark.parametrize(("spread", "open_"), [(0.1, True), (0.5, True), (math.pi, False)])
def test_the_phase_gate_tells_a_repeating_phase_from_a_random_one(
    spread: float, open_: bool
) -> None:
    gate, rng = PhaseGate(), np.random.default_rng(8)
    for _ in range(20):
        gate.add(wrap_phase(3.0 + rng.uniform(-spread, spread)))
    assert (gate.reason() is None) is open_


def test_the_timeline_answers_for_each_drop_what_its_atoms_saw() -> None:
    timeline = Timeline({"a": 0.0, "b": 0.0})
    timeline.change(5, {"a": 1.0})
    timeline.change(7, {"b": 2.0})
    assert timeline.in_force(4) == {"a": 0.0, "b": 0.0}
    assert timeline.in_force(6) == {"a": 1.0, "b": 0.0}
    assert timeline.newest() == {"a": 1.0, "b": 2.0}
    assert timeline.first_drop_with_newest() == 7


def test_what_cannot_be_corrected_without_another_observable_says_so(station) -> None:
    loop = Loop(station)
    nominal = Plant(load_plant_numbers(), "short", 1).nominal
    seen = {name: one.reference for name, one in station.loop.observables.items()}
    whole = estimated(1, dict(seen))
    row = list(OBSERVABLES).index("y_m")
    covariance = whole.covariance.copy()
    covariance[row] = covariance[:, row] = math.nan
    blind = replace(
        whole,
        values={**whole.values, "y_m": math.nan},
        stderr={**whole.stderr, "y_m": math.nan},
        covariance=covariance,
    )
    facts = allowed(station)
    found = loop.judge(blind, "interferometer", DropContext(nominal, nominal, facts))
    assert found.not_used["fringe_x_rad_per_m"] == "its correction needs y, never measured yet"
    assert "fringe_x_rad_per_m" not in found.used
    assert "x_m" in found.used
