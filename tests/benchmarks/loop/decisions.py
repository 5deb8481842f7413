"""A great many decisions about random drops, in process: no setpoint ever leaves its limits."""

from __future__ import annotations

import math
import multiprocessing
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from magis_calib.config.loading import load_config, select_station
from magis_calib.config.station import Station
from magis_calib.domain.control import Setpoints
from magis_calib.domain.estimate import StationEstimate
from magis_calib.domain.quantities import DIAGNOSTICS, OBSERVABLES, wrap_phase
from magis_calib.feedback.evaluation import DropContext
from magis_calib.feedback.loop import Loop
from simulators.controllers.parameters import ParameterBank
from simulators.instrument.numbers import load_plant_numbers
from tests.benchmarks.loop.finding import Finding
from tests.feedback.station import BEST_SD, run

RUN_DROPS = 500
"""A fresh loop, at random setpoints, for this many decisions."""
SD = np.array([BEST_SD[name] for name in OBSERVABLES])
ROUNDING = 1e-9
HEALTHY_DROPS = 1000


@dataclass(frozen=True)
class Tried:
    """What one fresh loop decided."""

    seconds: tuple[float, ...]
    moves: int
    broken: int


def measure_decisions(count: int) -> Iterator[Finding]:
    """Yield how many of the setpoints decided left a range or step cap, as the simulated
    controllers judge them.
    """
    with multiprocessing.Pool(2) as pool:
        tried = pool.map(_try, range(max(1, count // RUN_DROPS)), chunksize=8)
    seconds = [one for run in tried for one in run.seconds]
    words = f"{len(seconds)} random decisions, {sum(run.moves for run in tried)} of them moves"
    yield Finding(
        f"{words}: out of range, excursion or step cap", sum(run.broken for run in tried), 0
    )
    yield Finding(f"{words}: decision p50, ms", 1e3 * float(np.percentile(seconds, 50)), None)
    yield Finding(f"{words}: decision p99, ms", 1e3 * float(np.percentile(seconds, 99)), 2.0)


def measure_healthy(seeds: int) -> Iterator[Finding]:
    """Yield how many of 1000 drops a seed were rejected or held on the plant alone, where nothing
    is wrong.
    """
    with multiprocessing.Pool(2) as pool:
        stopped = pool.map(_stopped, range(300, 300 + seeds), chunksize=1)
    yield Finding(
        f"{seeds * HEALTHY_DROPS} healthy decisions: rejected or held", sum(stopped), seeds - 1
    )


def _stopped(seed: int) -> int:
    return len(run(select_station(load_config(None), None)[1], seed, HEALTHY_DROPS).rejected())


def _try(seed: int) -> Tried:
    rng, station = np.random.default_rng(seed), select_station(load_config(None), None)[1]
    numbers = load_plant_numbers().actuators
    bank = ParameterBank(
        numbers, {name: one.nominal for name, one in numbers.items()} | _anywhere(station, rng)
    )
    facts = {name: message.facts(name) for name, message in bank.describe().items()}
    loop, approved, seconds, moves, broken = Loop(station), bank.readback(), [], 0, 0
    for drop in range(1, RUN_DROPS + 1):
        now = bank.readback()
        if drop == 1 or rng.random() < 0.02:
            approved = now
            loop.resume(now)
            ahead = loop.expected(now) + 20 * SD * rng.standard_normal(6)
            loop.targets = dict(zip(OBSERVABLES, ahead.tolist(), strict=True))
        estimate = _random_estimate(drop, loop.expected(now), rng)
        begun = time.perf_counter()
        judged = loop.judge(estimate, "interferometer", DropContext(now, now, facts))
        seconds.append(time.perf_counter() - begun)
        if judged.proposal is not None and not judged.hold:
            goal, moves = dict(judged.proposal.limited), moves + 1
            broken += bank.refusal(goal) is not None or _outside(station, approved, now, goal)
            bank.write(goal, drop + 1)
    return Tried(tuple(seconds), moves, broken)


def _anywhere(station: Station, rng: np.random.Generator) -> dict[str, float]:
    return {
        name: float(rng.uniform(one.minimum, one.maximum))
        for name, one in station.loop.actuators.items()
    }


def _random_estimate(drop: int, expected: np.ndarray, rng: np.random.Generator) -> StationEstimate:
    """Mostly near what is expected, now and then anywhere; now and then something is missing."""
    wide = rng.choice([1.0, 3.0, 30.0, 1000.0], p=[0.8, 0.1, 0.08, 0.02])
    values = expected + wide * SD * rng.standard_normal(6)
    errors = SD * rng.uniform(0.05, 3.0, 6)
    missing = rng.random(6) < (0.3 if rng.random() < 0.05 else 0.0)
    values[missing], errors[missing] = math.nan, math.nan
    values[5] = wrap_phase(values[5]) if math.isfinite(values[5]) else math.nan
    unknown = dict.fromkeys(DIAGNOSTICS, math.nan)
    told = dict(zip(OBSERVABLES, values.tolist(), strict=True))
    return StationEstimate(
        drop,
        {**unknown, **told},
        {**unknown, **dict(zip(OBSERVABLES, errors.tolist(), strict=True))},
        np.diag(errors**2),
        not bool(missing.all()),
        (),
    )


def _outside(
    station: Station, approved: Setpoints, now: Setpoints, goal: Mapping[str, float]
) -> bool:
    """Whether a setpoint leaves what the configuration allows: range, step cap, excursion from the
    point approved.
    """
    for name, one in station.loop.actuators.items():
        room = ROUNDING * (one.maximum - one.minimum)
        far = (
            math.inf
            if one.excursion == "range"
            else max(one.excursion, abs(now[name] - approved[name]))
        )
        ranged = one.minimum - room <= goal[name] <= one.maximum + room
        stepped = abs(goal[name] - now[name]) <= one.step_cap + room
        if not (ranged and stepped and abs(goal[name] - approved[name]) <= far + room):
            return True
    return False
