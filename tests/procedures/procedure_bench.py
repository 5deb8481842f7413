"""A procedure played on the pretend station's plant without pictures: estimates are thrown from
their covariance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from magis_calib.config.station import Station
from magis_calib.domain.control import Decision, Setpoints
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.procedures.protocol import Procedure, ProcedureResult, Request, StartingPoint
from simulators.instrument.numbers import load_plant_numbers
from simulators.plant import LOOP_ACTUATORS, Plant
from tests.feedback.station import FIT_SIGMA, allowed, estimated

HOME = {
    "trap_x_m": -250e-6,
    "trap_y_m": 250e-6,
    "launch_frequency_hz": -460.0,
    "mirror_tilt_x_rad": 425e-6,
    "timing_asymmetry_s": -48e-6,
    "final_pulse_phase_rad": -3.3,
}
"""Setpoints that bring the station near its targets."""


def true_response() -> np.ndarray:
    return Plant(load_plant_numbers(), "short", 0).response()


def play(
    station: Station,
    seed: int,
    begin: Callable[[StartingPoint], Procedure],
    factors: Mapping[str, float] | None = None,
    swapped: Mapping[str, tuple[str, float]] | None = None,
) -> tuple[ProcedureResult, list[Request], int]:
    """Return the result, everything that was asked for, and the drops taken.

    `factors`: how many times its move an actuator makes; `swapped`: it makes that of another one,
    times a number.
    """
    plant, rng = Plant(load_plant_numbers(), "short", seed), np.random.default_rng(seed)
    base = plant.nominal | HOME
    procedure, asked, drop = begin(StartingPoint(station, allowed(station), base)), [], 0
    try:
        ask = next(procedure)
        while True:
            asked.append(ask)
            records = []
            for _ in range(ask.drops):
                drop += 1
                places = _stands(base, {**base, **ask.setpoints}, factors or {}, swapped or {})
                records.append(_record(plant, drop, {**base, **ask.setpoints}, places, rng))
            ask = procedure.send(tuple(records))
    except StopIteration as done:
        return done.value, asked, drop


def _stands(
    base: Setpoints,
    told: Setpoints,
    factors: Mapping[str, float],
    swapped: Mapping[str, tuple[str, float]],
) -> dict[str, float]:
    places = {
        name: base[name] + factors.get(name, 1.0) * (value - base[name])
        for name, value in told.items()
    }
    for name, (other, scale) in swapped.items():
        places[name] = base[name] + scale * (told[other] - base[other])
    return places


def _record(
    plant: Plant, drop: int, told: Setpoints, places: Setpoints, rng: np.random.Generator
) -> DropRecord:
    true = plant.drop(drop, places).observables
    seen = {
        name: true[name] + float(noise)
        for name, noise in zip(OBSERVABLES, FIT_SIGMA * rng.standard_normal(6), strict=True)
    }
    return DropRecord(
        drop,
        0,
        "interferometer",
        True,
        estimated(drop, seen),
        Decision(drop, 0, "held", ""),
        told,
        {},
    )


__all__ = ["HOME", "LOOP_ACTUATORS", "play", "true_response"]
