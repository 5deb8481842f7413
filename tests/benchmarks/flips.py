"""Whether one changed byte in a closed session is ever silent.

    python -m tests.benchmarks.flips --folder NEW [--flips 10000] [--seed 1]

Records a small session, then changes one byte of it, again and again, at every place of its files
by chance: half of the flips anywhere, half in what the datasets hold. Each is told (`session check`
names what differs, or cannot read the file) or harmless: then everything that a reader gets out of
the session is the same as before. Prints how many there were of each; exit 1 on one that is silent,
on a crash, and on a check that takes longer than 20 s.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np

from magis_calib.config.loading import load_config, select_station
from magis_calib.config.recording import Recording
from magis_calib.domain.camera import VIEWS, DropAnnouncement
from magis_calib.domain.control import Decision
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import SessionError
from magis_calib.domain.serial import to_json
from magis_calib.estimation.station import combine
from magis_calib.estimation.view import estimate_view
from magis_calib.recording.certificate import write_certificate
from magis_calib.recording.check import check_session
from magis_calib.recording.reader import Session
from magis_calib.recording.writer import SessionWriter
from tests.pictures import SMALL, frame

LONGEST_S = 20.0
FACTS = replace(SMALL, rows=32, columns=48)
PAPERS = ("session.json", "final.json", "certificate.json")
Place = tuple[str, int]


def record(path: Path, drops: int = 6) -> None:
    """Record a small session with everything that one has, and close it."""
    config = load_config(None)
    station = select_station(config, None)[1]
    text = config.model_dump_json(by_alias=True)
    writer = SessionWriter(path, "bottom", text, {"simulated": False}, Recording())
    rng = np.random.default_rng(5)
    for view in VIEWS:
        writer.camera(view, FACTS)
    for drop in range(1, drops + 1):
        writer.announcement(DropAnnouncement(drop, "interferometer", 7))
        counts = {view: rng.integers(1600, 2000, (32, 48), np.uint16) for view in VIEWS}
        frames = {view: frame(one, view, drop, FACTS) for view, one in counts.items()}
        for one in frames.values():
            writer.frame(one)
        estimate = combine(
            {view: estimate_view(one, station.camera(view)) for view, one in frames.items()}
        )
        decision = Decision(drop, 5, "held", "a test", effective_drop=None)
        in_force = {"trap_x_m": 0.1 * drop}
        writer.record(
            DropRecord(drop, drop, "interferometer", True, estimate, decision, in_force, {})
        )
        writer.commit()
    writer.close({"counters": {"received": 2 * drops, "stored": 2 * drops}})
    write_certificate(path)


def content(path: Path) -> str:
    """Return a digest of everything that a reader gets out of a session. Raises `SessionError`."""
    digest = hashlib.sha256()
    with Session(path) as session:
        for name in ("frames", "announcements", "estimates", "decisions"):
            digest.update(session.table(name).tobytes())
        for key in session.frames:
            one = session.frame(*key)
            assert one is not None
            digest.update(one.counts.tobytes() + to_json([one.header, one.facts]).encode())
        digest.update(to_json(session.records).encode() + session.configuration.encode())
        for name in ("station", "identity", "run", "raw", "simulated", "compression"):
            digest.update(repr(session.attribute(name)).encode())
        digest.update(repr([session.columns(name) for name in ("estimates", "decisions")]).encode())
    with h5py.File(path / "segment-0001.h5") as file:
        for view in VIEWS:
            for name in ("horizontal_um", "vertical_um"):
                digest.update(file[f"entry/view_{view}/{name}"][:].tobytes())
    return digest.hexdigest()


def places(path: Path, count: int, rng: random.Random) -> list[Place]:
    """Return so many bytes: half of them anywhere, half of them where datasets hold something."""
    sizes = [((path / name).stat().st_size, name) for name in ("segment-0001.h5", *PAPERS)]
    anywhere = [(name, at) for size, name in sizes for at in range(size)]
    held = [
        ("segment-0001.h5", rng.randrange(at, at + size))
        for at, size in _held(path / "segment-0001.h5")
        for _ in range(40)
    ]
    half = min(count // 2, len(held))
    return rng.sample(held, half) + rng.sample(anywhere, min(count - half, len(anywhere)))


def _held(segment: Path) -> list[tuple[int, int]]:
    """Return offset and size of each stored piece of each dataset."""
    found: list[tuple[int, int]] = []

    def look(name: str, item: object) -> None:
        if not isinstance(item, h5py.Dataset):
            return
        if item.chunks is None:
            found.append((item.id.get_offset(), item.id.get_storage_size()))
            return
        for number in range(item.id.get_num_chunks()):
            chunk = item.id.get_chunk_info(number)
            found.append((chunk.byte_offset, chunk.size))

    with h5py.File(segment) as file:
        file.visititems(look)
    return found


def flipped(path: Path, place: Place, bits: int, whole: str) -> str:
    """Change one byte, see what is said of it, and change it back: told, harmless or silent."""
    name, at = place
    with (path / name).open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ bits]))
    try:
        found = check_session(path)
        if not found.whole:
            return "told"
        return "harmless" if content(path) == whole else f"SILENT {name} at {at} ^ {bits:02x}"
    except SessionError as error:
        return f"SILENT {name} at {at} ^ {bits:02x}: reading fails: {error}"[:200]
    finally:
        with (path / name).open("r+b") as file:
            file.seek(at)
            file.write(bytes([byte]))


def series(path: Path, flips: Sequence[tuple[Place, int]], whole: str) -> Counter[str]:
    """Do some flips in children, so that a crash is one of theirs; return what was said."""
    told: Counter[str] = Counter()
    before = {one: one.read_bytes() for one in path.iterdir()}
    waiting = list(flips)
    while waiting:
        done, words = _in_child(path, waiting, whole)
        told.update(words)
        if done < len(waiting):
            told[_by_command(path, *waiting[done])] += 1
            for one, content_before in before.items():
                one.write_bytes(content_before)
        waiting = waiting[done + 1 :]
    return told


def _by_command(path: Path, place: Place, bits: int) -> str:
    """Say what the command makes of a byte, still changed, on which libhdf5 crashed its reader."""
    words = [sys.executable, "-m", "magis_calib", "session", "check", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    named = done.returncode == 1 and "it is damaged" in done.stdout and not done.stderr
    return "told" if named else f"CRASH {place} ^ {bits:02x}: {done.returncode} {done.stdout}"


def _in_child(path: Path, flips: Sequence[tuple[Place, int]], whole: str) -> tuple[int, list[str]]:
    """Return how many flips a child lived through, and what was said of each."""
    out, into = os.pipe()
    child = os.fork()
    if not child:
        os.close(out)
        for place, bits in flips:
            began_s = time.monotonic()
            words = flipped(path, place, bits, whole)
            slow = time.monotonic() - began_s > LONGEST_S
            os.write(into, (f"SLOW {place}" if slow else words).encode() + b"\n")
        os._exit(0)
    os.close(into)
    with os.fdopen(out) as file:
        words = file.read().splitlines()
    os.waitpid(child, 0)
    return len(words), words


def main() -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="new folder")
    parser.add_argument("--flips", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    path = options.folder / "20261201T000000Z_bottom_f11b00"
    record(path)
    kept = options.folder / "kept"
    shutil.copytree(path, kept)
    whole = content(path)
    flips = [(place, 1 << rng.randrange(8)) for place in places(path, options.flips, rng)]
    told = series(path, flips, whole)
    same = all(one.read_bytes() == (kept / one.name).read_bytes() for one in path.iterdir())
    bad = [words for words in told if words not in ("told", "harmless")]
    print(f"{len(flips)} flips: {told['told']} told, {told['harmless']} harmless, {len(bad)} bad")
    for words in bad[:40]:
        print(f"  {words}")
    return int(bool(bad) or not same)


if __name__ == "__main__":
    sys.exit(main())
