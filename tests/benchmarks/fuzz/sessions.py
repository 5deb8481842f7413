"""Damaged sessions, each read in a process of its own kind: a crash or a hang there is not the end.

libhdf5 itself crashes on one damaged file in some hundred. What counts is what a user sees: the
program must then say that the session is damaged, and end by itself.
"""

from __future__ import annotations

import multiprocessing
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

from magis_calib.domain.errors import SessionError
from magis_calib.recording.check import check_session
from magis_calib.recording.reader import Session
from tests.benchmarks.fuzz.rubbish import bytes_of, json_of

LONGEST_S = 30.0
CHANGES = 3


def feed_sessions(session: Path, folder: Path, count: int, seed: int) -> bool:
    """Damage one file at a time, read all, mend it again.

    Print what came of it and return whether all was right.
    """
    copy, rng = folder / "session", random.Random(seed)
    shutil.copytree(session, copy)
    files = [one for one in sorted(copy.rglob("*")) if one.is_file()]
    told: Counter[str] = Counter()
    longest_s, began_s, reader = 0.0, time.monotonic(), _Reader()
    for number in range(count):
        file = rng.choice(files)
        sound = file.read_bytes()
        file.write_bytes(_spoilt(file, sound, rng))
        asked_s = time.monotonic()
        answer = reader.read(copy)
        longest_s = max(longest_s, time.monotonic() - asked_s)
        told[answer] += 1
        if answer.startswith("BAD"):
            print(
                f"  session {number} of seed {seed}, {file.relative_to(copy)}: {answer}", flush=True
            )
        file.write_bytes(sound)
    reader.close()
    print(
        f"{count} sessions: {dict(told.most_common())}, longest {longest_s:.1f} s, "
        f"{count / (time.monotonic() - began_s):.0f} a second, reader MB {reader.memory()}",
        flush=True,
    )
    return not any(answer.startswith("BAD") for answer in told)


def _spoilt(file: Path, sound: bytes, rng: random.Random) -> bytes:
    if file.suffix == ".json" and rng.random() < 0.7:
        try:
            return json_of(sound, rng)
        except ValueError:
            return bytes_of(sound, rng)
    if file.suffix != ".h5" or rng.random() < 0.2:
        return bytes_of(sound, rng)
    raw = bytearray(sound)
    for _ in range(
        rng.randint(1, CHANGES)
    ):  # most of a file is pixels: the first and last part hold its structure
        near = rng.choice((4096, 65536, len(raw)))
        at = rng.randrange(min(near, len(raw)))
        at = at if rng.random() < 0.7 else len(raw) - 1 - at
        raw[at] = rng.randrange(256)
    return bytes(raw)


def _as_users_read(session: Path, code: int | None) -> str:
    """Let the program read what a process has crashed on; return what to count it as."""
    for words, right in ((["ledger"], (0, 1, 2)), (["session", "check"], (1,))):
        command = [sys.executable, "-m", "magis_calib", *words, str(session)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=LONGEST_S
        )
        told = f"{done.stdout}{done.stderr}"
        if done.returncode not in right or "Traceback" in told:
            return (
                f"BAD crashed or hung ({code}), and `{' '.join(words)}` ends with "
                f"{done.returncode}: {told[-200:]}"
            )
    return "libhdf5 crashes or hangs; the program names the damage"


class _Reader:
    """A process that reads sessions; another one takes its place where it dies or hangs."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._memory: list[int] = []
        self._begin()

    def read(self, session: Path) -> str:
        """Return what reading says: "read", the name of a typed error, or what went wrong."""
        self._pipe.send(session)
        if not self._pipe.poll(LONGEST_S):
            self._end()
            return _as_users_read(session, None)
        try:
            answer, memory = self._pipe.recv()
        except EOFError:
            self._process.join()
            code = self._process.exitcode
            self._begin()
            return _as_users_read(session, code)
        self._memory.append(memory)
        return str(answer)

    def memory(self) -> str:
        """Return the memory of the process over time (MB), in tenths."""
        step = max(1, len(self._memory) // 10)
        return " ".join(f"{one / 1e6:.0f}" for one in self._memory[::step])

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()

    def _begin(self) -> None:
        self._pipe, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_read_all, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def _end(self) -> None:
        self.close()
        self._begin()


def _read_all(pipe: Connection) -> None:
    from os import getpid

    from tests.benchmarks.large_session import resident_bytes

    while True:
        session = pipe.recv()
        try:
            check_session(session)
            with Session(session) as found:
                for record in found.records:
                    assert record.drop_id == record.drop_id + 0
            answer = "read"
        except SessionError:
            answer = "SessionError"
        except Exception as error:  # whatever it is: it is what is looked for
            answer = f"BAD {type(error).__name__}: {error}"[:300]
        pipe.send((answer, resident_bytes(getpid())))
