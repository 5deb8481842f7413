"""Does the window stay alive while full images stream in? Run it on a screen, a virtual one will
do:

    xvfb-run -a -s "-screen 0 1920x1080x24" python -m tests.benchmarks.window_life --folder NEW
    [--minutes 10]

The simulated station at 3 Hz with two cameras of 6.3 Mpix, recording and loop on, every panel open.
Prints the gaps between ticks of the event loop, the delay from a drop's last frame to its picture
on the screen, and the memory by the minute; exit 1 where one of them is beyond its bound or
something was lost.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSettings, Qt, QTimer
from PySide6.QtWidgets import QApplication

from magis_calib.app.live import LiveRun, RunRequest
from magis_calib.app.simulated import SimulatedProcess, on_free_ports
from magis_calib.cli.main import settle_in
from magis_calib.config.loading import load_config, select_station
from magis_calib.domain.camera import VIEWS
from magis_calib.state.commands import StopRun
from magis_calib.state.snapshot import Counters
from simulators.options import SimulationOptions
from tests.benchmarks.large_session import resident_bytes
from ui.style.theme import dress
from ui.window.main_window import MainWindow

PROBE_MS = 10
BOUNDS_MS = {"p99": (99.0, 50.0), "p99.9": (99.9, 200.0)}
DELAY_S, MEMORY_GROWTH = 0.5, 0.02
WARM_UP_S = 10.0


class Probe:
    """Ticks beside the window, and looks when a picture is new."""

    def __init__(self, window: MainWindow, run: LiveRun) -> None:
        """Begin to tick."""
        self._window, self._run = window, run
        self._before_s = self._began_s = time.perf_counter()
        self._drawn: object = None
        self.gaps_s: list[float] = []
        self.delays_s: list[float] = []
        self.memory: list[int] = []
        self._timer = QTimer(window, interval=PROBE_MS)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        now_s = time.perf_counter()
        gap_s, self._before_s = now_s - self._before_s, now_s
        lived_s = now_s - self._began_s
        if lived_s > WARM_UP_S:
            self.gaps_s.append(gap_s)
        drawn = {view: self._window.panels.images[view].frame for view in VIEWS}
        if None not in drawn.values() and len({one.header.drop_id for one in drawn.values()}) == 1:
            newest = max(drawn.values(), key=lambda one: one.received_s)
            if newest.header.drop_id != self._drawn and lived_s > WARM_UP_S:
                self.delays_s.append(time.monotonic() - newest.received_s)
            self._drawn = newest.header.drop_id
        if lived_s > 60.0 * (len(self.memory) + 1):
            self.memory.append(resident_bytes(os.getpid()))


def main() -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="new folder for the session")
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    settle_in()
    app = QApplication([])
    dress(app)
    config = load_config(None)
    name, station = select_station(config, None)
    with on_free_ports(station, own=False) as (station, _):
        run = LiveRun(
            config,
            name,
            station,
            RunRequest(options.folder, about={"simulated": True, "simulation": ""}, go_on=False),
        )
        simulated = SimulatedProcess(SimulationOptions("full", 1, 1 / 3), station, None, name, None)
        run.watch(simulated.link)
        run.engine.start()
        settings = QSettings(str(options.folder / "window.ini"), QSettings.Format.IniFormat)
        window = MainWindow(run.engine, settings, close_confirm=False)
        window.resize(1920, 1080)
        window.show()
        gc.freeze()  # as the application does
        probe = Probe(window, run)
        QTimer.singleShot(round(60_000 * options.minutes + 1000 * WARM_UP_S), app.quit)
        app.exec()
        failures, counts = (
            window.failures,
            run.engine.snapshot.counters,
        )  # the drop under way is cut off by the stop
        run.engine.submit(StopRun())
        run.engine.wait()
        window.close()
        simulated.stop()
        run.close()
    return report(probe, run, counts, failures)


def report(probe: Probe, run: LiveRun, counts: Counters, failures: list[str]) -> int:
    """Print what was found; return 1 where a bound is missed."""
    gaps_ms, delays_s = 1e3 * np.array(probe.gaps_s), np.array(probe.delays_s)
    good = not failures
    for label, (rank, bound) in BOUNDS_MS.items():
        found = float(np.percentile(gaps_ms, rank))
        good = good and found < bound
        print(f"gap between ticks {label}: {found:.1f} ms (< {bound:g})")
    delay = float(np.percentile(delays_s, 95))
    print(
        f"longest gap {gaps_ms.max():.0f} ms of {len(gaps_ms)}; drop to screen p50 "
        f"{np.median(delays_s):.3f} s, "
        f"p95 {delay:.3f} s (< {DELAY_S}), {len(delays_s)} pictures of {counts.complete} drops"
    )
    print("memory by the minute, MB: " + " ".join(f"{one / 1e6:.0f}" for one in probe.memory))
    if len(probe.memory) > 2:
        growth = probe.memory[-1] / probe.memory[1] - 1.0
        good = good and growth < MEMORY_GROWTH
        print(f"last minute over second: {growth:+.1%} (< {MEMORY_GROWTH:.0%})")
    lost = counts.lost + counts.not_stored + counts.incomplete
    print(
        json.dumps(
            {
                "drops": counts.complete,
                "lost": lost,
                "stored": counts.stored,
                "panels_failed": failures,
                "stages_s": {
                    stage: _percentiles(taken)
                    for stage, taken in run.engine.history.stage_s.items()
                },
            }
        ),
        flush=True,
    )
    return int(not good or lost > 0 or delay >= DELAY_S)


def _percentiles(seconds: object) -> dict[str, float]:
    return {
        f"p{rank}": round(float(np.percentile(np.array(seconds), rank)), 4) for rank in (50, 95, 99)
    }


if __name__ == "__main__":
    sys.exit(main())
