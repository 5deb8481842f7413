"""A night in a hundred minutes: random faults, one after another, with the window open. Run it on a
screen:

    xvfb-run -a -s "-screen 0 1920x1080x24" python -m tests.benchmarks.soak --folder NEW [--minutes
    100]

The application with its window and a simulated station of the small sensor; rows of the fault table
in random order are put into the station's live file of faults, with good drops between, and an
operator closes the loop where that is the way out. Prints memory, file handles and threads of both
processes by the minute, then every loss that has no name, and the limits broken as counted inside
the simulated controllers; exit 1 where anything grows or there is one of them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QApplication

from magis_calib.app.live import LiveRun, RunRequest
from magis_calib.app.simulated import SimulatedProcess, on_free_ports
from magis_calib.cli.main import settle_in
from magis_calib.config.loading import load_config, select_station
from magis_calib.recording.reader import Session
from magis_calib.state.commands import StopRun
from simulators.options import SimulationOptions
from tests.bench import loop_fault
from tests.benchmarks.faults.weather import built, variables
from tests.benchmarks.soak.trouble import FAULTS, Trouble
from tests.benchmarks.soak.watching import Watch
from ui.style.theme import dress
from ui.window.main_window import MainWindow


def main() -> int:
    """Run and judge; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="new folder for the session")
    parser.add_argument("--minutes", type=float, default=100.0)
    parser.add_argument("--interval", type=float, default=0.6, help="seconds between drops")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if (
        "BAD_DISK" not in os.environ
    ):  # what stands between a program and its disk must be there when it starts
        (options.folder / "sessions").mkdir(parents=True)
        preloaded = {
            "LD_PRELOAD": built(options.folder / "bad_disk.so"),
            **variables(options.folder),
        }
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **preloaded})
    settle_in()
    app = QApplication([])
    dress(app)
    config = load_config(None)
    name, station = select_station(config, None)
    sessions, truth, keys = (options.folder / one for one in ("sessions", "truth.jsonl", "keys"))
    with on_free_ports(station, own=False) as (station, _):
        run = LiveRun(
            config,
            name,
            station,
            RunRequest(
                sessions, about={"simulated": True, "simulation": ""}, go_on=False, keys=keys
            ),
        )
        trouble = Trouble(run, options.folder, options.seed)
        faults = options.folder / FAULTS
        simulation = SimulationOptions(
            "small", options.seed, options.interval, truth, faults=faults
        )
        simulated = SimulatedProcess(simulation, station, None, name, None, keys)
        watch = Watch()
        run.watch(simulated.link)
        run.engine.start()
        window = MainWindow(
            run.engine,
            QSettings(str(options.folder / "window.ini"), QSettings.Format.IniFormat),
            close_confirm=False,
        )
        window.resize(1920, 1080)
        window.show()
        timer = QTimer(window, interval=200)
        timer.timeout.connect(trouble.look)
        timer.timeout.connect(lambda: watch.look(run.engine.snapshot.counters.expected))
        timer.start()
        timer.timeout.connect(lambda: app.quit() if trouble.is_over else None)
        QTimer.singleShot(round(60_000 * options.minutes), trouble.end)
        app.exec()
        failures = window.failures
        run.engine.submit(StopRun())
        run.engine.wait()
        window.close()
        simulated.stop()
        run.close()
    wrong = [
        *(f"panel failed: {one}" for one in failures),
        *watch.growth(),
        *losses(run, trouble, truth),
    ]
    print(f"{len(trouble.told)} faults: {'; '.join(trouble.told)}")
    for one in wrong:
        print(f"NOT AS IT SHOULD BE: {one}")
    return int(bool(wrong))


def losses(run: LiveRun, trouble: Trouble, truth: Path) -> list[str]:
    """Compare what the station did with what the session says.

    Return every loss without a name, and broken limits.
    """
    wrong = [f"the loop at the end: {why}"] if (why := loop_fault(run.engine)) else []
    lines = [json.loads(line) for line in truth.read_text().splitlines()]
    made = [line for line in lines if "drop_id" in line]
    with Session(Path(run.engine.snapshot.session)) as session:
        records, kept = {one.drop_id: one for one in session.records}, set(session.frames)
    for line in made:
        drop = line["drop_id"]
        gone = [
            view
            for view, frame in line["frames"].items()
            if frame.get("stored") and (drop, view) not in kept
        ]
        wrong += [
            f"drop {drop}, view {view}: said to be stored, not in the session" for view in gone
        ]
        whole = drop in records and records[drop].complete
        if (
            whole
            and not {(drop, "x"), (drop, "y")} <= kept
            and not any(drop in some for some in trouble.unwritable)
        ):
            wrong.append(f"drop {drop}: images are not in the session although the disk was fine")
        if drop <= max(records) and drop not in records:
            wrong.append(f"drop {drop} is not in the session")
    wrong += [
        f"drop {one.drop_id} lacks a frame and says no reason"
        for one in records.values()
        if not one.complete and not one.estimate.reasons
    ]
    outcomes: dict[str, int] = {}
    for one in records.values():
        outcomes[one.decision.outcome] = outcomes.get(one.decision.outcome, 0) + 1
    counts = lines[-1]["controllers"]
    print(f"{len(made)} drops made, {len(records)} in the session: {outcomes}")
    print(f"counted in the controllers: {counts}")
    return wrong + [
        f"{name}: {one['limit_violations']} limits broken"
        for name, one in counts.items()
        if one["limit_violations"]
    ]


if __name__ == "__main__":
    sys.exit(main())
