"""One run of the application against cameras that lie for some drops, and what came of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from hardware.camera import CameraLink
from magis_calib.config.station import Station
from magis_calib.run.engine import Engine
from tests.benchmarks.lies.cameras import (
    KINDS,
    Lie,
    LyingCameras,
    numbers_again,
    second_driver,
    trigger,
)
from tests.benchmarks.lies.controllers import LyingControllers, Schedule
from tests.benchmarks.lies.conversation import run

DROPS = 16
FOR_GOOD = (numbers_again, second_driver)
"""What is not over once the lies are: somebody must look first."""


@dataclass(frozen=True)
class FoundOfCameras:
    """What came of a conversation."""

    kind: str
    seed: int
    corrected_by: tuple[int, ...]
    """Drops that were corrected by although their pictures were of other drops."""
    untold: str
    """What was not said though it stood at the end."""
    corrected: bool
    """It corrected by good drops again, or held for good as it should."""

    @property
    def good(self) -> bool:
        return self.corrected and not self.corrected_by and not self.untold


def look(
    station: Station, seed: int, kind: Callable[[random.Random], Lie] | None = None
) -> FoundOfCameras:
    """Have one run: lies of a random kind from a random drop on, for some drops or to the end."""
    rng = random.Random(seed)
    kind = kind or rng.choice(KINDS)
    begin = rng.choice((2, 5, 8) if kind is trigger else (1, 2, 5, 8))
    to_the_end = rng.random() < 0.5
    lying = range(begin, DROPS + 1 if to_the_end else begin + rng.choice((3, 4)))
    views = rng.choice(("x", "y", "xy"))
    cameras = LyingCameras(station, seed, lying, views, kind(rng))
    again = rng.choice((4, 8)) if kind is numbers_again else None
    schedule = Schedule(DROPS, range(0), lambda asked: [(0.0, asked.told)], again)
    controllers = LyingControllers(
        station,
        schedule,
        lambda drop_id, in_force: cameras.photograph(drop_id, in_force, controllers.turn),
        planned_ns=cameras.planned_ns,
    )
    try:
        engine = run(
            station,
            lambda security: CameraLink(security, "bottom", station, "a1"),
            cameras,
            controllers,
        )
    finally:
        controllers.close()
        cameras.close()
    applied = [one.drop_id for one in engine.snapshot.records if one.decision.outcome == "applied"]
    return FoundOfCameras(
        kind.__name__,
        seed,
        tuple(sorted(cameras.wrong.intersection(applied))),
        _untold(engine, to_the_end or kind is numbers_again),
        kind in FOR_GOOD or to_the_end or any(drop >= lying.stop for drop in applied),
    )


def _untold(engine: Engine, to_the_end: bool) -> str:
    """Say what nobody was told: that it was wrong, and by the exit code that it still is."""
    snapshot = engine.snapshot
    alarms = (*snapshot.past_alarms, *snapshot.alarms)
    if not any(one.severity == "act" for one in alarms):
        return "no alarm asked to act"
    return "the exit code is that of a good run" if to_the_end and not engine.bad_end else ""
