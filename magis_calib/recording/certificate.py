"""What became of every drop and frame of a session, hop by hop.

Announced, sent, received, paired, fitted, stored.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from magis_calib.domain.camera import VIEWS
from magis_calib.domain.json_text import json_table
from magis_calib.domain.serial import to_json
from magis_calib.host.child import say_begun
from magis_calib.host.files import read_text
from magis_calib.recording.check import missing_frames
from magis_calib.recording.reader import Session
from magis_calib.recording.segment import reading
from magis_calib.recording.writer import FINAL, write_text

CERTIFICATE = "certificate.json"
NAMED = 1000
"""Gaps that are written by name; all are counted."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Counts and names of what a session holds.

    Drops are counted for the first two and for `paired` and `fitted`.
    """

    session: str
    station: str
    closed: bool
    announced: int
    recorded: int
    """Drops with an outcome."""
    sent: int
    """Frames, by the sequence numbers of each driver's session."""
    received: int
    stored: int
    """Frames whose pixels, or the part that is to be kept, are here."""
    paired: int
    """Drops with the frames of both views."""
    fitted: int
    """Drops with a usable estimate."""
    gaps: tuple[str, ...]
    """ "<view>/<drop_id>" of frames that are not here; at most the first thousand."""
    gaps_in_all: int
    without_outcome: tuple[int, ...]
    """Drops that were announced or seen, and have no outcome."""
    frames_digest: str
    """SHA-256 over the checksums of all frames: two sessions with the same one hold the same
    frames.
    """
    raw: str
    identity: Mapping[str, str]
    configuration_digest: str
    """SHA-256 of the configuration's text."""
    counters: Mapping[str, Any]
    """What the last run itself counted; empty where it was not closed."""
    counted_to: int | None = None
    """Of a run that goes on, the last drop whose frames may be missing: those of later ones may be
    on the way.
    """

    def in_words(self) -> str:
        """Write it as lines that a person reads."""
        drops = {
            "announced": self.announced,
            "with an outcome": self.recorded,
            "paired": self.paired,
            "fitted, usable": self.fitted,
        }
        frames = {"sent": self.sent, "received": self.received, "stored": self.stored}
        closed = "closed" if self.closed else "NOT closed"
        return "\n".join(
            [
                f"session {self.session}, station {self.station}, {closed}",
                f"drops:  {_counted(drops)}",
                f"frames: {_counted(frames)} (raw images: {self.raw})",
                f"gaps:   {self._gaps_in_words()}",
                *self._without_outcome_in_words(),
                f"frames digest {self.frames_digest}",
                f"configuration digest {self.configuration_digest}",
                self._software_in_words(),
            ]
        )

    def _gaps_in_words(self) -> str:
        missing = f"{self.gaps_in_all} missing: {', '.join(self.gaps[:20])}"
        up_to = f" (up to drop {self.counted_to})" if self.counted_to is not None else ""
        return (missing if self.gaps else "none missing") + up_to

    def _without_outcome_in_words(self) -> list[str]:
        drops = ", ".join(map(str, self.without_outcome[:20]))
        return [f"no outcome: drops {drops}"] if drops else []

    def _software_in_words(self) -> str:
        names = ", ".join(f"{name} {version}" for name, version in self.identity.items())
        return f"made by {names or 'an older version'}"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def certify(session: Session, counted_to: int | None = None) -> Certificate:
    """Count what an open session holds; `counted_to`: no frame of a later drop is missing yet.

    Raises `SessionError` where a table cannot be read.
    """
    estimates = session.table("estimates")
    announced = set(session.table("announcements")["drop_id"].tolist())
    recorded = set(estimates["drop_id"].tolist())
    seen = {drop for drop, _ in session.places}
    gaps = missing_frames(session, counted_to)
    final = session.path / FINAL
    return Certificate(
        session.path.name,
        str(session.attribute("station")),
        final.exists(),
        len(announced),
        len(recorded),
        _sent(session),
        len(session.table("frames")),
        _kept(session),
        sum(all((drop, view) in session.places for view in VIEWS) for drop in seen),
        len(set(estimates["drop_id"][estimates["usable"]].tolist())),
        gaps[:NAMED],
        len(gaps),
        tuple(sorted((announced | seen) - recorded)[:NAMED]),
        _frames_digest(session),
        str(session.attribute("raw") or "full"),
        _identity(session),
        hashlib.sha256(session.configuration.encode()).hexdigest(),
        _counters(final),
        counted_to,
    )


def _kept(session: Session) -> int:
    """Count the frames whose pixels are kept."""
    return sum(
        place.counts_crc32 != 0 or segment_keeps(session, place.segment)
        for place in session.places.values()
    )


def _frames_digest(session: Session) -> str:
    """Return SHA-256 of the list of frames: drop, view and checksum of each."""
    places = sorted(session.places.items())
    listed = json.dumps([[drop, view, place.payload_crc32] for (drop, view), place in places])
    return hashlib.sha256(listed.encode()).hexdigest()


def write_certificate(path: Path, *, goes_on: bool = False) -> Certificate:
    """Certify a session and write certificate.json into it. Raises `SessionError`, `OSError`.

    `goes_on`: its run is still recording. Frames are written before the outcome of their drop, so
    those of drops that had one a moment ago are there, or are missing.
    """
    decided = None
    if goes_on:
        with Session(path) as session:
            decided = max(session.table("estimates")["drop_id"].tolist(), default=0)
    with Session(path) as session:
        found = certify(session, decided)
    write_text(path / CERTIFICATE, to_json(found))
    return found


def segment_keeps(session: Session, number: int) -> bool:
    """Whether a segment keeps pixels although its table has no checksum of them (schema 1)."""
    return session.segments[number].schema == 1


def _sent(session: Session) -> int:
    """Count frames from the first to the last sequence number of each view and driver session.

    The table does not name the driver's session: where its numbers begin again, another one began.
    """
    sent = 0
    rows = session.table("frames")
    for view in VIEWS:
        numbers = rows["sequence"][rows["view"] == view.encode()].tolist()
        runs: list[list[int]] = []
        for number in numbers:
            if not runs or number <= runs[-1][1] - REORDERED:
                runs.append([number, number])
            runs[-1] = [min(runs[-1][0], number), max(runs[-1][1], number)]
        sent += sum(last - first + 1 for first, last in runs)
    return sent


REORDERED = 1000
"""A sequence number may come so many after a later one: frames are sent again."""


def _counters(final: Path) -> Mapping[str, Any]:
    try:
        counters = json_table(read_text(final)).get("counters")
    except (OSError, ValueError):
        return {}
    return counters if isinstance(counters, dict) else {}


def _identity(session: Session) -> Mapping[str, str]:
    """Return which software made a session. Raises `SessionError`."""
    told = session.attribute("identity")
    with reading(session.path, "attribute identity"):
        return {name: str(one) for name, one in json_table(str(told)).items()} if told else {}


if __name__ == "__main__":
    say_begun()
    recorded = Path(sys.argv[1])
    print(to_json(write_certificate(recorded, goes_on=not (recorded / FINAL).exists())))
