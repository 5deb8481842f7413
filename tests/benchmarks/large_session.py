"""A session of many drops: how the program's memory grows, and how fast the session opens
afterwards.

    python -m tests.benchmarks.large_session --folder NEW [--drops 10000] [--compare 500]

Runs the simulated station (small sensor, as fast as it goes) headless, samples the resident memory
of the application while it runs, then opens the session and loads its tables in processes of their
own. Exit 1 where memory after all drops is more than 5 % above that after `--compare` drops, or
opening or loading takes 1 s or more.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
WANTED_GROWTH, WANTED_S = 0.05, 1.0
DRIFTED_AWAY = 1
"""Exit code of a run whose loop holds at a limit at its end: so long a random walk may leave the
reach of the trap.
"""
OPENING = """
import sys, time
from magis_calib.recording.reader import Session
from pathlib import Path
began = time.perf_counter()
session = Session(Path(sys.argv[1]))
opened = time.perf_counter()
names = ("frames", "announcements", "estimates", "decisions")
rows = {name: len(session.table(name)) for name in names}
print(opened - began, time.perf_counter() - opened, rows)
"""


def resident_bytes(process: int) -> int:
    """Return how much of a process is in memory."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE_BYTES


def watched(folder: Path, drops: int, every: int) -> dict[int, int]:
    """Run the station a little longer than that, for its end is not to be measured.

    Return its memory by drop.
    """
    command = [
        sys.executable,
        "-m",
        "magis_calib",
        "--simulate",
        "--auto",
        "--sensor",
        "small",
        "--interval",
        "0",
        "--drops",
        str(drops + every),
        "--seed",
        "7",
        "--session-dir",
        str(folder),
    ]
    found: dict[int, int] = {}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as run:
        assert run.stdout is not None
        for line in run.stdout:
            drop = re.match(r"drop (\d+) ", line)
            if drop and int(drop[1]) % every == 0:
                found[int(drop[1])] = resident_bytes(run.pid)
                print(
                    f"  drop {drop[1]}: {found[int(drop[1])] / 1e6:.1f} MB",
                    file=sys.stderr,
                    flush=True,
                )
    if run.returncode not in (0, DRIFTED_AWAY):
        raise RuntimeError(f"the run ended with {run.returncode}")
    return found


def opening_s(session: Path) -> tuple[float, float, str]:
    """Return how long opening and loading all tables took, the median of five,
    and what there was.
    """
    said = [
        subprocess.run(
            [sys.executable, "-c", OPENING, str(session)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split(maxsplit=2)
        for _ in range(5)
    ]
    opened, loaded = (sorted(float(one[at]) for one in said)[2] for at in (0, 1))
    return opened, loaded, said[0][2].strip()


def main() -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="new folder for the session")
    parser.add_argument("--drops", type=int, default=10_000)
    parser.add_argument("--compare", type=int, default=500)
    options = parser.parse_args()
    memory = watched(options.folder, options.drops, options.compare)
    growth = memory[options.drops] / memory[options.compare] - 1.0
    (session,) = options.folder.iterdir()
    opened, loaded, rows = opening_s(session)
    print(
        f"memory after {options.compare} drops {memory[options.compare] / 1e6:.1f} MB, after "
        f"{options.drops} {memory[options.drops] / 1e6:.1f} MB: {growth:+.1%}; opens in "
        f"{opened:.3f} s, tables in {loaded:.3f} s: {rows}"
    )
    return int(growth > WANTED_GROWTH or opened >= WANTED_S or loaded >= WANTED_S)


if __name__ == "__main__":
    sys.exit(main())
