"""Whether a failing disk is always heard: each single call to it fails once, in one run each.

    python -m tests.benchmarks.failing_writes --folder NEW [--every 1] [--times 1]

A run records 20 drops of small frames in two segments. For every n the n-th write, pwrite, fsync
or ftruncate of it fails with ENOSPC or EIO (--times: and so many after it). Judged is by another
process: what a driver was told to be stored is there as it was sent, the failure was an alarm or a
named frame, every drop has its outcome, and the process ended by itself. Needs gcc; exit 1 on a
miss.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from magis_calib.recording.check import check_session
from tests.benchmarks.failing_writes.recording import DROPS, KINDS

ERRORS = {"ENOSPC": errno.ENOSPC, "EIO": errno.EIO}


class Failing:
    """Asks for runs with a failing call, and judges what is left of them."""

    def __init__(self, folder: Path, process: subprocess.Popen[str]) -> None:
        """`folder`: where sessions are recorded, one at a time."""
        self._folder = folder
        self._process = process

    def misses(self, kind: int, nth: int, times: int, error: int) -> tuple[list[str], list[int]]:
        """Return what went wrong in such a run, and how many calls of each kind it made."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = [str(self._folder), kind, nth, times, error]
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        code = json.loads(self._process.stdout.readline())
        if not (self._folder / "told.json").exists():
            return [f"ended with {code} before its end"], [0] * len(KINDS)
        told = json.loads((self._folder / "told.json").read_text())
        ended = [f"ended with {code}"] if code else []
        return [*ended, *self._judged(told)], told["calls"]

    def _judged(self, told: dict[str, Any]) -> Iterator[str]:
        found = check_session(self._folder / "session")
        if told["stored"] and not found.readable:
            yield f"not readable: {found.problem}"
        wrong = {
            name
            for name, crc in told["stored"].items()
            if found.frames_by_checksum.get(name) != crc or name in found.gaps
        }
        if wrong:
            yield f"stored and not there: {sorted(wrong)}"
        if found.checksum_errors:
            yield f"{found.checksum_errors} other than recorded: {found.problem}"
        if told["failed"] and not (told["alarms"] or told["not_stored"]):
            yield "nobody was told"
        if found.readable and found.drops < DROPS:
            yield f"{DROPS - found.drops} drops without an outcome"


@contextmanager
def failing(folder: Path) -> Iterator[Failing]:
    """Start the process that records below this folder."""
    library = folder / "fail_nth.so"
    source = Path(__file__).with_name("fail_nth.c")
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-o", str(library), str(source), "-ldl"],
        check=True,
    )
    below = folder / "recorded"
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.failing_writes.recording"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "LD_PRELOAD": str(library), "FAILING_BELOW": str(below)},
    ) as process:
        yield Failing(below, process)
        assert process.stdin is not None
        process.stdin.close()


def main() -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="new folder")
    parser.add_argument("--every", type=int, default=1, help="only every so many calls")
    parser.add_argument("--times", type=int, default=1, help="how many calls in a row fail")
    options = parser.parse_args()
    options.folder.mkdir(parents=True)
    missed: Counter[str] = Counter()
    with failing(options.folder) as runs:
        wrong, calls = runs.misses(-1, 0, 0, 0)
        print("without a failure:", dict(zip(KINDS, calls, strict=True)), wrong or "fine")
        for kind, name in enumerate(KINDS):
            for error, number in ERRORS.items():
                asked = range(0, calls[kind], options.every)
                bad = 0
                for nth in asked:
                    wrong, _ = runs.misses(kind, nth, options.times, number)
                    bad += bool(wrong)
                    missed.update(f"{name} {error}: {words[:150]}" for words in wrong)
                print(f"{name:9s} {error:6s}: {bad} of {len(asked)} runs with a miss", flush=True)
    for words, count in missed.most_common(40):
        print(f"  {count} x {words}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
