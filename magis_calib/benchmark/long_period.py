"""A fringe hardly narrower than the cloud: parameters hang together, coverage is judged.

With κ·width near 1.5 the errors are not normal and the bound is out of reach; what a user relies on
is that the truth lies within one standard error in 68 % and within two in 95 % of the drops.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from scipy.stats import norm

from magis_calib.benchmark.grid import Measured, Task, measure
from magis_calib.benchmark.picture import PARAMETERS
from magis_calib.benchmark.scenes import LONG
from magis_calib.benchmark.statistic import CHANCE_SIGMA, BenchmarkVerdict
from magis_calib.benchmark.workers import Tick, spread

STREAM = 4
SLACK = {1: 0.05, 2: 0.03}
"""Coverage may miss that of a normal distribution by this, or by what chance allows."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often the truth lay within one and two standard errors of one parameter."""

    name: str
    views: int
    within: dict[int, float]
    """By number of standard errors."""

    def verdicts(self) -> list[BenchmarkVerdict]:
        """Both coverages against those of a normal distribution."""
        return [
            BenchmarkVerdict(
                f"{self.name} within ±{sigma}", self.within[sigma], *_limits(sigma, self.views)
            )
            for sigma in SLACK
        ]


@dataclass(frozen=True, slots=True)
class LongPeriodResult:
    """Coverage of every parameter over views with the longest period."""

    views: int
    coverages: tuple[Coverage, ...]
    refused: Counter[str]

    def verdicts(self) -> list[BenchmarkVerdict]:
        """All coverages."""
        return [verdict for one in self.coverages for verdict in one.verdicts()]

    def document(self) -> dict[str, object]:
        """For JSON."""
        found = {
            one.name: {"views": one.views, "within_1": one.within[1], "within_2": one.within[2]}
            for one in self.coverages
        }
        return {"views": self.views, "refused": dict(self.refused), "coverage": found}


def try_long_period(seed: int, views: int, processes: int, tick: Tick) -> LongPeriodResult:
    """Fit this many views for each number of atoms and kind of noise."""
    tasks = [Task(seed, STREAM, cell, number) for number in range(views) for cell in LONG]
    measured = spread(measure, tasks, processes, tick)
    kept = [one for one in measured if "position" not in one.missing]
    refused = Counter("; ".join(one.reasons) for one in measured if one.missing)
    return LongPeriodResult(
        len(measured), tuple(_coverage(name, kept) for name in PARAMETERS), refused
    )


def _coverage(name: str, measured: list[Measured]) -> Coverage:
    pulls = [one.pulls[name] for one in measured if name in one.pulls]
    return Coverage(name, len(pulls), {sigma: _share_within(sigma, pulls) for sigma in SLACK})


def _share_within(sigma: int, pulls: list[float]) -> float:
    return sum(abs(pull) <= sigma for pull in pulls) / len(pulls) if pulls else math.nan


def _limits(sigma: int, views: int) -> tuple[float, float]:
    ideal = float(1.0 - 2.0 * norm.sf(sigma))
    chance = CHANCE_SIGMA * math.sqrt(ideal * (1.0 - ideal) / max(1, views))
    room = max(SLACK[sigma], chance)
    return ideal - room, ideal + room
