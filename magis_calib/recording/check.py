"""Read a whole session again and compare everything in it with its checksums."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from magis_calib.domain.camera import VIEWS, View
from magis_calib.domain.errors import SessionError
from magis_calib.domain.serial import to_json
from magis_calib.host.child import say_begun
from magis_calib.link.wire import as_sent
from magis_calib.recording.files import (
    FINAL,
    SESSION,
    read_sealed,
    segments_in,
    strangers_in,
    told_of,
)
from magis_calib.recording.proof import differing
from magis_calib.recording.reader import Session
from magis_calib.recording.segments.rows import counts_crc32

MOST_BETWEEN = 200_000
"""Drops that nobody heard of are named up to so many."""
LONGEST_GAP = 100_000
"""A jump of drop numbers beyond this is another numbering, not drops that nobody heard of."""


@dataclass(frozen=True, slots=True)
class SessionCheck:
    """What a session holds and whether it is as it was sent."""

    readable: bool
    whole: bool
    """Closed properly, no gaps, no checksum errors."""
    drops: int
    frames: int
    checksum_errors: int
    gaps: tuple[str, ...]
    """ "<view>/<drop_id>" of frames that an announced or recorded drop lacks."""
    frames_by_checksum: dict[str, str]
    problem: str = ""
    differing: tuple[str, ...] = ()
    """What beside frames is not as it was written, or cannot be read."""
    missing_segments: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    """Files that look like segments, and are none of this session."""
    proven: bool = False
    """Everything has a checksum; sessions of before have none of rows, texts and configuration."""

    @property
    def all_there(self) -> bool:
        """Whether nothing that is known of is missing or other than it was."""
        wrong = self.checksum_errors or self.gaps or self.differing or self.missing_segments
        return self.readable and not wrong

    def table(self) -> dict[str, Any]:
        """Return it for JSON; what older sessions cannot have is left out where it says nothing."""
        told = asdict(self)
        optional = ("differing", "missing_segments", "strangers", "proven")
        return {name: one for name, one in told.items() if one or name not in optional}


def check_session(path: Path) -> SessionCheck:
    """Check every frame of a session; one that cannot be read is an answer, not an error."""
    try:
        with Session(path) as session:
            return _check(session)
    except SessionError as error:
        return SessionCheck(False, False, 0, 0, 0, (), {}, str(error))


def _check(session: Session) -> SessionCheck:
    found: dict[str, str] = {}
    errors = 0
    problem = ""
    frames = session.frames
    for drop_id, view in frames:
        found[f"{view}/{drop_id}"] = f"{session.places[drop_id, view].payload_crc32:08x}"
        try:
            errors += not _as_sent(session, drop_id, view)
        except SessionError as error:
            errors = errors + 1
            problem = problem or str(error)
    gaps = missing_frames(session)
    closed = (session.path / FINAL).exists()
    records = _records(session)
    proofs = [one.about_is_as_written is not None for one in session.segments]
    other = tuple(differing(session))
    papers = tuple(_papers(session.path, any(proofs)))
    missing = tuple(missing_segments(session.path))
    whole = closed and not (gaps or errors or problem or other or papers or missing)
    return SessionCheck(
        True,
        whole,
        records,
        len(found),
        errors,
        gaps,
        found,
        problem,
        (*other, *papers),
        missing,
        tuple(strangers_in(session.path)),
        all(proofs),
    )


def missing_segments(path: Path) -> list[str]:
    """Return the names of segments that the session had, and that are not there.

    None where the session does not say, or what it says cannot be read: `check` names that.
    """
    try:
        told = told_of(path)
    except SessionError:
        return []
    there = {one.name for one in segments_in(path)}
    return [one for one in told.segments if one not in there] if told is not None else []


def _papers(path: Path, proven: bool) -> Iterator[str]:
    """Yield what is wrong with the files of JSON beside the segments."""
    if proven and not (path / SESSION).exists():
        yield f"{SESSION} is not there: nobody knows whether segments are missing"
    try:
        told_of(path)
        for name in (FINAL, "certificate.json"):
            if (path / name).exists():
                read_sealed(path / name, sealed=proven)
    except SessionError as error:
        yield str(error)


def _as_sent(session: Session, drop_id: int, view: View) -> bool:
    """Whether a frame's pixels are those that were sent.

    Where only a part is kept, those that were kept.
    """
    place = session.places[drop_id, view]
    segment = session.segments[place.segment]
    counts = segment.counts(view, place.place)
    header = segment.header(view, place.place)
    facts = segment.facts(view)
    said = header.checksum, header.drop_id, header.view
    if said != (f"{place.payload_crc32:08x}", drop_id, view):
        return False
    if counts is None:
        return True
    if counts.shape == (facts.rows, facts.columns):
        return as_sent(counts, header, counts_crc32(counts))
    return counts_crc32(counts) == place.counts_crc32


def missing_frames(session: Session, last: int | None = None) -> tuple[str, ...]:
    """Return "<view>/<drop_id>" of every frame that is not there although its drop was announced or
    recorded.

    `last`: of no later drop.

    Drops are numbered without gaps: one whose number lies between others was announced while nobody
    listened.
    """
    told = {
        *session.table("announcements")["drop_id"].tolist(),
        *session.table("estimates")["drop_id"].tolist(),
    }
    told |= {drop_id for drop_id, _ in session.places}
    numbers = sorted(drop for drop in told if last is None or drop <= last)
    between = (
        drop
        for low, high in pairwise(numbers)
        if high - low < LONGEST_GAP
        for drop in range(low + 1, high)
    )
    drops = sorted([*numbers, *islice(between, MOST_BETWEEN)])
    return tuple(
        f"{view}/{drop}" for drop in drops for view in VIEWS if (drop, view) not in session.places
    )


def _records(session: Session) -> int:
    return len(set(session.table("estimates")["drop_id"].tolist()))


if __name__ == "__main__":
    say_begun()
    print(to_json(check_session(Path(sys.argv[1]))))
