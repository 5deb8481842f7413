"""What encryption costs: `python -m tests.benchmarks.curve_cost --folder NEW [--drops 60] [--rounds
2]`

The simulated station at 3 Hz with 2 x 6.3 Mpix, headless; runs with locked and with plain sockets
take turns. Prints how long a pair takes from its last frame to the accepted read-back, and the
processor time of application and station; exit 1 where the median with locks is 0.30 s or more.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np

from magis_calib.config.station import default_text

WANTED_S = 0.30
LOCKS = ("curve", "plain")


def main() -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="new folder for the sessions")
    parser.add_argument("--drops", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    options.folder.mkdir(parents=True)
    found: dict[str, list[tuple[float, float, float]]] = {lock: [] for lock in LOCKS}
    for number in range(options.rounds):
        for lock in LOCKS:
            found[lock].append(_run(options.folder / f"{lock}-{number}", lock, options.drops))
    medians = {lock: np.median(np.array(one), axis=0) for lock, one in found.items()}
    for lock, (p50, p95, processor) in medians.items():
        print(
            f"{lock}: last frame to read-back p50 {p50:.3f} s, p95 {p95:.3f} s, processor "
            f"{processor:.3f} s a drop"
        )
    more = medians["curve"] - medians["plain"]
    print(
        f"locks add {1e3 * more[0]:.0f} ms to the median and {1e3 * more[2]:.0f} ms of processor "
        f"time to a drop"
    )
    return int(medians["curve"][0] >= WANTED_S)


def _run(folder: Path, lock: str, drops: int) -> tuple[float, float, float]:
    """Return median and 95th percentile from last frame to read-back, and both programs' processor
    time a drop (s).
    """
    folder.mkdir()
    text = default_text()
    wanted = 'sockets = "curve"'
    assert wanted in text
    (folder / "own.toml").write_text(text.replace(wanted, f'sockets = "{lock}"'))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    words = [
        "--simulate",
        "--auto",
        "--sensor",
        "full",
        "--interval",
        "0.333",
        "--drops",
        str(drops),
        "--config",
        str(folder / "own.toml"),
        "--session-dir",
        str(folder),
        "--report",
        str(folder / "report.json"),
    ]
    quiet = subprocess.DEVNULL
    subprocess.run(
        [sys.executable, "-m", "magis_calib", *words], check=True, stdout=quiet, stderr=quiet
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    stages = json.loads((folder / "report.json").read_text())["latency_s"]["received_to_applied"]
    return stages["p50"], stages["p95"], processor / drops


if __name__ == "__main__":
    sys.exit(main())
