"""The loop on the simulated plant against the oracle that knows drift and noise, and against wild
drops.
"""

from __future__ import annotations

import numpy as np
import pytest

from magis_calib.domain.quantities import OBSERVABLES
from tests.feedback.station import BEST_SD, run


def changed(station, **changes):
    """The station with some fields of all its observables changed."""
    observables = {
        name: one.model_copy(update=changes) for name, one in station.loop.observables.items()
    }
    return station.model_copy(
        update={"loop": station.loop.model_copy(update={"observables": observables})}
    )


@pytest.fixture(scope="module")
def station():
    from magis_calib.config.loading import load_config, select_station

    return select_station(load_config(None), None)[1]


def means(ratios):
    return {
        name: (
            np.mean([one[name].variance_over_bound for one in ratios]),
            np.mean([one[name].correctable_over_bound for one in ratios]),
        )
        for name in OBSERVABLES
    }


def test_without_being_told_drift_or_noise_it_comes_within_a_few_percent_of_the_best_loop(
    station,
) -> None:
    found = means([run(station, seed, 1000).ratios(station) for seed in (1, 2, 3)])
    assert all(total <= 1.03 and correctable <= 1.12 for total, correctable in found.values()), (
        found
    )


def test_a_fixed_gain_is_obeyed_and_is_worse(station) -> None:
    found = means([run(changed(station, gain=0.3), 1, 600).ratios(station)])
    assert found["x_m"][1] > 1.5
    assert found["fringe_x_rad_per_m"][0] > 1.1


@pytest.mark.parametrize("delay", [1, 3])
def test_writes_that_take_effect_late_are_part_of_the_prediction(station, delay: int) -> None:
    found = means([run(station, 1, 1000, delay).ratios(station, delay)])
    assert all(total <= 1.05 and correctable <= 1.25 for total, correctable in found.values()), (
        found
    )


def test_a_random_phase_is_reported_and_moves_nothing(station) -> None:
    found = run(station, 1, 1000, preset="long")
    assert not any("phase_rad" in one.used for one in found.judged)
    assert found.rejected() == []
    others = {
        name: both for name, both in means([found.ratios(station)]).items() if name != "phase_rad"
    }
    assert all(total <= 1.05 and correctable <= 1.25 for total, correctable in others.values()), (
        others
    )


def test_each_stage_closes_when_the_one_before_is_home(station) -> None:
    judged = run(station, 1, 40).judged
    first = {
        name: next(drop for drop, one in enumerate(judged, 1) if name in one.used)
        for name in OBSERVABLES
    }
    assert first["x_m"] == first["y_m"] == first["z_m"] == 1
    assert 4 <= first["fringe_x_rad_per_m"] == first["fringe_z_rad_per_m"] <= 8
    assert 9 <= first["phase_rad"] <= 14
    assert "waits until" in judged[0].not_used["fringe_x_rad_per_m"]
    assert all("phase_rad" in one.used for one in judged[first["phase_rad"] - 1 :])


def test_a_lone_wild_drop_is_rejected_and_moves_nothing(station) -> None:
    found = run(
        station, 1, 120, measured=lambda drop: {"fringe_x_rad_per_m": 300.0} if drop == 100 else {}
    )
    assert found.rejected() == [100]
    assert "κx" in found.judged[99].hold.words
    assert "300" in found.judged[99].hold.words or "limit" in found.judged[99].hold.words
    assert (
        np.abs(found.away(station, "fringe_x_rad_per_m")[100:]).max()
        < 5 * BEST_SD["fringe_x_rad_per_m"]
    )


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("y_m", 20),
        ("z_m", -20),
        ("fringe_x_rad_per_m", 20),
        ("fringe_z_rad_per_m", -20),
        ("phase_rad", 1.5 / 0.086),
    ],
)
def test_a_real_step_is_followed_within_six_drops_of_what_the_caps_need(
    station, name: str, step: float
) -> None:
    size = step * BEST_SD[name]
    actuator = station.loop.observables[name].actuator
    caps = abs(size) / (
        station.loop.actuators[actuator].step_cap * abs(station.matrices["nominal"][name][actuator])
    )
    found = run(station, 3, 140, disturb=lambda drop: {name: size} if drop > 100 else {})
    away = found.away(station, name)[100 + int(np.ceil(caps)) + 6 :][:5] / BEST_SD[name]
    assert abs(away.mean()) < 2.0


def test_a_phase_far_away_does_not_spoil_the_position(station) -> None:
    """It takes several steps of the laser's phase.

    The trap, which moves the phase a little, too, is no help.
    """
    found = run(station, 3, 115, disturb=lambda drop: {"phase_rad": 3.0} if drop > 100 else {})
    limited = [one.proposal for one in found.judged[100:] if one.proposal and one.proposal.limits]
    assert limited
    assert all(
        one.limited["trap_x_m"] == pytest.approx(one.proposed["trap_x_m"], abs=1e-12)
        for one in limited
    )


def test_three_equal_wrong_wavevectors_far_away_are_not_followed(station) -> None:
    found = run(
        station,
        1,
        130,
        measured=lambda drop: {"fringe_x_rad_per_m": 3000.0} if 100 <= drop < 110 else {},
    )
    assert found.rejected() == list(range(100, 110))


def test_healthy_drops_are_not_rejected(station) -> None:
    assert sum(len(run(station, seed, 1000).rejected()) for seed in range(20, 24)) <= 1
