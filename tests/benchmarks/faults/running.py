"""Runs one fault: good drops, drops with the fault, good drops again.

A real station beside a real application.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from magis_calib.app.live import LiveRun, RunRequest
from magis_calib.app.simulated import SimulatedProcess, on_free_ports
from magis_calib.cli.main import settle_in
from magis_calib.config.loading import load_config, select_station
from magis_calib.domain.drop_record import DropRecord
from magis_calib.recording.reader import Session
from magis_calib.run.engine import Engine
from magis_calib.state.commands import CloseLoop, StopRun
from magis_calib.state.safety import SafetyChange
from simulators.options import SimulationOptions
from tests.bench import loop_fault
from tests.benchmarks.faults.weather import Weather, variables

FIRST, LAST = 16, 25
"""First and last drop with the fault, where a row says nothing else."""
AFTER = 22
"""Good drops after it."""
OPERATOR_AFTER = 5
"""So many good drops after the fault the operator closes the loop, where a row says that this is
the way out.
"""
INTERVAL_S = 0.7
"""The application must keep up, or what is seen in a drop is not what was wrong when it was
corrected.
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is left of one run."""

    first: int
    last: int
    loop_fault: str
    records: tuple[DropRecord, ...]
    alarms: str
    """The texts of all, over or not."""
    safety: tuple[SafetyChange, ...]
    violations: int
    """Of limits, counted inside the simulated controllers."""
    unexplained: tuple[int, ...]
    """Drops with neither a whole pair nor a reason."""

    def during(self) -> tuple[DropRecord, ...]:
        """Return the drops with the fault."""
        return tuple(one for one in self.records if self.first <= one.drop_id <= self.last)

    def until_corrected(self) -> int | None:
        """Return the how many-th good drop was the first with a correction again; None for none."""
        after = (
            one.drop_id - self.last
            for one in self.records
            if one.drop_id > self.last and one.decision.outcome == "applied"
        )
        return next(after, None)


def run(faults: str, last: int, operator: bool, disk: str, folder: Path) -> Seen:
    """Let the application meet these faults; `disk`:
    what its disk is like meanwhile (bad_disk.c).
    """
    sessions = folder / "sessions"
    sessions.mkdir(parents=True)
    os.environ |= variables(folder)
    (folder / "faults.toml").write_text(faults)
    settle_in()
    config = load_config(None)
    name, station = select_station(config, None)
    options = SimulationOptions(
        "small", 3, INTERVAL_S, folder / "truth.jsonl", faults=folder / "faults.toml"
    )
    with on_free_ports(station) as (station, _):
        keys = folder / "keys"
        drops = last + AFTER
        live = LiveRun(
            config,
            name,
            station,
            RunRequest(
                sessions,
                drops=drops,
                about={"simulated": True, "simulation": ""},
                go_on=False,
                keys=keys,
            ),
        )
        simulated = SimulatedProcess(options, station, None, name, drops, keys)
        live.watch(simulated.link)
        live.engine.start()
        _attend(live.engine, last, operator, disk, Weather(folder))
        live.engine.submit(StopRun())
        live.engine.wait()
        simulated.stop()
        live.close()
    return _seen(live.engine, folder, last)


def _attend(engine: Engine, last: int, operator: bool, disk: str, weather: Weather) -> None:
    """Wait until the run is over; close the loop once, where that is the way out."""
    while not engine.finished.wait(0.05):
        newest = engine.snapshot.latest.drop_id if engine.snapshot.latest is not None else 0
        if operator and newest >= last + OPERATOR_AFTER:
            engine.submit(CloseLoop())
            operator = False
        weather.become(disk if FIRST <= newest + 1 <= last else "")


def _seen(engine: Engine, folder: Path, last: int) -> Seen:
    snapshot = engine.snapshot
    with Session(Path(snapshot.session)) as session:
        records = tuple(session.records)
    told = {one.drop_id: one for one in records}
    unexplained = [
        drop
        for drop in range(1, max(told, default=0) + 1)
        if drop not in told or not (told[drop].complete or told[drop].estimate.reasons)
    ]
    deadline_s = time.monotonic() + 10.0
    while (
        not (lines := (folder / "truth.jsonl").read_text().splitlines())
        or "controllers" not in lines[-1]
    ):
        assert time.monotonic() < deadline_s, "the station did not write its last line"
        time.sleep(0.1)
    violations = sum(
        one["limit_violations"] for one in json.loads(lines[-1])["controllers"].values()
    )
    alarms = "\n".join(
        [*(one.text for one in snapshot.past_alarms), *(one.text for one in snapshot.alarms)]
    )
    return Seen(
        FIRST,
        last,
        loop_fault(engine),
        records,
        alarms,
        snapshot.safety_changes,
        violations,
        tuple(unexplained),
    )
