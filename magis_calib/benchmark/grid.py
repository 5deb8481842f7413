"""The grid of good pictures: errors against the Cramér-Rao bound, and pulls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from magis_calib.benchmark.bound import bound
from magis_calib.benchmark.deviation import deviations
from magis_calib.benchmark.picture import PARAMETERS, Truth, photograph
from magis_calib.benchmark.scenes import GRID, Cell, camera_for, draw, small_sensor
from magis_calib.benchmark.statistic import REFUSED_MOST, BenchmarkVerdict, Statistic
from magis_calib.benchmark.workers import Tick, spread
from magis_calib.domain.camera import CameraFacts, Counts
from magis_calib.domain.estimate import ViewEstimate
from magis_calib.estimation.view import estimate_image
from magis_calib.imaging.electrons import from_counts

NEEDED = ("position", "fringe", "phase")
"""A good picture that lacks one of these counts as refused."""
GRID_STREAM, GOOD_STREAM = 1, 3


@dataclass(frozen=True, slots=True)
class Task:
    """One good picture by the numbers that key it."""

    seed: int
    stream: int
    cell: Cell
    number: int


@dataclass(frozen=True, slots=True)
class Measured:
    """One fit of a good picture."""

    cell: Cell
    number: int
    missing: tuple[str, ...]
    """Needed quantities that cannot be used; none of them where the picture was not refused."""
    reasons: tuple[str, ...]
    pulls: Mapping[str, float]
    """Error over its own standard error."""
    efficiencies: Mapping[str, float]
    """Error over the bound of this view."""


@dataclass(frozen=True, slots=True)
class CellResult:
    """All views of one cell, or of the whole grid where `cell` is None."""

    cell: Cell | None
    views: int
    statistics: tuple[Statistic, ...]
    refused: Counter[str]

    @classmethod
    def of(cls, cell: Cell | None, measured: Sequence[Measured]) -> CellResult:
        """Refused views are counted and take no part in the statistics."""
        kept = [one for one in measured if not one.missing]
        statistics = tuple(
            Statistic.of(
                name,
                [one.pulls[name] for one in kept if name in one.pulls],
                [one.efficiencies[name] for one in kept if name in one.pulls],
            )
            for name in PARAMETERS
        )
        refused = Counter("; ".join(one.reasons) for one in measured if one.missing)
        return cls(cell, len(measured), statistics, refused)

    @property
    def name(self) -> str:
        """The cell in words."""
        return self.cell.in_words() if self.cell else "all cells"

    def verdicts(self) -> list[BenchmarkVerdict]:
        """Each parameter, judged alone or as the whole grid."""
        judged = [
            one.judged_alone() if self.cell else one.judged_pooled() for one in self.statistics
        ]
        return [verdict.within(self.name) for verdicts in judged for verdict in verdicts]

    def document(self) -> dict[str, object]:
        """For JSON."""
        cell = asdict(self.cell) if self.cell else {}
        parameters = {one.name: one.document() for one in self.statistics}
        return {
            **cell,
            "views": self.views,
            "refused": dict(self.refused),
            "parameters": parameters,
        }


@dataclass(frozen=True, slots=True)
class GridResult:
    """Each cell and all of them together."""

    cells: tuple[CellResult, ...]
    pooled: CellResult

    def verdicts(self) -> list[BenchmarkVerdict]:
        """All cells together, each cell alone, and how many views were refused."""
        refused = self.pooled.refused.total() / max(1, self.pooled.views)
        verdicts = [BenchmarkVerdict("all cells: refused", refused, 0.0, REFUSED_MOST)]
        return verdicts + [
            verdict for one in (self.pooled, *self.cells) for verdict in one.verdicts()
        ]

    def document(self) -> dict[str, object]:
        """For JSON."""
        return {"pooled": self.pooled.document(), "cells": [one.document() for one in self.cells]}


def try_grid(
    seed: int, views: int, processes: int, tick: Tick, cells: Sequence[Cell] = GRID
) -> GridResult:
    """Fit this many views in each cell."""
    tasks = [Task(seed, GRID_STREAM, cell, number) for number in range(views) for cell in cells]
    measured = spread(measure, tasks, processes, tick)
    by_cell = tuple(
        CellResult.of(cell, [one for one in measured if one.cell == cell]) for cell in cells
    )
    return GridResult(by_cell, CellResult.of(None, measured))


def measure(task: Task) -> Measured:
    """Fit one good picture; compare it with the truth and with the bound of this very picture."""
    counts, truth, facts = good_picture(task)
    estimate = fitted(counts, truth, facts)
    found, best = deviations(estimate, truth), bound(truth, facts)
    return Measured(
        task.cell,
        task.number,
        missing_from(estimate),
        estimate.reasons,
        {name: one.pull for name, one in found.items()},
        {name: one.error / best[name] for name, one in found.items()},
    )


def good_picture(task: Task) -> tuple[Counts, Truth, CameraFacts]:
    """Return the picture of this task with its truth."""
    cell = task.cell
    key = [round(cell.atoms), round(cell.period_m * 1e6), round(cell.excess * 1e3)]
    rng = np.random.default_rng([task.seed, task.stream, *key, task.number])
    facts = small_sensor(cell.excess)
    truth = draw(rng, cell, facts)
    return photograph(rng, truth, facts), truth, facts


def fitted(counts: Counts, truth: Truth, facts: CameraFacts) -> ViewEstimate:
    """Return the estimate of a camera that expects the fringe on the side where it is."""
    towards = (float(np.sign(truth.fringe_horizontal_rad_per_m)), 0.0)
    return estimate_image(from_counts(counts, facts), camera_for(truth, towards))


def missing_from(estimate: ViewEstimate) -> tuple[str, ...]:
    """Return what a good picture should give and this one does not."""
    return tuple(
        name for name in NEEDED if not (estimate.usable and name in estimate.usable_quantities)
    )
