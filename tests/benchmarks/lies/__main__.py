"""Random conversations with controllers, or with cameras, that lie.

    python -m tests.benchmarks.lies --conversations 10000
    python -m tests.benchmarks.lies --conversations 1000 --cameras

prints, kind by kind, how many there were and what was wrong; exits 1 where something was.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence

from tests.benchmarks.lies.camera_conversation import FoundOfCameras, look
from tests.benchmarks.lies.conversation import Found, converse, impatient


def main() -> int:
    """Have the conversations one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=200)
    parser.add_argument("--cameras", action="store_true", help="cameras lie, not controllers")
    parser.add_argument("--seed", type=int, default=1, help="of the first one")
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    found: dict[str, list[Found | FoundOfCameras]] = defaultdict(list)
    began_s = time.monotonic()
    for seed in range(asked.seed, asked.seed + asked.conversations):
        with impatient() as station:
            one = look(station, seed) if asked.cameras else converse(station, seed)
        found[one.kind].append(one)
        if not one.good:
            print(one, flush=True)
        if (seed - asked.seed) % 100 == 99:
            took_s = time.monotonic() - began_s
            print(f"{seed - asked.seed + 1} conversations, {took_s:.0f} s", flush=True)
    return _told(found)


def _told(found: Mapping[str, Sequence[Found | FoundOfCameras]]) -> int:
    """Print what was found of each kind; return the exit code."""
    wrong = 0
    print(f"{'kind':20} {'asked':>6} {'corrected again':>16} {'held':>5} {'wrong':>6}")
    for kind, ones in sorted(found.items()):
        bad = sum(not one.good for one in ones)
        again = sum(one.corrected for one in ones)
        print(f"{kind:20} {len(ones):6} {again:16} {len(ones) - again:5} {bad:6}")
        wrong += bad
    print(f"{sum(map(len, found.values()))} conversations, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
