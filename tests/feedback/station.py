"""The loop on the pretend station's plant without pictures: estimates are thrown from their
covariance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from magis_calib.actuators.timeline import Timeline
from magis_calib.benchmark.oracle import Ratio, ratios
from magis_calib.config.station import Station
from magis_calib.domain.control import ParameterFacts, Setpoints
from magis_calib.domain.estimate import StationEstimate
from magis_calib.domain.quantities import DIAGNOSTICS, OBSERVABLES, wrap_phase
from magis_calib.feedback.evaluation import DropContext, Evaluation
from magis_calib.feedback.loop import Loop
from simulators.instrument.numbers import load_plant_numbers
from simulators.plant import Plant

FIT_SIGMA = np.array([2.7e-6, 2.7e-6, 2.2e-6, 3.9, 3.8, 3.8e-3])
"""Of 1e6 atoms, 0.9 electrons each, contrast 0.7, in the order of `OBSERVABLES`."""

BEST_SD = {
    "x_m": 16.6e-6,
    "y_m": 16.6e-6,
    "z_m": 13.5e-6,
    "fringe_x_rad_per_m": 4.45,
    "fringe_z_rad_per_m": 2.11,
    "phase_rad": 0.086,
}
"""Of the best possible loop on the shipped station."""

Disturb = Callable[[int], Mapping[str, float]]


@dataclass
class Run:
    """What happened, drop by drop."""

    truth: list[dict[str, Any]]
    estimates: dict[int, StationEstimate] = field(default_factory=dict)
    judged: list[Evaluation] = field(default_factory=list)
    setpoints: list[Setpoints] = field(default_factory=list)

    def away(self, station: Station, name: str) -> np.ndarray:
        """True observable minus its target, drop by drop."""
        target = station.loop.observables[name].target
        values = [drop["observables"][name] - target for drop in self.truth[1:]]
        return np.array([wrap_phase(value) if name == "phase_rad" else value for value in values])

    def ratios(self, station: Station, delay: int = 0) -> dict[str, Ratio]:
        targets = {name: one.target for name, one in station.loop.observables.items()}
        measured = {drop: one.vector for drop, one in self.estimates.items()}
        whole = [
            one.covariance for one in self.estimates.values() if np.isfinite(one.covariance).all()
        ]
        return ratios(
            self.truth, measured, np.mean(whole, axis=0) if whole else None, targets, delay
        )

    def rejected(self) -> list[int]:
        """Drops that a gate rejected."""
        return [drop for drop, one in enumerate(self.judged, 1) if one.hold]


def allowed(station: Station) -> dict[str, ParameterFacts]:
    return {
        name: ParameterFacts(name, "", one.minimum, one.maximum, one.step_cap, 1, 0.0, 0.0, 0.0)
        for name, one in station.loop.actuators.items()
    }


def run(
    station: Station,
    seed: int,
    drops: int,
    delay: int = 0,
    preset: str = "short",
    disturb: Disturb = lambda drop: {},
    measured: Disturb = lambda drop: {},
    factors: Callable[[int], Mapping[str, float]] = lambda drop: {},
    aim: Disturb = lambda drop: {},
    resume: Callable[[int], bool] = lambda drop: False,
    late: Callable[[int], int] = lambda drop: 0,
    exchanged: Sequence[tuple[str, str]] = (),
) -> Run:
    """Close the loop; `disturb` adds to what is true, `measured` to what is measured only.

    `factors`: how many times its step each actuator makes; `aim`: targets; `resume`: the operator
    closes the loop; `late`: by how many drops setpoints take effect later than told; `exchanged`:
    actuators that make each other's steps.
    """
    plant, rng = Plant(load_plant_numbers(), preset, seed), np.random.default_rng(seed)
    loop, timeline, facts = Loop(station), Timeline(plant.nominal), allowed(station)
    moved = before = dict(plant.nominal)
    found = Run(
        [
            {
                "plant": {
                    "drift_cov": plant.drift_cov().tolist(),
                    "jitter_cov": plant.jitter_cov().tolist(),
                }
            }
        ]
    )
    for drop in range(1, drops + 1):
        loop.targets.update(aim(drop))
        in_force = timeline.in_force(drop)
        found.setpoints.append(in_force)
        if resume(drop):
            loop.resume(timeline.newest())
        broken = factors(drop)
        reached = _reached(timeline.in_force(drop - late(drop)), plant.nominal, exchanged)
        moved = {
            name: moved[name] + broken.get(name, 1.0) * (value - before[name])
            for name, value in reached.items()
        }
        before = reached
        true, more, wrong = plant.drop(drop, moved), disturb(drop), measured(drop)
        total = {name: true.observables[name] + more.get(name, 0.0) for name in OBSERVABLES}
        total["phase_rad"] = wrap_phase(total["phase_rad"])
        found.truth.append(
            {
                "drop_id": drop,
                "observables": total,
                "jitter": true.jitter,
                "noise_free_response": true.noise_free_response,
                "disturbance": {
                    name: true.disturbance[name] + more.get(name, 0.0) for name in OBSERVABLES
                },
            }
        )
        noise = FIT_SIGMA * rng.standard_normal(6)
        seen = {
            name: total[name] + wrong.get(name, 0.0) + noise[row]
            for row, name in enumerate(OBSERVABLES)
        }
        found.estimates[drop] = estimated(drop, seen)
        judged = loop.judge(
            found.estimates[drop], "interferometer", DropContext(in_force, timeline.newest(), facts)
        )
        found.judged.append(judged)
        if judged.proposal is not None and not judged.hold:
            timeline.change(drop + 1 + delay, judged.proposal.limited)
    return found


def _reached(
    setpoints: Setpoints, nominal: Setpoints, exchanged: Sequence[tuple[str, str]]
) -> dict[str, float]:
    """Return what the actuators are told in truth."""
    reached = dict(setpoints)
    for pair in exchanged:
        for name, source in (pair, pair[::-1]):
            reached[name] = nominal[name] + setpoints[source] - nominal[source]
    return reached


def estimated(drop: int, seen: dict[str, float]) -> StationEstimate:
    seen["phase_rad"] = wrap_phase(seen["phase_rad"])
    unknown = dict.fromkeys(DIAGNOSTICS, math.nan)
    errors = dict(zip(OBSERVABLES, FIT_SIGMA.tolist(), strict=True))
    return StationEstimate(drop, unknown | seen, unknown | errors, np.diag(FIT_SIGMA**2), True, ())
