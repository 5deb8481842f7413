"""Read a whole session again and compare every frame with its checksum."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

from magis_calib.domain.camera import VIEWS, View
from magis_calib.domain.errors import SessionError
from magis_calib.domain.serial import to_json
from magis_calib.host.child import say_begun
from magis_calib.link.wire import as_sent
from magis_calib.recording.reader import Session
from magis_calib.recording.rows import counts_crc32
from magis_calib.recording.writer import FINAL

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
    whole = closed and not gaps and not errors and not problem
    return SessionCheck(True, whole, records, len(found), errors, gaps, found, problem)


def _as_sent(session: Session, drop_id: int, view: View) -> bool:
    """Whether a frame's pixels are those that were sent.

    Where only a part is kept, those that were kept.
    """
    place = session.places[drop_id, view]
    segment = session.segments[place.segment]
    counts = segment.counts(view, place.place)
    header = segment.header(view, place.place)
    facts = segment.facts(view)
    if int(header.checksum, 16) != place.payload_crc32 or (header.drop_id, header.view) != (
        drop_id,
        view,
    ):
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
