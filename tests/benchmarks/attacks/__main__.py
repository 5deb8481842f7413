"""Attack a running application and its controllers, while the loop goes on:

    python -m tests.benchmarks.attacks --folder NEW

Prints for each attempt what was observed, and how many drops were corrected and missed meanwhile;
exit 1 where somebody was served or a drop was missed.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.benchmarks.attacks.attempts import ATTEMPTS
from tests.benchmarks.attacks.target import INTERVAL_S, running

LEAST_S = 5 * INTERVAL_S


def main() -> int:
    """Attack and print; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="new folder for the session")
    folder = parser.parse_args().folder
    bad = 0
    with running(folder) as target:
        for name, attempt in ATTEMPTS.items():
            before, began_s = target.engine.history.counters, time.monotonic()
            observed, refused = attempt(target)
            time.sleep(max(0.0, LEAST_S - (time.monotonic() - began_s)))
            after = target.engine.history.counters
            applied = after.applied - before.applied
            missed = (
                after.complete + after.incomplete - before.complete - before.incomplete - applied
            )
            good = refused and applied > 0 and not missed
            bad += not good
            print(
                f"{'OK ' if good else 'NOT'} {name:28} | {observed} | {applied} drops corrected, "
                f"{missed} not",
                flush=True,
            )
    print(
        f"{len(ATTEMPTS) - bad} of {len(ATTEMPTS)} attacks as stated: nobody served, no drop missed"
    )
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
