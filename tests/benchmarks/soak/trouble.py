"""Random faults, one after another, and an operator who closes the loop where that is the
way out.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

from magis_calib.app.live import LiveRun
from magis_calib.state.commands import CloseLoop
from tests.benchmarks.faults.expecting import Row
from tests.benchmarks.faults.running import AFTER, FIRST, OPERATOR_AFTER
from tests.benchmarks.faults.table import ROWS
from tests.benchmarks.faults.weather import Weather

AHEAD = 3
"""A fault begins so many drops after it is put into the file."""
LATE = 5
"""The recorder, and what is made of a drop, may be so many drops behind."""
FAULTS = "faults.toml"
LONGEST_ROW = 50
"""Rows that need more drops than this are left to the fault table: here they would be half of the
run.
"""


class Trouble:
    """Puts one row after another into the file of faults, and closes the loop where that is the way
    out.
    """

    def __init__(self, run: LiveRun, folder: Path, seed: int) -> None:
        """Begin with a station without faults.

        Its file of them, and that of the disk, lie in this folder.
        """
        self._run, self._path, self._random = run, folder / FAULTS, random.Random(seed)
        self._weather, self._disk = Weather(folder), ""
        self._struck = range(0)
        self.unwritable: list[range] = []
        """Drops for which the disk may have been full or read-only."""
        self._rows = [row for row in ROWS if row.last < LONGEST_ROW]
        self._next, self._close_at = FIRST, 0
        self._ends, self.is_over = False, False
        self.told: list[str] = []
        self._path.write_text("")

    def look(self) -> None:
        """Do what is due at the newest drop."""
        latest = self._run.engine.snapshot.latest
        if latest is None:
            return
        if self._close_at and latest.drop_id >= self._close_at:
            self._run.engine.submit(CloseLoop())
            self._close_at = 0
        self._weather.become(self._disk if latest.drop_id + 1 in self._struck else "")
        if latest.drop_id < self._next:
            return
        if self._ends:
            self.is_over = True
        else:
            self._begin(self._random.choice(self._rows), latest.drop_id + AHEAD)

    def end(self) -> None:
        """Begin no other row; it is over once the last one has had its good drops."""
        self._ends = True

    def _begin(self, row: Row, first: int) -> None:
        """Let the row's faults begin with drop `first`."""
        later = re.sub(
            r"_drop = (\d+)", lambda found: f"_drop = {int(found[1]) + first - FIRST}", row.faults
        )
        new = self._path.with_suffix(".new")
        new.write_text(later)
        new.replace(self._path)
        last = first + row.last - FIRST
        self._close_at = last + OPERATOR_AFTER if row.operator else 0
        self._next = last + AFTER
        self._disk, self._struck = row.disk, range(first, last + 1)
        if row.disk:
            self.unwritable.append(range(first - LATE, last + LATE))
        self.told.append(f"drop {first}: {row.name}")
