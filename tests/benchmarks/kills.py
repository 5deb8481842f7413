"""Whether a command that is killed leaves a state that the next call finishes.

    python -m tests.benchmarks.kills --folder NEW [--kills 200] [--seed 1] [--only NAME …]

Each command is ended with SIGKILL, it alone or with its children, at a random moment of the time
that it takes, and then called again. Judged is what stands afterwards: what was told to be stored
is there or named as lost. For `run` somebody moves, cuts or deletes files of a session while it is
recorded, and then its program is killed. Prints a line for each command; exit 1 on a miss.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from magis_calib.cli.main import main as command
from magis_calib.recording.check import check_session
from magis_calib.recording.files import read_sealed, segments_in
from tests.benchmarks.flips import record

NAME = "20261201T000000Z_bottom_c0ffee"
Words = list[str]


class Kills:
    """One command, again and again on fresh copies of the same folder."""

    def __init__(self, folder: Path, prepare: Callable[[Path], None]) -> None:
        """`prepare` makes the folder that each copy is of."""
        self.fresh = folder / "fresh"
        self.here = folder / "here"
        self.fresh.mkdir(parents=True)
        prepare(self.fresh)

    def killed(self, words: Words, after_s: float | None, with_children: bool) -> float:
        """Run a command on a fresh copy and kill it after so long; return how long it ran."""
        shutil.rmtree(self.here, ignore_errors=True)
        shutil.copytree(self.fresh, self.here)
        began_s = time.monotonic()
        child = _forked([word.format(here=self.here) for word in words])
        if after_s is None:
            os.waitpid(child, 0)
            return time.monotonic() - began_s
        time.sleep(after_s)
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if with_children else os.kill)(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return after_s

    def again(self, words: Words) -> int:
        """Call the command once more and return its exit code."""
        return os.waitstatus_to_exitcode(
            os.waitpid(_forked([word.format(here=self.here) for word in words]), 0)[1]
        )


def _forked(words: Words) -> int:
    child = os.fork()
    if child:
        return child
    os.setpgid(0, 0)
    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    code = 3
    with contextlib.suppress(SystemExit):
        code = command(words)
    os._exit(code)


def _a_damaged_session(folder: Path) -> None:
    record(folder / NAME)
    record(folder / "second")
    (folder / "second" / "segment-0001.h5").rename(folder / NAME / "segment-0002.h5")
    shutil.rmtree(folder / "second")
    for segment, share in zip(segments_in(folder / NAME), (0.7, 0.5), strict=True):
        os.truncate(segment, int(segment.stat().st_size * share))


def _an_old_session(folder: Path) -> None:
    record(folder / NAME)
    old_s = time.time() - 100 * 86_400
    for one in (folder / NAME).iterdir():
        os.utime(one, (old_s, old_s))


def _after_repair(kills: Kills, code: int) -> str:
    session = kills.here / NAME
    found = check_session(session)
    named = read_sealed(session / "repair.json", sealed=True)["segments"]
    kept = {one.name for one in (session / "originals").iterdir()}
    if code != 1 or not found.readable or found.checksum_errors or found.differing:
        return f"exit {code}, {found.problem} {found.differing}"
    if {one["name"] for one in named} != {"segment-0001.h5", "segment-0002.h5"}:
        return f"the report names {[one['name'] for one in named]}"
    if kept != {"segment-0001.h5", "segment-0002.h5"}:
        return f"originals: {sorted(kept)}"
    lost = sum(len(one["salvaged"]["lost_frames"]) for one in named)
    held = sum(one["salvaged"]["frames"] for one in named)
    left = [one.name for one in session.iterdir() if one.name.startswith(".repair-")]
    return f"left: {left}" if left else "" if held and lost + held else "nothing is named"


def _after_prune(kills: Kills, code: int) -> str:
    before, after = check_session(kills.fresh / NAME), check_session(kills.here / NAME)
    same = before.frames_by_checksum == after.frames_by_checksum
    pruned = after.whole and same and not code
    return "" if pruned else f"exit {code}: {after.problem} {after.differing} {after.gaps}"


def _after_export(kills: Kills, code: int) -> str:
    there = sorted(one.name for one in (kills.here / "out").iterdir())
    wanted = 4 + 12
    return "" if not code and len(there) == wanted else f"exit {code}: {there}"


def _after_keys(kills: Kills, code: int) -> str:
    listed = kills.again(["keys", "--keys", "{here}/keys", "list"])
    made = (kills.here / "keys" / "cam.key").exists()
    return "" if not listed and made else f"exit {code}, list {listed}, made {made}"


COMMANDS: dict[str, tuple[Callable[[Path], None], Words, Callable[[Kills, int], str]]] = {
    "repair": (_a_damaged_session, ["session", "repair", f"{{here}}/{NAME}"], _after_repair),
    "prune": (
        _an_old_session,
        ["session", "prune", "{here}", "--older-than", "30", "--yes"],
        _after_prune,
    ),
    "export": (
        _an_old_session,
        ["session", "export", f"{{here}}/{NAME}", "--to", "{here}/out", "--images", "all"],
        _after_export,
    ),
    "keys": (
        lambda folder: (folder / "some").mkdir(),
        ["keys", "--keys", "{here}/keys", "make", "cam", "--role", "camera"],
        _after_keys,
    ),
}

RECORDING = """
import sys, time
from pathlib import Path
from tests.recording.test_touched_files import Bench
bench = Bench(Path(sys.argv[1]), segment_bytes=3_000_000)
for number in range(1, 1000):
    bench.drop(number)
    print(number, len(bench.stored), bench.alarms().replace(chr(10), " "), sep="|", flush=True)
