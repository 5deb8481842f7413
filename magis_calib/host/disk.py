"""How long the disk will last at the present pace."""

from __future__ import annotations

import shutil
import time
from collections import deque
from pathlib import Path

RESERVE_BYTES = 64_000_000
"""A disk with less than this left counts as full: what is recorded must still be closed properly.
"""
LOOK_EVERY_S = 2.0
PACE_OVER_S = 600.0
"""The pace is that of the last so many seconds."""
SOONEST_S = 20.0
"""Before a pace was seen for so long there is no forecast."""


class Disk:
    """Watches the free space of the disk that a session lies on. One thread uses it."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._seen: deque[tuple[float, int]] = deque()
        self._looked_s = float("-inf")
        self.free_bytes: int | None = None
        self.hours_left: float | None = None
        """Until the disk counts as full; None while no pace is known, or nothing is written."""

    def measure(self, folder: Path, written_bytes: int) -> None:
        """Look again, not too often. `written_bytes`: by this session so far, on disk."""
        now_s = time.monotonic()
        if now_s - self._looked_s < LOOK_EVERY_S:
            return
        self._looked_s = now_s
        try:
            self.free_bytes = shutil.disk_usage(folder).free
        except OSError:
            self.free_bytes = self.hours_left = None
            return
        self._seen.append((now_s, written_bytes))
        while now_s - self._seen[0][0] > PACE_OVER_S:
            self._seen.popleft()
        passed_s, grown = now_s - self._seen[0][0], written_bytes - self._seen[0][1]
        room = max(0, self.free_bytes - RESERVE_BYTES)
        self.hours_left = (
            room / (grown / passed_s) / 3600.0 if passed_s >= SOONEST_S and grown > 0 else None
        )


def bytes_on_disk(folder: Path) -> int:
    """Return how much a session takes."""
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())
