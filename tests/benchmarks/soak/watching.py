"""What both processes hold, by the minute."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.benchmarks.large_session import resident_bytes

MEMORY_GROWTH, MORE_HANDLES = 0.05, 4
"""Of the last minutes over the first ones that count, a tenth of the run each."""
SETTLED_MIN = 10
"""What a process takes in its first minutes (buffers that fill, a history of drops) is no growth; a
shorter run counts
from its middle on."""


@dataclass(frozen=True, slots=True)
class Minute:
    """What one process held."""

    megabytes: float
    handles: int
    threads: int


def held_by(process: int) -> Minute:
    """Return what a process holds now."""
    there = Path(f"/proc/{process}")
    return Minute(
        resident_bytes(process) / 1e6,
        len(list((there / "fd").iterdir())),
        len(list((there / "task").iterdir())),
    )


class Watch:
    """Samples both processes by the minute."""

    def __init__(self) -> None:
        """Take this process and the one that it has started."""
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        self._processes = {"application": os.getpid(), "station": int(children[-1])}
        self._began_s = time.monotonic()
        self.minutes: dict[str, list[Minute]] = {name: [] for name in self._processes}

    def look(self, drops: int) -> None:
        """Take and print a sample if a minute is over."""
        if time.monotonic() - self._began_s < 60.0 * (len(self.minutes["application"]) + 1):
            return
        for name, process in self._processes.items():
            self.minutes[name].append(held_by(process))
        now = ", ".join(
            f"{name} {one[-1].megabytes:.0f} MB {one[-1].handles} handles {one[-1].threads} threads"
            for name, one in self.minutes.items()
        )
        print(f"minute {len(self.minutes['application'])}, drop {drops}: {now}", flush=True)

    def growth(self) -> list[str]:
        """Say what grew between the first minutes that count and the last ones."""
        wrong = []
        for name, minutes in self.minutes.items():
            tenth = max(len(minutes) // 10, 1)
            begin = min(SETTLED_MIN, len(minutes) // 2)
            early, late = minutes[begin : begin + tenth], minutes[-tenth:]
            memory = [float(np.median([one.megabytes for one in part])) for part in (early, late)]
            handles = [float(np.median([one.handles for one in part])) for part in (early, late)]
            growth, more = memory[1] / memory[0] - 1.0, handles[1] - handles[0]
            print(
                f"{name}: {memory[0]:.0f} to {memory[1]:.0f} MB ({growth:+.1%}, < "
                f"{MEMORY_GROWTH:.0%}), "
                f"{handles[0]:g} to {handles[1]:g} handles (≤ +{MORE_HANDLES})"
            )
            if growth >= MEMORY_GROWTH or more > MORE_HANDLES:
                wrong.append(f"{name} grows")
        return wrong