"""


def moved_while_recorded(folder: Path, rng: random.Random) -> str:
    """Record, touch a file of the session, let it go on, kill; return what is silent."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with subprocess.Popen(
        [sys.executable, "-c", RECORDING, str(folder / "sessions")],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(rng.randrange(2, 9))]
        session = max((folder / "sessions").iterdir())
        target = rng.choice([*segments_in(session), session])
        deed = rng.choice(["move", "delete", "cut"] if target != session else ["move", "delete"])
        _touch(target, deed, folder)
        lines += [process.stdout.readline() for _ in range(4)]
        process.kill()
        process.wait()
    said = lines[-1].split("|", 2)[2]
    return "" if target.name in said else f"{deed} {target.name} after {len(lines) - 4}: {said!r}"


def _touch(target: Path, deed: str, folder: Path) -> None:
    if deed == "move":
        target.rename(folder / "elsewhere")
    elif deed == "cut":
        os.truncate(target, target.stat().st_size // 2)
    elif target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink()


def main() -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="new folder")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", choices=(*COMMANDS, "run"))
    options = parser.parse_args()
    rng = random.Random(options.seed)
    missed = False
    for name in options.only or (*COMMANDS, "run"):
        bad = (
            [moved_while_recorded(options.folder / name, rng) for _ in range(options.kills)]
            if name == "run"
            else _misses(options.folder / name, name, options.kills, rng)
        )
        bad = [words for words in bad if words]
        missed |= bool(bad)
        print(f"{name:8s} {options.kills} kills, {len(bad)} bad {bad[:3]}", flush=True)
    return int(missed)


def _misses(folder: Path, name: str, count: int, rng: random.Random) -> list[str]:
    prepare, words, judge = COMMANDS[name]
    kills = Kills(folder, prepare)
    takes_s = kills.killed(words, None, False)
    found = []
    for _ in range(count):
        kills.killed(words, rng.uniform(0.0, takes_s), rng.random() < 0.5)
        found.append(judge(kills, kills.again(words)))
    return found


if __name__ == "__main__":
    sys.exit(main())
