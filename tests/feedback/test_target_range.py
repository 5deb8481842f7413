"""Which targets can be reached, which setpoints may be walked to, and what a long way leaves of the
drop in flight.
"""

from __future__ import annotations

import math

import pytest

from magis_calib.actuators.moves import next_step, still_away, unreachable
from magis_calib.actuators.timeline import Timeline
from magis_calib.config.station import Station
from magis_calib.domain.control import ParameterFacts, Setpoints
from magis_calib.feedback.loop import Loop
from magis_calib.feedback.target_range import out_of_reach
from tests.feedback.station import allowed

FACTS = {"trap_x_m": ParameterFacts("trap_x_m", "m", -1e-3, 1e-3, 50e-6, 1, 10e-9, 20e-9, 0.0)}


def refused(station: Station, name: str, value: float, commanded: Setpoints | None = None) -> str:
    return out_of_reach(name, value, Loop(station), commanded or {}, allowed(station))


def moved_reference(station: Station, x_m: float) -> Station:
    """The station where the nominal setpoints give another x: a drift that was learnt."""
    observables = station.loop.observables
    changed = {**observables, "x_m": observables["x_m"].model_copy(update={"reference": x_m})}
    return station.model_copy(
        update={"loop": station.loop.model_copy(update={"observables": changed})}
    )


def test_reach_does_not_depend_on_where_the_actuators_stand(station: Station) -> None:
    for stands_m in (-500e-6, 0.0, 500e-6):
        at = {name: one.nominal for name, one in station.loop.actuators.items()} | {
            "trap_x_m": stands_m
        }
        assert refused(station, "x_m", 499e-6, at) == ""
        assert "trap x would have to go to 501.00" in refused(station, "x_m", 501e-6, at)


def test_the_narrower_of_both_ranges_counts(station: Station) -> None:
    facts = allowed(station) | {"trap_x_m": FACTS["trap_x_m"]}
    assert "range is [-500.00, 500.00]" in out_of_reach("x_m", 6e-4, Loop(station), {}, facts)


def test_a_range_that_the_drift_has_used_up_is_not_the_new_targets_fault(station: Station) -> None:
    drifted = moved_reference(station, 600e-6)
    assert refused(drifted, "z_m", 50e-6) == ""
    assert refused(drifted, "x_m", 50e-6) == ""
    assert "x out of reach" in refused(drifted, "x_m", -10e-6)


def test_a_phase_is_reached_over_the_nearest_turn(station: Station) -> None:
    assert refused(station, "phase_rad", 1.0 + 40 * math.pi) == ""


NAN, FAR = "not a finite number", "outside its range [-0.001, 0.001]"


@pytest.mark.parametrize(
    ("goal", "words"), [(math.nan, NAN), (math.inf, NAN), (2e-3, FAR), (-2e-3, FAR)]
)
def test_a_goal_outside_the_range_or_not_a_number_is_refused_before_the_first_step(
    goal: float, words: str
) -> None:
    away = still_away({"trap_x_m": goal}, {"trap_x_m": 0.0}, FACTS)
    assert words in unreachable(away, {"trap_x_m": 0.0}, FACTS)


def test_an_actuator_without_a_readback_is_not_stepped() -> None:
    assert "no read-back" in unreachable(still_away({"trap_x_m": 1e-5}, {}, FACTS), {}, FACTS)


def test_steps_are_as_long_as_the_controller_surely_takes_and_end_at_the_goal() -> None:
    at, way = {"trap_x_m": 0.0}, []
    while still_away({"trap_x_m": -120e-6}, at, FACTS):
        at = next_step({"trap_x_m": -120e-6}, at, FACTS)
        way.append(at["trap_x_m"])
    assert way == pytest.approx([-49.98e-6, -99.96e-6, -120e-6])


def test_many_steps_for_one_drop_do_not_reach_into_the_drop_before() -> None:
    timeline = Timeline({"trap_x_m": 0.0, "trap_y_m": 0.0})
    for step in range(1, 500):
        timeline.change(11, {"trap_x_m": float(step)})
    assert timeline.in_force(10) == {"trap_x_m": 0.0, "trap_y_m": 0.0}
    assert timeline.in_force(11) == timeline.newest() == {"trap_x_m": 499.0, "trap_y_m": 0.0}
