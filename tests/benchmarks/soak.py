"""A night in a hundred minutes: random faults, one after another, with the window open. Run it on a screen:

    xvfb-run -a -s "-screen 0 1920x1080x24" python -m tests.benchmarks.soak --folder NEW [--minutes 100] [--interval 0.6]

The application with its window and a simulated station of the small sensor; rows of the fault table in random order are
put into the station's live file of faults, with good drops between, and an operator closes the loop where that is the
way out. Prints memory, file handles and threads of both processes by the minute, then every loss that has no name,
and the limits broken as counted inside the simulated controllers; exit 1 where anything grows or there is one of them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QApplication

from magis_calib.cli.assemble import LiveRun
from magis_calib.cli.main import settle_in
from magis_calib.cli.simulate import SimulatedProcess, on_free_ports
from magis_calib.domain.commands import CloseLoop, StopRun
from magis_calib.domain.loading import load_config, select_station
from magis_calib.recording.reader import Session
from simulators.options import SimulationOptions
from tests.benchmarks.faults.running import AFTER, FIRST, OPERATOR_AFTER
from tests.benchmarks.faults.table import ROWS, Row
from tests.benchmarks.large_session import resident_bytes
from ui.theme import dress
from ui.window import MainWindow

MEMORY_GROWTH, MORE_HANDLES = 0.05, 4
"""Of the last tenth over the second tenth of the minutes."""
AHEAD = 3
"""A fault begins so many drops after it is put into the file."""
LONGEST_ROW = 50
"""Rows that need more drops than this are left to the fault table: here they would be half of the run."""


class Trouble:
    """Puts one row after another into the file of faults, and closes the loop where that is the way out."""

    def __init__(self, run: LiveRun, path: Path, seed: int) -> None:
        """Begin with a station without faults."""
        self._run, self._path, self._random = run, path, random.Random(seed)
        self._rows = [row for row in ROWS if row.last < LONGEST_ROW]
        self._next, self._close_at = FIRST, 0
        self.told: list[str] = []
        path.write_text("")

    def look(self) -> None:
        """Do what is due at the newest drop."""
        latest = self._run.engine.snapshot.latest
        if latest is None:
            return
        if self._close_at and latest.drop_id >= self._close_at:
            self._run.engine.submit(CloseLoop())
            self._close_at = 0
        if latest.drop_id >= self._next:
            self._begin(self._random.choice(self._rows), latest.drop_id + AHEAD)

    def _begin(self, row: Row, first: int) -> None:
        """Let the row's faults begin with drop `first`."""
        later = re.sub(r"_drop = (\d+)", lambda found: f"_drop = {int(found[1]) + first - FIRST}", row.faults)
        new = self._path.with_suffix(".new")
        new.write_text(later)
        new.replace(self._path)
        last = first + row.last - FIRST
        self._close_at = last + OPERATOR_AFTER if row.operator else 0
        self._next = last + AFTER
        self.told.append(f"drop {first}: {row.name}")


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
        resident_bytes(process) / 1e6, len(list((there / "fd").iterdir())), len(list((there / "task").iterdir()))
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
        now = ", ".join(f"{name} {one[-1].megabytes:.0f} MB {one[-1].handles} handles {one[-1].threads} threads"
                        for name, one in self.minutes.items())  # fmt: skip
        print(f"minute {len(self.minutes['application'])}, drop {drops}: {now}", flush=True)

    def growth(self) -> list[str]:
        """Say what grew from the second tenth to the last one."""
        wrong = []
        for name, minutes in self.minutes.items():
            tenth = max(len(minutes) // 10, 1)
            early, late = minutes[tenth : 2 * tenth], minutes[-tenth:]
            memory = [float(np.median([one.megabytes for one in part])) for part in (early, late)]
            handles = [float(np.median([one.handles for one in part])) for part in (early, late)]
            print(f"{name}: {memory[0]:.0f} to {memory[1]:.0f} MB ({memory[1] / memory[0] - 1:+.1%}, < {MEMORY_GROWTH:.0%}), "
                  f"{handles[0]:g} to {handles[1]:g} handles (≤ +{MORE_HANDLES})")  # fmt: skip
            if memory[1] > memory[0] * (1 + MEMORY_GROWTH) or handles[1] > handles[0] + MORE_HANDLES:
                wrong.append(f"{name} grows")
        return wrong


def main() -> int:
    """Run and judge; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="new folder for the session")
    parser.add_argument("--minutes", type=float, default=100.0)
    parser.add_argument("--interval", type=float, default=0.6, help="seconds between drops")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.folder.mkdir(parents=True)
    settle_in()
    app = QApplication([])
    dress(app)
    config = load_config(None)
    name, station = select_station(config, None)
    faults, truth, keys = (options.folder / one for one in ("faults.toml", "truth.jsonl", "keys"))
    with on_free_ports(station, own=False) as (station, _):
        run = LiveRun(config, name, station, options.folder, None, {"simulated": True, "simulation": ""}, go_on=False,
                      keys=keys)  # fmt: skip
        trouble = Trouble(run, faults, options.seed)
        simulation = SimulationOptions("small", options.seed, options.interval, truth, faults=faults)
        simulated = SimulatedProcess(simulation, station.links, None, name, None, keys)
        watch = Watch()
        run.watch(simulated.link)
        run.engine.start()
        window = MainWindow(run.engine, QSettings(str(options.folder / "window.ini"), QSettings.Format.IniFormat),
                            close_confirm=False)  # fmt: skip
        window.resize(1920, 1080)
        window.show()
        timer = QTimer(window, interval=200)
        timer.timeout.connect(trouble.look)
        timer.timeout.connect(lambda: watch.look(run.engine.snapshot.counters.expected))
        timer.start()
        QTimer.singleShot(round(60_000 * options.minutes), app.quit)
        app.exec()
        failures = window.failures
        run.engine.submit(StopRun())
        run.engine.wait()
        window.close()
        simulated.stop()
        run.close()
    wrong = [*(f"panel failed: {one}" for one in failures), *watch.growth(), *losses(run, truth)]
    print(f"{len(trouble.told)} faults: {'; '.join(trouble.told)}")
    for one in wrong:
        print(f"NOT AS IT SHOULD BE: {one}")
    return int(bool(wrong))


def losses(run: LiveRun, truth: Path) -> list[str]:
    """Compare what the station did with what the session says; return every loss without a name, and broken limits."""
    wrong = [f"the loop at the end: {run.engine.loop_fault}"] if run.engine.loop_fault else []
    lines = [json.loads(line) for line in truth.read_text().splitlines()]
    made = [line for line in lines if "drop_id" in line]
    with Session(Path(run.engine.snapshot.session)) as session:
        records, kept = {one.drop_id: one for one in session.records}, set(session.frames)
    for line in made:
        drop = line["drop_id"]
        gone = [view for view, frame in line["frames"].items() if frame.get("stored") and (drop, view) not in kept]
        wrong += [f"drop {drop}, view {view}: said to be stored, not in the session" for view in gone]
        if drop <= max(records) and drop not in records:
            wrong.append(f"drop {drop} is not in the session")
    wrong += [f"drop {one.drop_id} lacks a frame and says no reason" for one in records.values()
              if not one.complete and not one.estimate.reasons]  # fmt: skip
    outcomes: dict[str, int] = {}
    for one in records.values():
        outcomes[one.decision.outcome] = outcomes.get(one.decision.outcome, 0) + 1
    counts = lines[-1]["controllers"]
    print(f"{len(made)} drops made, {len(records)} in the session: {outcomes}")
    print(f"counted in the controllers: {counts}")
    return wrong + [f"{name}: {one['limit_violations']} limits broken" for name, one in counts.items()
                    if one["limit_violations"]]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
