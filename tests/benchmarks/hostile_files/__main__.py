"""Thirty hostile files each for `fit`, `session`, `replay`, `products` and `config`:

    python -m tests.benchmarks.hostile_files --folder NEW [--only fit]

Each must be answered by one line and exit 2, or by what can be shown of it, within 15 s and 1 GB.
Prints a table; exit 1 on a miss.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from magis_calib.host.child import python_module
from tests.benchmarks.hostile_files import images, sessions, texts

LONGEST_S = 15.0
"""Of processor time, children included: what else the machine does shall not count."""
HUNG_S = 60.0
MOST_BYTES = 1_000_000_000
WORDS_OF_PYTHON = (
    "Traceback",
    "Field required",
    "Expecting value",
    "Extra data",
    "recursion",
    "Extra inputs",
    "object has no attribute",
    "not subscriptable",
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a command said of a file, how long it took and the memory that it had."""

    code: int
    out: str
    errors: str
    took_s: float
    """Of processor time."""
    memory_bytes: int

    def misses(self) -> Iterator[str]:
        """Yield what is not as it shall be."""
        lines = self.errors.strip().splitlines()
        if self.code not in (0, 1, 2):
            yield f"ends with {self.code}"
        # a configuration has a line for each mistake
        if self.code == 2 and (not lines or not all("/" in one for one in lines)):
            yield f"{len(lines)} lines"
        if self.code != 2 and not self.out.strip():
            yield "nothing is shown"
        if found := [one for one in WORDS_OF_PYTHON if one in self.errors + self.out]:
            yield f"says {found[0]!r}"
        if self.took_s > LONGEST_S:
            yield f"{self.took_s:.0f} s"
        if self.memory_bytes > MOST_BYTES:
            yield f"{self.memory_bytes / 1e6:.0f} MB"


def tell(words: Sequence[str], folder: Path) -> Told:
    """Run a command, ended where it hangs."""
    with (folder / "out").open("w+") as out, (folder / "errors").open("w+") as errors:
        child = subprocess.Popen(
            python_module("magis_calib", *words),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (30, 30)),
        )
        code, took_s, memory = _waited(child, time.monotonic() + HUNG_S)
        said = [one.seek(0) or one.read(20_000) for one in (out, errors)]
    return Told(code, said[0], said[1], took_s, memory)


def _waited(child: subprocess.Popen[bytes], until_s: float) -> tuple[int, float, int]:
    """Return exit code, processor time and largest memory, of its children too."""
    while True:
        done, status, usage = os.wait4(child.pid, os.WNOHANG)
        if done:
            child.returncode = os.waitstatus_to_exitcode(status)
            took_s = usage.ru_utime + usage.ru_stime
            return child.returncode, took_s, usage.ru_maxrss * 1024
        if time.monotonic() > until_s:
            child.kill()
        time.sleep(0.02)


Commands = Callable[[Path, int], Sequence[Sequence[str]]]
SESSION_COMMANDS = (
    ("session", "show"),
    ("session", "certificate"),
    ("ledger",),
    ("why", "--drop", "3"),
    ("settings",),
    ("session", "export", "--images", "all", "--to"),
)


def fit_commands(path: Path, number: int) -> Sequence[Sequence[str]]:
    """Fit it: `file.h5` means its dataset `image`."""
    inside = ":/image" if path.suffix in (".h5", ".nxs") else ""
    return [["fit", "--model", "gaussian", f"{path}{inside}"]]


def session_commands(path: Path, number: int) -> Sequence[Sequence[str]]:
    """Check it, and one thing more."""
    first, *rest = SESSION_COMMANDS[number % len(SESSION_COMMANDS)]
    words = [first, *rest, str(path)]
    if first == "session" and rest[0] == "export":
        words = [first, "export", str(path), *rest[1:], str(path.with_suffix(".exported"))]
    return [["session", "check", str(path)], words]


GROUPS: dict[str, tuple[Callable[[Path], list[Path]], Commands]] = {
    "fit": (images.written, fit_commands),
    "session": (sessions.written, session_commands),
    "replay": (
        sessions.written,
        lambda path, number: [["replay", "--verify", "--no-results", str(path)]],
    ),
    "products": (
        texts.products,
        lambda path, number: [
            ["products", "show", str(path)],
            ["products", "promote", str(path), "--config", str(path.parent / "own.toml")],
        ],
    ),
    "config": (texts.configurations, lambda path, number: [["config", "--check", str(path)]]),
}


def judged(group: str, folder: Path) -> int:
    """Print a row for each file of a group; return how many are not as they shall be."""
    write, commands = GROUPS[group]
    folder.mkdir(parents=True)
    missed = 0
    for number, path in enumerate(write(folder)):
        for words in commands(path, number):
            told = tell(words, folder)
            wrong = list(told.misses())
            missed += bool(wrong)
            said = (told.errors.strip() or told.out.strip()).splitlines()
            print(
                f"{'MISS' if wrong else 'ok':4}  {group:8}  {path.name:28}  "
                f"{' '.join(words[:2]) if words[0] in ('session', 'products') else words[0]:20}  "
                f"{told.code:3}  {told.took_s:5.1f} s  {told.memory_bytes / 1e6:5.0f} MB  "
                f"{'; '.join(wrong)}  {said[0].replace(str(folder), '')[:150] if said else ''}",
                flush=True,
            )
    return missed


def main() -> int:
    """Write, ask and print; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="new folder for the files")
    parser.add_argument("--only", choices=GROUPS, help="only these")
    asked = parser.parse_args()
    asked.folder.mkdir()
    groups = [asked.only] if asked.only else list(GROUPS)
    missed = {one: judged(one, asked.folder / one) for one in groups}
    print(", ".join(f"{one}: {count} misses" for one, count in missed.items()))
    shutil.rmtree(asked.folder)
    return int(any(missed.values()))


if __name__ == "__main__":
    sys.exit(main())
