"""Whether a damaged session always gets a verdict: cut off at random places, and with random bytes
flipped.

    python -m tests.benchmarks.damaged SESSION --folder NEW [--each 100] [--seed 1]

Each damaged copy goes through `magis-calib session check`, `session repair` and `session check`
again. Prints how long they took at most and what they said; exit 1 where one took 10 s or more,
crashed, or a repaired session is not readable although something was recovered.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

LONGEST_S = 10.0


def main() -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("session", type=Path)
    parser.add_argument("--folder", type=Path, required=True, help="new folder for damaged copies")
    parser.add_argument("--each", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    missed = 0
    for kind in ("cut", "flipped"):
        told: Counter[str] = Counter()
        longest_s, recovered = 0.0, []
        for number in range(options.each):
            path = options.folder / f"{kind}-{number}"
            shutil.copytree(options.session, path)
            _damage(path / "segment-0001.h5", kind, rng)
            words, took_s, frames = _verdict(path)
            told[words] += 1
            longest_s = max(longest_s, took_s)
            recovered.append(frames)
            shutil.rmtree(path)
        bad = [words for words in told if words.startswith("BAD")]
        missed += bool(bad) + (longest_s >= LONGEST_S)
        print(
            f"{options.each} x {kind}: longest {longest_s:.1f} s, frames left in the mean "
            f"{sum(recovered) / len(recovered):.1f}: {dict(told)}"
        )
    return int(bool(missed))


def _damage(segment: Path, kind: str, rng: random.Random) -> None:
    size = segment.stat().st_size
    place = rng.randrange(size)
    with segment.open("r+b") as file:
        if kind == "cut":
            file.truncate(place)
            return
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ (1 << rng.randrange(8))]))


def _verdict(path: Path) -> tuple[str, float, int]:
    """Return what the commands made of it, the longest time that one took, and the frames left."""
    longest_s, answers = 0.0, []
    for words in (["check", "--json"], ["repair"], ["check", "--json"]):
        began_s = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "magis_calib", "session", *words, str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
        longest_s = max(longest_s, time.monotonic() - began_s)
        if done.returncode not in (0, 1, 2) or "Traceback" in done.stderr:
            return f"BAD {words[0]}: exit {done.returncode}: {done.stderr[-200:]}", longest_s, 0
        answers.append(done.stdout)
    after = json.loads(answers[2])
    gone = "nothing could be recovered" in answers[1]
    if not gone and (not after["readable"] or after["checksum_errors"]):
        return f"BAD repaired and not readable: {after['problem'][:200]}", longest_s, 0
    untouched = "left as it is" in answers[1]
    return (
        "nothing left" if gone else "harmless" if untouched else "repaired",
        longest_s,
        after["frames"],
    )


if __name__ == "__main__":
    sys.exit(main())
