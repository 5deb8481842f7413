"""Whole runs of the program with the simulated station, for the measurements beside this file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from typing import Any

from magis_calib.app.live import LiveRun, RunRequest
from magis_calib.app.report import build_report, write_report
from magis_calib.app.simulated import SimulatedProcess
from magis_calib.config.loading import load_config, select_station
from magis_calib.config.station import default_text
from magis_calib.domain.drop_record import DropRecord
from magis_calib.products.store import Product, products_in
from magis_calib.recording.reader import Session
from magis_calib.state.commands import Command
from simulators.options import SimulationOptions

BESIDE_EACH_OTHER = 2
FIRST_PORT = 15600
"""Runs beside each other take ten ports each from here on."""


@dataclass(frozen=True)
class Case:
    """One run: what differs from the shipped station, and what an operator does on the way."""

    name: str
    seed: int = 1
    drops: int = 1000
    options: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    """The command that starts the run; none: a plain run."""
    config: Mapping[str, str] = field(default_factory=dict)
    """Text of the shipped configuration that is replaced."""
    faults: str = ""
    """Text of a file of faults (docs/faults.md)."""
    commands: Mapping[int, Command] = field(default_factory=dict)
    """What an operator asks for as soon as a drop has its outcome."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a run left behind."""

    case: Case
    exit_code: int
    report: dict[str, Any]
    plant: dict[str, Any]
    truth: list[dict[str, Any]]
    """A line for each drop."""
    controllers: dict[str, Any]
    records: dict[int, DropRecord]
    products: list[Product]


def config_text(case: Case, slot: int) -> str:
    """Return the shipped configuration with this case's changes, on ports of its own.

    Raises `ValueError`.
    """
    text = default_text()
    for old, new in case.config.items():
        if old not in text:
            raise ValueError(f"{case.name}: the shipped configuration has no {old!r}")
        text = text.replace(old, new)
    for last in range(4):
        text = text.replace(f":1555{last}", f":{FIRST_PORT + 10 * slot + last}")
    return text


def arguments(case: Case, folder: Path, slot: int) -> list[str]:
    """Write the case's files into its folder and return the options of its run."""
    folder.mkdir(parents=True)
    (folder / "station.toml").write_text(config_text(case, slot), encoding="utf-8")
    left = {
        "session-dir": "sessions",
        "truth": "truth",
        "report": "report.json",
        "products-dir": "products",
        "config": "station.toml",
    }
    words = [
        *case.command,
        "--simulate",
        "--auto",
        "--sensor",
        "small",
        "--interval",
        "0",
        "--seed",
        str(case.seed),
        "--drops",
        str(case.drops),
        *case.options,
    ]
    words += [part for option, name in left.items() for part in (f"--{option}", str(folder / name))]
    if case.faults:
        (folder / "faults.toml").write_text(case.faults, encoding="utf-8")
        words += ["--faults", str(folder / "faults.toml")]
    return words


def run(case: Case, folder: Path, slot: int) -> Outcome:
    """Run one case as a program of its own and read what it left.

    Raises `RuntimeError` where it left nothing.
    """
    if case.commands:
        return with_operator(case, folder, slot)
    done = subprocess.run(
        [sys.executable, "-m", "magis_calib", *arguments(case, folder, slot)],
        capture_output=True,
        text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        check=False,
        timeout=60 + case.drops,
    )
    return left_behind(case, folder, done.returncode, done.stderr)


def with_operator(case: Case, folder: Path, slot: int) -> Outcome:
    """Run one case in this process, with the simulated station as a child, and give the commands
    when they are due.
    """
    arguments(case, folder, slot)
    config = load_config(folder / "station.toml")
    name, station = select_station(config, None)
    options = SimulationOptions(
        "small",
        case.seed,
        0.0,
        folder / "truth",
        faults=folder / "faults.toml" if case.faults else None,
    )
    live = LiveRun(
        config,
        name,
        station,
        RunRequest(
            folder / "sessions",
            drops=case.drops,
            about={"simulated": True, "simulation": ""},
            go_on=False,
        ),
    )
    simulated = SimulatedProcess(options, station, folder / "station.toml", name, case.drops)
    live.engine.start()
    try:
        due = dict(case.commands)
        while not live.engine.wait(0.002):
            latest = live.engine.snapshot.latest
            for drop in [one for one in due if latest is not None and latest.drop_id >= one]:
                live.engine.submit(due.pop(drop))
    finally:
        simulated.stop()
        live.close()
    write_report(folder / "report.json", build_report(live.engine, station, case.drops, None))
    return left_behind(case, folder, 0, "")


def left_behind(case: Case, folder: Path, exit_code: int, said: str) -> Outcome:
    """Read what a run left in its folder. Raises `RuntimeError` where it left nothing."""
    try:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        lines = [
            json.loads(line) for line in (folder / "truth").read_text(encoding="utf-8").splitlines()
        ]
    except OSError as error:
        raise RuntimeError(
            f"{case.name}: exit {exit_code}: {error}; it said {said[-500:]}"
        ) from error
    with Session(next((folder / "sessions").iterdir())) as session:
        records = {one.drop_id: one for one in session.records}
    controllers = next((line["controllers"] for line in lines if "controllers" in line), {})
    truth = [line for line in lines if "drop_id" in line]
    products = [one for _, one in products_in(folder / "products")]
    return Outcome(
        case, exit_code, report, lines[0]["plant"], truth, controllers, records, products
    )


def run_all(cases: Sequence[Case], folder: Path) -> list[Outcome]:
    """Run the cases, two beside each other on ports of their own; return them in order."""
    slots: Queue[int] = Queue()
    for slot in range(BESIDE_EACH_OTHER):
        slots.put(slot)

    def one(case: Case) -> Outcome:
        slot = slots.get()
        try:
            return run(case, folder / case.name.replace(" ", "_").replace(",", ""), slot)
        finally:
            slots.put(slot)
            print(f"  {case.name} done", file=sys.stderr, flush=True)

    with ThreadPoolExecutor(BESIDE_EACH_OTHER) as pool:
        return list(pool.map(one, cases))
