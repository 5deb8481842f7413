from __future__ import annotations

import math

import numpy as np
import pytest

from magis_calib.config.loading import load_config, select_station
from magis_calib.domain.quantities import OBSERVABLES
from simulators.plant import LOOP_ACTUATORS, Plant

DRIFT = [1.24e-6, 1.24e-6, 2.45e-6, 3.24, 1.0, 0.0106]
JITTER = [16e-6, 16e-6, 12.2e-6, 0.81, 0.3, 0.080]
START = [250e-6, -250e-6, 300e-6, -600.0, 350.0, 2.0]


def test_totals_are_those_of_the_station(numbers):
    plant = Plant(numbers, "short", 0)
    assert np.sqrt(np.diag(plant.drift_cov())) == pytest.approx(DRIFT, rel=0.02)
    assert np.sqrt(np.diag(plant.jitter_cov())) == pytest.approx(JITTER, rel=0.02)


def test_response_is_the_shipped_matrix(numbers):
    _, station = select_station(load_config(None), None)
    assert list(station.loop.actuators) == list(LOOP_ACTUATORS)
    assert Plant(numbers, "short", 0).response() == pytest.approx(station.response())
    for name, one in station.loop.actuators.items():
        mine = numbers.actuators[name]
        assert (mine.nominal, mine.minimum, mine.maximum) == (one.nominal, one.minimum, one.maximum)
        assert mine.step_limit >= one.step_cap


def test_first_drop_starts_off_by_the_table(numbers):
    plant = Plant(numbers, "short", 0)
    drop = plant.drop(1, plant.nominal)
    assert list(drop.disturbance.values()) == pytest.approx(START)
    assert drop.noise_free_response["fringe_x_rad_per_m"] == 6283.0
    for name in OBSERVABLES:
        total = drop.disturbance[name] + drop.noise_free_response[name] + drop.jitter[name]
        assert math.remainder(drop.observables[name] - total, 2 * math.pi) == pytest.approx(
            0, abs=1e-9
        )
    assert -math.pi < drop.observables["phase_rad"] <= math.pi


def test_drift_and_jitter_have_their_covariances(numbers):
    plant = Plant(numbers, "short", 3)
    drops = [plant.drop(k, plant.nominal) for k in range(1, 1500)]
    # Without mirror_tilt_y's walk the disturbance is the pure random walk; its part of the phase is
    # small.
    walk = np.array([list(drop.disturbance.values()) for drop in drops])
    jitter = np.array([list(drop.jitter.values()) for drop in drops])
    for found, wanted in ((np.diff(walk, axis=0), plant.drift_cov()), (jitter, plant.jitter_cov())):
        assert found.std(axis=0)[:5] == pytest.approx(np.sqrt(np.diag(wanted))[:5], rel=0.08)
        correlation = np.corrcoef(found, rowvar=False)[3, 5]
        assert correlation == pytest.approx(
            wanted[3, 5] / math.sqrt(wanted[3, 3] * wanted[5, 5]), abs=0.12
        )


def test_long_preset_has_any_phase(numbers):
    plant = Plant(numbers, "long", 1)
    phases = np.array([plant.drop(k, plant.nominal).jitter["phase_rad"] for k in range(1, 400)])
    assert plant.jitter_cov()[5, 5] == pytest.approx((2 * math.pi) ** 2 / 12)
    assert abs(np.exp(1j * phases).mean()) < 0.15
    assert plant.nominal["interrogation_time_s"] == 0.5


def test_random_streams_do_not_see_setpoints(numbers):
    one, two = Plant(numbers, "short", 7), Plant(numbers, "short", 7)
    moved = one.nominal | {"trap_x_m": 40e-6, "mirror_tilt_x_rad": 400e-6}
    for k in range(1, 6):
        still, after = one.drop(k, one.nominal), two.drop(k, moved)
        assert still.jitter == after.jitter
        for name in OBSERVABLES:
            assert still.disturbance[name] == pytest.approx(after.disturbance[name], rel=1e-12)
    assert two.drop(9, moved).disturbance["x_m"] == one.drop(9, one.nominal).disturbance["x_m"]
    assert Plant(numbers, "short", 8).drop(1, moved).jitter != one.drop(9, one.nominal).jitter


def test_setpoints_act_through_the_response(numbers):
    plant = Plant(numbers, "short", 0)
    rest = plant.drop(1, plant.nominal)
    moved = plant.drop(
        1, plant.nominal | {"mirror_tilt_x_rad": 398.27e-6, "launch_tilt_x_rad": 1e-6}
    )
    change = {
        name: moved.noise_free_response[name] - rest.noise_free_response[name]
        for name in OBSERVABLES
    }
    assert change["fringe_x_rad_per_m"] == pytest.approx(161.8)
    assert change["phase_rad"] == pytest.approx(0.36)
    assert change["x_m"] == pytest.approx(7.3e-6)


def test_fringe_along_the_line_of_sight_enters_the_phase_as_disturbance(numbers):
    plant = Plant(numbers, "short", 0)
    rest = plant.drop(1, plant.nominal)
    tilted = plant.drop(1, plant.nominal | {"mirror_tilt_y_rad": 20e-6})
    added = 20e-6 * 16.18e6 * tilted.observables["y_m"]
    assert tilted.disturbance["phase_rad"] - rest.disturbance["phase_rad"] == pytest.approx(added)
    assert tilted.noise_free_response == rest.noise_free_response
    assert tilted.scene.phase_rad == pytest.approx(rest.scene.phase_rad)


def test_pulse_area_is_best_at_one(numbers):
    plant = Plant(numbers, "short", 0)
    contrasts = [
        plant.drop(1, plant.nominal | {"pulse_area": area}).scene.contrast
        for area in (0.9, 1.0, 1.1)
    ]
    assert contrasts[1] == 0.7
    assert contrasts[0] == pytest.approx(contrasts[2]) == pytest.approx(0.7 * (1 - 0.049348))


def test_coriolis_rate_moves_the_fringe_by_the_square_of_the_time(numbers):
    plant = Plant(numbers, "long", 0)
    moved = plant.nominal | {"coriolis_rate_y_rad_per_s": 1e-6}
    change = plant.drop(1, moved).noise_free_response["fringe_x_rad_per_m"] - 6283.0
    assert change == pytest.approx(3.65)


@pytest.mark.parametrize("time_s", [0.05, 0.25, 0.5])
def test_a_coriolis_rate_about_x_moves_the_fringe_along_y_the_other_way(numbers, time_s):
    """κ_y = -3.65 rad/m per µrad/s at 0.5 s, and as the square of the time."""
    plant = Plant(numbers, "long", 0)
    moved = plant.nominal | {"coriolis_rate_x_rad_per_s": 10e-6, "interrogation_time_s": time_s}
    rest, turned = (plant.drop(1, one).scene.fringe_rad_per_m for one in (plant.nominal, moved))
    assert turned[1] - rest[1] == pytest.approx(-36.5 * (time_s / 0.5) ** 2)
    assert turned[0] == pytest.approx(rest[0])
