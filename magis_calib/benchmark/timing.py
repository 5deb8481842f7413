"""The time from pixels to the station estimate, and the memory beyond the images."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from magis_calib.benchmark.clocked import SETUPS, ClockedPicture, Setup, clocked_pair
from magis_calib.benchmark.statistic import BenchmarkVerdict
from magis_calib.benchmark.workers import Tick
from magis_calib.domain.camera import View
from magis_calib.domain.estimate import ViewEstimate
from magis_calib.estimation.station import combine
from magis_calib.estimation.view import estimate_image
from magis_calib.imaging.both_views import side_by_side
from magis_calib.imaging.electrons import from_counts

Pair = Mapping[View, ClockedPicture]
FEWEST = 3


@dataclass(frozen=True, slots=True)
class Clocked:
    """One setup: seconds over the repeats. The p99 of few repeats is near their worst."""

    name: str
    repeats: int
    p50_s: float
    p99_s: float
    stages_p50_s: Mapping[str, float]
    memory_over_images: float
    """Peak of what is allocated during the estimate, over the bytes of both images."""
    usable: bool


@dataclass(frozen=True, slots=True)
class TimingResult:
    """All setups."""

    setups: tuple[Clocked, ...]

    def verdicts(self) -> list[BenchmarkVerdict]:
        """The clock judges nothing, machines differ.

        But what it measured must be an estimate that can be used.
        """
        return [
            BenchmarkVerdict(f"{one.name}: usable", float(one.usable), 1.0, 1.0)
            for one in self.setups
        ]

    def document(self) -> dict[str, object]:
        """For JSON."""
        return {"setups": [asdict(one) for one in self.setups]}


def try_timing(
    seed: int, repeats: int, tick: Tick, setups: Sequence[Setup] = SETUPS
) -> TimingResult:
    """Clock all setups in this process, one after the other."""
    return TimingResult(
        tuple(_clock(seed, setup, repeats_of(setup, repeats), tick) for setup in setups)
    )


def repeats_of(setup: Setup, repeats: int) -> int:
    """Return how often this setup is repeated."""
    return max(FEWEST, round(setup.repeats_share * repeats))


def clock_view(picture: ClockedPicture) -> tuple[ViewEstimate, float]:
    """Return the estimate of one view alone and the seconds it takes."""
    began = time.perf_counter()
    estimate = estimate_image(from_counts(picture.counts, picture.facts), picture.camera)
    return estimate, time.perf_counter() - began


def _clock(seed: int, setup: Setup, repeats: int, tick: Tick) -> Clocked:
    pair = clocked_pair(seed, setup)
    memory, usable = _memory(pair)
    passes = []
    for _ in range(repeats):
        passes.append(_station(pair)[1])
        tick()
    stages = {name: float(np.median([one[name] for one in passes])) for name in passes[0]}
    whole = [sum(one.values()) for one in passes]
    p50, p99 = np.percentile(whole, [50, 99]).tolist()
    return Clocked(setup.name, repeats, p50, p99, stages, memory, usable)


def _station(pair: Pair) -> tuple[bool, dict[str, float]]:
    """Estimate once: whether both views with their fringe can be used, and seconds per stage."""
    estimates: dict[View, ViewEstimate] = {}
    began = time.perf_counter()
    images = side_by_side(lambda _, picture: from_counts(picture.counts, picture.facts), pair)
    seconds = {"electrons": time.perf_counter() - began}
    for view, image in images.items():
        began = time.perf_counter()
        estimates[view] = estimate_image(image, pair[view].camera)
        seconds[f"estimate {view}"] = time.perf_counter() - began
    began = time.perf_counter()
    station = combine(estimates)
    seconds["combine"] = time.perf_counter() - began
    return station.usable and bool(np.all(np.isfinite(station.vector))), seconds


def _memory(pair: Pair) -> tuple[float, bool]:
    """Return peak memory over the bytes of the images, in a pass that is not clocked."""
    tracemalloc.start()
    try:
        usable, _ = _station(pair)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return peak / sum(picture.counts.nbytes for picture in pair.values()), usable
