"""What pulse area and detuning do, against the formulas done another way, and a station that starts
badly.
"""

from __future__ import annotations

import argparse
import math

import numpy as np
import pytest

from simulators.hidden import OFFSETS, put_off
from simulators.instrument.pulses import Pulses, population
from simulators.main import main
from simulators.options import SimulationOptions, add_simulation_options
from simulators.plant import Plant


def summed(area_error: float, detuning_hz: float) -> float:
    """Rabi's formula, summed over a fine grid of Doppler shifts."""
    shifts = np.linspace(-8, 8, 4001)
    weights = np.exp(-(shifts**2) / 2)
    omega, delta = 2 * math.pi * 5e3, 2 * math.pi * (detuning_hz + 1.4e3 * shifts)
    rabi = omega**2 / (omega**2 + delta**2)
    found = rabi * np.sin(math.pi / 2 * (1 + area_error) * np.sqrt(1 + (delta / omega) ** 2)) ** 2
    return float((found * weights).sum() / weights.sum())


@pytest.mark.parametrize("detuning_hz", [0.0, 700.0, -4e3, 9e3, 20e3])
@pytest.mark.parametrize("area_error", [0.0, 0.1, -0.3])
def test_a_pi_pulse_transfers_what_rabi_says(numbers, area_error, detuning_hz):
    assert population(Pulses(area_error, detuning_hz), numbers) == pytest.approx(
        summed(area_error, detuning_hz)
    )


def contrast(plant: Plant, **setpoints: float) -> float:
    return plant.drop(1, plant.nominal | setpoints).scene.contrast


def test_contrast_falls_off_resonance_as_the_population_does(numbers):
    plant = Plant(numbers, "short", 0)
    assert contrast(plant) == 0.7
    assert contrast(plant, detuning_hz=3e3) == pytest.approx(0.7 * summed(0, 3e3) / summed(0, 0))
    assert contrast(plant, detuning_hz=3e3) == pytest.approx(contrast(plant, detuning_hz=-3e3))


def test_the_best_pulse_area_depends_on_the_tilt_of_the_mirror(numbers):
    plant = Plant(numbers, "short", 0)
    nominal = plant.nominal["mirror_tilt_x_rad"]
    upright = [
        contrast(plant, pulse_area=area, mirror_tilt_x_rad=0.0) for area in (0.91, 0.96, 1.01)
    ]
    assert upright[1] == pytest.approx(0.7, rel=1e-6)
    assert (
        upright[0]
        == pytest.approx(upright[2], rel=1e-3)
        == pytest.approx(0.7 * (1 - 4.9348 * 0.05**2), rel=1e-3)
    )
    steep = math.sqrt(2) * nominal
    assert contrast(plant, pulse_area=1.04, mirror_tilt_x_rad=steep) == pytest.approx(0.7, rel=1e-6)


def test_a_hidden_offset_moves_the_best_setpoint(numbers):
    plant = Plant(put_off(numbers, {"pulse_area": 0.03, "detuning_hz": 1.5e3}), "short", 0)
    assert contrast(plant, pulse_area=1.03, detuning_hz=-1.5e3) == pytest.approx(0.7)
    assert (
        contrast(plant, pulse_area=1.03)
        < contrast(plant, pulse_area=1.03, detuning_hz=-500.0)
        < 0.7
    )
    assert contrast(plant, detuning_hz=-1.5e3) == pytest.approx(0.7 * (1 - 4.9348 * 0.03**2))


def test_offsets_are_added_to_the_first_drop(numbers):
    off = {"x_m": 1e-4, "fringe_y_rad_per_m": 300.0, "phase_rad": -0.5}
    rest, moved = (Plant(put_off(numbers, one), "short", 0) for one in ({}, off))
    before, after = (plant.drop(1, plant.nominal) for plant in (rest, moved))
    assert after.disturbance["x_m"] - before.disturbance["x_m"] == pytest.approx(1e-4)
    assert after.scene.fringe_rad_per_m[1] == pytest.approx(300.0)
    assert math.remainder(
        after.scene.phase_rad - before.scene.phase_rad + 0.5, 2 * math.pi
    ) == pytest.approx(0, abs=1e-9)
    assert (moved.response() == rest.response()).all()


def test_the_fringe_along_the_line_of_sight_washes_out_what_a_mirror_brings_back(numbers):
    """20 µrad of the mirror make 323.6 rad/m."""
    plant = Plant(put_off(numbers, {"fringe_y_rad_per_m": -323.6}), "short", 0)
    drop = plant.drop(1, plant.nominal | {"mirror_tilt_y_rad": 20e-6})
    assert drop.scene.fringe_rad_per_m[1] == pytest.approx(0.0, abs=1e-6)


def parsed(*words: str) -> SimulationOptions:
    parser = argparse.ArgumentParser()
    add_simulation_options(parser)
    return SimulationOptions.of(parser.parse_args(words))


def test_every_offset_survives_the_way_through_argv():
    wanted = {name: -0.1 * place - 1e-7 for place, name in enumerate(OFFSETS)}
    options = parsed(*(f"--off={name}={value!r}" for name, value in wanted.items()))
    assert options.off == wanted
    assert parsed(*options.argv()) == options
    assert parsed("--off", "x_m=1e-4", "--off", "x_m=2e-4").off == {"x_m": 2e-4}


@pytest.mark.parametrize(
    ("word", "said"),
    [
        (
            "contrast=0.1",
            ["wanted NAME=VALUE with NAME one of x_m", "roll_rad", "got 'contrast=0.1'"],
        ),
        ("x_m", ["x_m: wanted a finite number, got ''"]),
        ("pulse_area=much", ["pulse_area: wanted a finite number, got 'much'"]),
        ("roll_rad=nan", ["roll_rad: wanted a finite number, got 'nan'"]),
    ],
)
def test_what_cannot_be_off_is_refused(capsys, word, said):
    with pytest.raises(SystemExit) as ended:
        main([f"--off={word}"])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert all(words in told for words in ("--off", *said)), told


def test_numbers_made_of_dates_begin_at_once(numbers):
    plant = Plant(numbers, "short", 0)
    first = plant.drop(202_612_010_001, plant.nominal)
    assert first.drop_id == 202_612_010_001
    assert plant.drop(202_612_010_002, plant.nominal).disturbance != first.disturbance
