"""Good pictures that are refused: each is a drop lost for nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from magis_calib.benchmark.grid import GOOD_STREAM, Task, fitted, good_picture, missing_from
from magis_calib.benchmark.scenes import GRID
from magis_calib.benchmark.statistic import REFUSED_MOST, BenchmarkVerdict
from magis_calib.benchmark.workers import Tick, spread


@dataclass(frozen=True, slots=True)
class Refusal:
    """A good picture that was refused."""

    index: int
    cell: str
    missing: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GoodResult:
    """How many of how many good pictures were refused, and why."""

    seed: int
    pictures: int
    refusals: tuple[Refusal, ...]

    def verdicts(self) -> list[BenchmarkVerdict]:
        """At most one in a thousand."""
        return [
            BenchmarkVerdict(
                "refused", len(self.refusals) / max(1, self.pictures), 0.0, REFUSED_MOST
            )
        ]

    def document(self) -> dict[str, object]:
        """For JSON."""
        return {
            "seed": self.seed,
            "pictures": self.pictures,
            "refusals": [asdict(one) for one in self.refusals],
        }


def try_good(seed: int, number: int, processes: int, tick: Tick) -> GoodResult:
    """Fit this many good pictures of the grid, all cells in turn."""
    found = spread(refusal, [(seed, index) for index in range(number)], processes, tick)
    return GoodResult(seed, number, tuple(one for one in found if one is not None))


def good_task(seed: int, index: int) -> Task:
    """Return what keys the good picture of this seed and index."""
    return Task(seed, GOOD_STREAM, GRID[index % len(GRID)], index // len(GRID))


def refusal(key: tuple[int, int]) -> Refusal | None:
    """Return why the good picture of this seed and index was refused; None where it was not."""
    task = good_task(*key)
    estimate = fitted(*good_picture(task))
    missing = missing_from(estimate)
    return Refusal(key[1], task.cell.in_words(), missing, estimate.reasons) if missing else None
