"""Go on with the session of a run that was killed.

What it holds already, and what it still owes.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from magis_calib.domain.camera import DropAnnouncement, Frame, View
from magis_calib.domain.errors import SessionError
from magis_calib.recording.files import FINAL, cleared, segments_in, station_by_name, told_of
from magis_calib.recording.lock import SessionLock
from magis_calib.recording.probe import look_into
from magis_calib.recording.reader import Session

log = logging.getLogger(__name__)

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


def left_unfinished(parent: Path, station: str) -> tuple[Path, SessionLock] | None:
    """Return the newest session of this station where nobody closed it and nobody writes it, with
    its lock.

    What is a session of which station is told by what stands in it; a copy is not gone on with. One
    that cannot be read is left alone: `magis-calib session repair` is for that.
    """
    newest = _newest(parent, station)
    if newest is None or (newest / FINAL).exists():
        return None
    written_s = max(one.stat().st_mtime for one in segments_in(newest))
    if time.time() - written_s > LONGEST_PAUSE_S:
        return None
    try:
        lock = SessionLock(newest)
    except SessionError as error:
        log.warning("not gone on with: %s", error)
        return None
    if problem := look_into(newest).problem:
        log.warning("not gone on with: %s", problem)
        lock.release()
        return None
    return newest, lock


def _newest(parent: Path, station: str) -> Path | None:
    """Return the newest session of a station; clear away those that never held anything."""
    folders = [one for one in parent.iterdir() if one.is_dir()] if parent.is_dir() else []
    for path in sorted(folders, reverse=True):
        if not station_by_name(path) or path.is_symlink():
            continue
        if not segments_in(path):
            if station_by_name(path) == station:
                _clear(path)
        elif _station_of(path) == station:
            return path
    return None


def _station_of(path: Path) -> str:
    """Return the station whose session stands in a folder; empty for a copy of another folder's."""
    try:
        told = told_of(path)
    except SessionError as error:
        log.warning("%s", error)
        told = None
    if told is None:  # recorded before sessions told it of themselves
        return look_into(path).station or station_by_name(path)
    return told.station if told.session == path.name else ""


def _clear(path: Path) -> None:
    """Remove the folder of a run that was killed before it recorded anything."""
    with contextlib.suppress(SessionError, OSError):
        lock = SessionLock(path)
        try:
            left = cleared(path)
        finally:
            lock.release()
        if left:
            log.warning("%s: is no session; it stays for %s", path, left)


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
