"""Go on with the session of a run that was killed.

What it holds already, and what it still owes.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from magis_calib.domain.camera import DropAnnouncement, Frame, View
from magis_calib.domain.errors import SessionError
from magis_calib.recording.probe import look_into
from magis_calib.recording.reader import Session
from magis_calib.recording.writer import FINAL

LOCK = "lock"
LONGEST_PAUSE_S = 12 * 3600.0
"""A session that was left longer ago is not gone on with: a new shift begins a new one."""


@dataclass(frozen=True, slots=True, eq=False)
class Earlier:
    """What a session holds when a run goes on with it."""

    checksums: Mapping[tuple[int, View], str] = field(default_factory=dict)
    """Of each frame that is stored, by drop and view."""
    decided: frozenset[int] = frozenset()
    """Drops that have their outcome."""
    owed: tuple[DropAnnouncement, ...] = ()
    """Drops that were announced or seen, and have no outcome yet."""
    frames: tuple[Frame, ...] = ()
    """The stored frames of those."""


class SessionLock:
    """Says that somebody writes a session. It falls when its holder ends, however that happens."""

    def __init__(self, path: Path) -> None:
        """Take it. Raises `SessionError` where somebody else holds it."""
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._file: IO[str] = (path / LOCK).open("a+", encoding="utf-8")
        except OSError as error:
            raise SessionError(f"{path}: cannot make the session folder: {error}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.seek(0)
            owner = self._file.read().strip() or "somebody"
            self._file.close()
            raise SessionError(f"{path}: is being written by {owner}") from error
        with contextlib.suppress(OSError):  # the lock holds even where a full disk takes no name
            self._file.truncate(0)
            self._file.write(f"process {os.getpid()} on {socket.gethostname()}")
            self._file.flush()

    def release(self) -> None:
        """Let go."""
        self._file.close()


def left_unfinished(parent: Path, station: str) -> tuple[Path, SessionLock] | None:
    """Return the newest session of this station where nobody closed it and nobody writes it, with
    its lock.

    One that cannot be read is left alone: `magis-calib session repair` is for that.
    """
    found = sorted(parent.glob(f"*_{station}_*"), reverse=True) if parent.is_dir() else []
    newest = None
    for path in found:
        if any(path.glob("segment-*.h5")):
            newest = path
            break
        _clear(path)
    if newest is None or (newest / FINAL).exists():
        return None
    written_s = max(one.stat().st_mtime for one in newest.glob("segment-*.h5"))
    if time.time() - written_s > LONGEST_PAUSE_S:
        return None
    try:
        lock = SessionLock(newest)
    except SessionError:
        return None
    if look_into(newest).problem:
        lock.release()
        return None
    return newest, lock


def _clear(path: Path) -> None:
    """Remove the folder of a run that was killed before it recorded anything."""
    with contextlib.suppress(SessionError, OSError):
        if any(one.name != LOCK and one.suffix != ".part" for one in path.iterdir()):
            return
        lock = SessionLock(path)
        shutil.rmtree(path)
        lock.release()


def earlier(path: Path) -> Earlier:
    """Return what a session holds and owes. Raises `SessionError`."""
    with Session(path) as session:
        announced = {row[0]: row for row in session.table("announcements").tolist()}
        decided = frozenset(session.table("estimates")["drop_id"].tolist())
        drops = sorted(({drop for drop, _ in session.places} | announced.keys()) - decided)
        frames = [session.frame(drop, view) for drop, view in session.frames if drop in set(drops)]
        whole = tuple(frame for frame in frames if frame is not None)
        types = {frame.header.drop_id: frame.header.sequence_type for frame in whole}
        owed = [
            DropAnnouncement(
                drop,
                types.get(drop, "interferometer"),
                announced[drop][1] if drop in announced else 0,
            )
            for drop in drops
        ]
        checksums = {key: f"{place.payload_crc32:08x}" for key, place in session.places.items()}
    return Earlier(checksums, decided, tuple(owed), whole)
