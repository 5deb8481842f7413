"""An actuator that does not do what the matrix says is named from ordinary running."""

from __future__ import annotations

import pytest

from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES
from tests.feedback.station import BEST_SD, run

STEP = {**{name: 20 * sd for name, sd in BEST_SD.items()}, "phase_rad": 1.5}
WORDS = {0.0: "does not move", -1.0: "moves the other way", 3.0: "moves by another amount"}
EVERY = [(name, factor) for name in OBSERVABLES for factor in WORDS]


def with_gain(station, gain: float):
    """The station with this gain for every observable."""
    changed = {
        name: one.model_copy(update={"gain": gain})
        for name, one in station.loop.observables.items()
    }
    return station.model_copy(
        update={"loop": station.loop.model_copy(update={"observables": changed})}
    )


def named(found, station, name: str) -> int:
    """Return the first drop that names the main actuator of this observable."""
    label = ACTUATORS[station.loop.observables[name].actuator].label
    return next(
        drop for drop, one in enumerate(found.judged, 1) if one.latched and label in one.hold.words
    )


@pytest.mark.parametrize(("name", "factor"), EVERY)
def test_an_actuator_that_is_wrong_from_the_start_is_named(
    station, name: str, factor: float
) -> None:
    actuator = station.loop.observables[name].actuator
    found = run(station, 1, 75, factors=lambda drop: {actuator: factor})
    moved = next(drop for drop, one in enumerate(found.judged, 1) if name in one.used)
    assert named(found, station, name) - moved <= 60
    assert WORDS[factor] in found.judged[-1].hold.words
    assert found.judged[-1].proposal is None or found.judged[-1].latched


@pytest.mark.parametrize(("name", "factor"), EVERY)
def test_an_actuator_that_goes_wrong_is_named_when_a_target_moves(
    station, name: str, factor: float
) -> None:
    actuator, target = (
        station.loop.observables[name].actuator,
        station.loop.observables[name].target,
    )
    found = run(
        station,
        2,
        165,
        factors=lambda drop: {actuator: factor} if drop > 100 else {},
        aim=lambda drop: {name: target + STEP[name]} if drop > 104 else {},
    )
    assert 100 < named(found, station, name) <= 165


def test_healthy_actuators_are_not_named_whatever_the_targets_and_the_disturbance_do(
    station,
) -> None:
    def aim(drop):
        name = list(OBSERVABLES)[drop // 30 % 6]
        return {
            name: station.loop.observables[name].target
            + STEP[name] * (0.4 if drop % 60 < 30 else -0.4)
        }

    def disturb(drop):
        return {
            "z_m": STEP["z_m"] * (drop // 45 % 2),
            "fringe_z_rad_per_m": -STEP["fringe_z_rad_per_m"] * (drop // 70),
        }

    found = run(station, 5, 600, aim=aim, disturb=disturb)
    assert not any(one.latched for one in found.judged)


@pytest.mark.parametrize("gain", [0.1, 0.3])
def test_a_fixed_gain_that_lags_behind_a_steady_drift_accuses_no_actuator(
    station, gain: float
) -> None:
    """The lag of such a filter is as large, and as steady, as the motion that makes up for the
    drift.
    """
    lagging = with_gain(station, gain)
    for seed in (1, 2):
        found = run(
            lagging,
            seed,
            260,
            disturb=lambda drop: {"fringe_x_rad_per_m": 4.0 * max(0, drop - 100)},
        )
        assert not any(one.latched for one in found.judged)


@pytest.mark.parametrize(("name", "factor"), EVERY)
def test_with_a_fixed_gain_a_wrong_actuator_is_named_as_well(
    station, name: str, factor: float
) -> None:
    actuator, steady = station.loop.observables[name].actuator, with_gain(station, 0.3)
    found = run(steady, 1, 75, factors=lambda drop: {actuator: factor})
    moved = next(drop for drop, one in enumerate(found.judged, 1) if name in one.used)
    assert named(found, steady, name) - moved <= 60


def test_closing_the_loop_again_gives_the_actuator_another_chance(station) -> None:
    dead = run(
        station,
        1,
        80,
        factors=lambda drop: {"timing_asymmetry_s": 0.0} if drop <= 20 else {},
        resume=lambda drop: drop == 22,
    )
    assert "timing asymmetry does not move" in dead.judged[20].hold.words
    assert not any(one.hold for one in dead.judged[40:])
    assert (
        abs(dead.away(station, "fringe_z_rad_per_m")[-10:].mean())
        < 2 * BEST_SD["fringe_z_rad_per_m"]
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_setpoints_that_take_effect_a_drop_late_are_named(station, seed: int) -> None:
    found = run(station, seed, 40, late=lambda drop: 1)
    words = next(one.hold.words for one in found.judged if one.hold and one.hold.code == "response")
    assert "setpoints take effect a drop later than told" in words


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_actuators_that_make_each_others_steps_are_named(station, seed: int) -> None:
    found = run(station, seed, 60, exchanged=[("trap_x_m", "trap_y_m")])
    words = next(one.hold.words for one in found.judged if one.latched)
    assert "trap x and trap y look exchanged" in words
