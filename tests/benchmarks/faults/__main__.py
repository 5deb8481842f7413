"""The fault table: every fault x expected x observed.

    python -m tests.benchmarks.faults --folder NEW [--only TEXT]

Each row is a run of the application with a simulated station: 15 good drops, the fault, good drops
again. Beside what its row says, in every run the loop corrects again within RECOVERS_WITHIN good
drops after the fault (counted from the operator's closing it, where the row says that this is the
way out), no drop is without images and without a reason, no limit is broken, and every change of
the safety state has its cause. Exit 1 where a row is not as stated.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from tests.benchmarks.faults.judging import judged
from tests.benchmarks.faults.table import ROWS
from tests.benchmarks.faults.weather import built

AT_A_TIME = 2


def main() -> int:
    """Run all rows and print the table; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="new folder for the sessions")
    parser.add_argument("--only", default="", metavar="TEXT", help="rows whose name holds this")
    options = parser.parse_args()
    numbers = [number for number, row in enumerate(ROWS) if options.only in row.name]
    bad = 0
    options.folder.mkdir(parents=True)
    os.environ["LD_PRELOAD"] = built(options.folder / "bad_disk.so")
    with ProcessPoolExecutor(
        AT_A_TIME, multiprocessing.get_context("spawn"), max_tasks_per_child=1
    ) as pool:
        for number, (observed, wrong) in zip(
            numbers, pool.map(partial(judged, options.folder), numbers), strict=True
        ):
            row = ROWS[number]
            bad += bool(wrong)
            print(
                f"{'OK ' if not wrong else 'NOT'} {row.name:30} | {row.expected} | {observed}",
                flush=True,
            )
            if wrong:
                print(f"      {wrong}", flush=True)
    print(f"{len(numbers) - bad} of {len(numbers)} faults as stated")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
