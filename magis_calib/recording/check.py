"""Read a whole session again and compare every frame with its checksum."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from magis_calib.domain.camera import VIEWS
from magis_calib.domain.errors import SessionError
from magis_calib.link.wire import checksum, payload_of
from magis_calib.recording.reader import Session


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
    """ "<view>/<drop_id>" of frames that a recorded drop lacks."""
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
    for drop_id, view in session.frames:
        frame = session.frame(drop_id, view)
        assert frame is not None
        found[f"{view}/{drop_id}"] = frame.header.checksum
        errors += checksum(payload_of(frame.counts, frame.header)) != frame.header.checksum
    wanted = [f"{view}/{record.drop_id}" for record in session.records for view in VIEWS]
    gaps = tuple(name for name in wanted if name not in found)
    closed = (session.path / "final.json").exists()
    whole = closed and not gaps and not errors
    return SessionCheck(True, whole, len(session.records), len(found), errors, gaps, found)
