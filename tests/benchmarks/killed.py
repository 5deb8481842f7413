"""Whether anything is lost when the program dies, or its disk fails, at random moments of a running
station.

    python -m tests.benchmarks.killed --folder NEW [--kills 200] [--seed 1] [--with
    kill|full|read-only]

The simulated station runs as a process of its own, with a camera driver that keeps each frame until
it is stored. The application is killed with SIGKILL again and again and started anew; for `full`
and `read-only` the sessions lie on a small tmpfs (this needs root) that is filled, or made
read-only, before the kill, and mended after it. At the end the truth that the simulators wrote is
compared with `magis-calib session check`. Prints what was found; exit 1 on a miss.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from magis_calib.app.simulated import on_free_ports
from magis_calib.config.loading import load_config, select_station
from magis_calib.config.station import default_text

INTERVAL_S = 0.25
LIVES_S = (0.5, 6.0)
"""How long the application lives before it is killed; it takes about 1.5 s to start: some die on
the way.
"""
RECORDING_S, LONGEST_START_S = (0.0, 3.5), 30.0
"""How long it lives after it began to record, and how long that is waited for."""
TMPFS_MB = 220
"""Of a disk that fills: the application stops writing 64 MB before its end."""


@dataclass(frozen=True)
class Loss:
    """What was lost, by name; everything should be empty."""

    stored_and_not_there: list[str]
    wrong_checksum: list[str]
    neither_there_nor_named: list[int]
    acted_upon_twice: list[int]
    unreadable: list[str]
    drops: int
    stored: int
    sessions: int
    segments: int

    @property
    def anything(self) -> bool:
        """Whether anything was lost."""
        return bool(
            self.stored_and_not_there
            or self.wrong_checksum
            or self.neither_there_nor_named
            or self.acted_upon_twice
            or self.unreadable
        )

    def in_words(self) -> str:
        """Say all of it in one line."""
        return (
            f"{self.drops} drops announced, {self.stored} frames stored, in {self.sessions} "
            f"sessions of {self.segments} segments; stored and not there "
            f"{self.stored_and_not_there}, wrong checksum {self.wrong_checksum}, neither there "
            f"nor named {self.neither_there_nor_named}, acted upon twice {self.acted_upon_twice}, "
            f"unreadable {self.unreadable}"
        )


def killed_again_and_again(
    folder: Path, kills: int, seed: int, fault: str = "kill", recording_share: float = 0.5
) -> Loss:
    """Run a station whose application dies so often, and return what was lost.

    `recording_share`: of lives that end after the first frame was recorded; others may end on the
    way there.
    """
    folder.mkdir(parents=True)
    sessions = folder / "sessions"
    sessions.mkdir()
    rng = random.Random(seed)
    with (
        on_free_ports(select_station(load_config(None), None)[1], own=False) as (station, _),
        disk(sessions, fault),
    ):
        config = folder / "station.toml"
        text = default_text()
        for name, old in (("camera", 0), ("laser", 1), ("drop_system", 2), ("telemetry", 3)):
            text = text.replace(f"tcp://127.0.0.1:1555{old}", station.endpoints[name])
        config.write_text(text, encoding="utf-8")
        simulated = _start(
            "simulators",
            "--sensor",
            "small",
            "--interval",
            str(INTERVAL_S),
            "--seed",
            str(seed),
            "--truth",
            str(folder / "truth"),
            "--config",
            str(config),
        )
        try:
            for number in range(kills):
                _one_life(config, sessions, rng, fault, rng.random() < recording_share)
                if number % 20 == 19:
                    print(f"  {number + 1} of {kills}", file=sys.stderr, flush=True)
            _last_life(config, sessions)
        finally:
            simulated.send_signal(signal.SIGTERM)
            simulated.wait(30)
        return judged(folder / "truth", sessions)


def _one_life(
    config: Path, sessions: Path, rng: random.Random, fault: str, recording: bool
) -> None:
    segments = _segments(sessions)
    application = _start(
        "magis_calib", "--auto", "--config", str(config), "--session-dir", str(sessions)
    )
    until_s = time.monotonic() + LONGEST_START_S
    while recording and _segments(sessions) == segments and time.monotonic() < until_s:
        time.sleep(0.02)
    time.sleep(rng.uniform(*(RECORDING_S if recording else LIVES_S)))
    if fault == "full":
        _fill(sessions)
    elif fault == "read-only":
        _mount(sessions, "remount,ro")
    if fault != "kill":
        time.sleep(rng.uniform(0.2, 2.0))
    application.kill()
    application.wait()
    if fault == "full":
        (sessions / ".filler").unlink(missing_ok=True)
    elif fault == "read-only":
        _mount(sessions, "remount,rw")


def _segments(sessions: Path) -> int:
    return len(list(sessions.glob("*/segment-*.h5")))


def _last_life(config: Path, sessions: Path) -> None:
    """Let the application live until it has caught up, and end it properly."""
    application = _start(
        "magis_calib", "--auto", "--config", str(config), "--session-dir", str(sessions)
    )
    time.sleep(12.0)
    application.send_signal(signal.SIGTERM)
    application.wait(60)


def judged(truth: Path, sessions: Path) -> Loss:
    """Compare what the simulators know with what `session check` finds in all sessions together."""
    checks, unreadable = {}, []
    for path in sorted(one for one in sessions.iterdir() if any(one.glob("segment-*.h5"))):
        words = [sys.executable, "-m", "magis_calib", "session", "check", "--json", str(path)]
        answer = json.loads(
            subprocess.run(words, capture_output=True, text=True, check=False).stdout
        )
        checks[path] = answer
        if not answer["readable"] or answer["checksum_errors"]:
            unreadable.append(f"{path.name}: {answer['problem']} {answer['checksum_errors']}")
    there = {
        name: crc for one in checks.values() for name, crc in one["frames_by_checksum"].items()
    }
    named = {name for one in checks.values() for name in one["gaps"]}
    lines = [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]
    drops = [line for line in lines if "drop_id" in line]
    heard = max((int(name.split("/")[1]) for name in (*there, *named)), default=0)
    stored = [
        (f"{view}/{drop['drop_id']}", frame)
        for drop in drops
        for view, frame in drop["frames"].items()
        if frame["stored"]
    ]
    missing = [
        drop["drop_id"]
        for drop in drops
        if drop["drop_id"] <= heard
        and not all(f"{view}/{drop['drop_id']}" in there.keys() | named for view in "xy")
    ]
    return Loss(
        [name for name, _ in stored if name not in there],
        [name for name, frame in stored if name in there and there[name] != frame["crc32"]],
        missing,
        _twice(checks),
        unreadable,
        len(drops),
        len(stored),
        len(checks),
        sum(len(list(path.glob("segment-*.h5"))) for path in checks),
    )


def _twice(sessions: dict[Path, object]) -> list[int]:
    """Return the drops after which setpoints were sent more than once."""
    from magis_calib.recording.reader import Session

    sent: list[int] = []
    for path in sessions:
        with Session(path) as session:
            rows = session.table("decisions")
            sent += rows["drop_id"][rows["outcome"] == b"applied"].tolist()
    return sorted({drop for drop in sent if sent.count(drop) > 1})


def _start(module: str, *words: str) -> subprocess.Popen[bytes]:
    quiet = subprocess.DEVNULL
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", module, *words], stdout=quiet, stderr=quiet, env=environment
    )


@contextmanager
def disk(folder: Path, fault: str) -> Iterator[None]:
    """Lay a small tmpfs under a folder where the fault is one of the disk."""
    if fault == "kill":
        yield
        return
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_MB}m", "tmpfs", str(folder)], check=True
    )
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _mount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", options, str(folder)], check=False, capture_output=True)


def _fill(folder: Path) -> None:
    with (folder / ".filler").open("wb") as file:
        try:
            while True:
                file.write(bytes(1_000_000))
                file.flush()
        except OSError:
            return


def main() -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--folder", type=Path, required=True, help="new folder for sessions and truth"
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--with", dest="fault", choices=("kill", "full", "read-only"), default="kill"
    )
    options = parser.parse_args()
    began_s = time.monotonic()
    loss = killed_again_and_again(options.folder, options.kills, options.seed, options.fault)
    print(
        f"{options.kills} x {options.fault}, {time.monotonic() - began_s:.0f} s: {loss.in_words()}"
    )
    return int(loss.anything)


if __name__ == "__main__":
    sys.exit(main())
