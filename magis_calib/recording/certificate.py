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
from magis_calib.domain.errors import SessionError
from magis_calib.domain.json_text import json_table
from magis_calib.domain.serial import to_json
from magis_calib.host.child import say_begun
from magis_calib.recording.check import missing_frames, missing_segments
from magis_calib.recording.files import FINAL, read_sealed, write_sealed
from magis_calib.recording.reader import Session
from magis_calib.recording.segments.segment import reading
from magis_calib.recording.segments.sums import DRIVER

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
    """Frames: those received, and those whose sequence numbers never came."""
    received: int
    """Frames: stored, not stored, refused and duplicate."""
    stored: int
    """Frames that are here."""
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
    lost: int = 0
    """Frames that were sent and never came."""
    not_stored: int = 0
    refused: int = 0
    duplicate: int = 0
    """The last three by the last run's own counters."""
    missing_segments: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    """What was told to be stored and was taken away while the run went on, in words."""
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
        names = ("sent", "received", "stored", "lost", "not_stored", "refused", "duplicate")
        frames = {name.replace("_", " "): getattr(self, name) for name in names}
        closed = "closed" if self.closed else "NOT closed"
        return "\n".join(
            [
                f"session {self.session}, station {self.station}, {closed}",
                f"drops:  {_counted(drops)}",
                f"frames: {_counted(frames)} (raw images: {self.raw})",
                f"gaps:   {self._gaps_in_words()}",
                *self._without_outcome_in_words(),
                *(f"missing: {name}" for name in self.missing_segments),
                *(f"gone:   {words}" for words in self.gone),
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
    final = _final(session.path)
    counted = _frames(session, final)
    return Certificate(
        session=session.path.name,
        station=str(session.attribute("station")),
        closed=(session.path / FINAL).exists(),
        announced=len(announced),
        recorded=len(recorded),
        **counted,
        paired=sum(all((drop, view) in session.places for view in VIEWS) for drop in seen),
        fitted=len(set(estimates["drop_id"][estimates["usable"]].tolist())),
        gaps=gaps[:NAMED],
        gaps_in_all=len(gaps),
        without_outcome=tuple(sorted((announced | seen) - recorded)[:NAMED]),
        frames_digest=_frames_digest(session),
        raw=str(session.attribute("raw") or "full"),
        identity=_identity(session),
        configuration_digest=hashlib.sha256(session.configuration.encode()).hexdigest(),
        counters=final.get("counters", {}),
        missing_segments=tuple(missing_segments(session.path)),
        gone=tuple(final.get("gone", ())),
        counted_to=counted_to,
    )


def _frames(session: Session, final: Mapping[str, Any]) -> dict[str, int]:
    """Count frames so that sent = received + lost, and received what became of those that came."""
    counters = final.get("counters", {})
    refused = int(counters.get("malformed", {}).get("conflict", 0))
    not_stored = int(counters.get("not_stored", 0))
    duplicate = int(counters.get("duplicate", 0))
    stored = len(session.places)
    received = stored + not_stored + refused + duplicate
    lost = max(0, _numbered(session) - stored - not_stored - refused)
    return {
        "sent": received + lost,
        "received": received,
        "stored": stored,
        "lost": lost,
        "not_stored": not_stored,
        "refused": refused,
        "duplicate": duplicate,
    }


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
    write_sealed(path / CERTIFICATE, found)
    return found


def _numbered(session: Session) -> int:
    """Count sequence numbers from the first to the last of each view and session of its driver.

    Older tables do not name that session: another one began where numbers begin again.
    """
    spans: dict[tuple[Any, ...], tuple[int, int]] = {}
    for segment in session.segments:
        table = segment.table("frames") if segment.schema == 1 else segment.written("frames")
        drivers = table[DRIVER] if DRIVER in (table.dtype.names or ()) else None
        for place, row in enumerate(table):
            view, number = row["view"], int(row["sequence"])
            driver = _begun_again(spans, view, number) if drivers is None else drivers[place]
            first, last = spans.get((view, driver), (number, number))
            spans[view, driver] = min(first, number), max(last, number)
    return sum(last - first + 1 for first, last in spans.values())


def _begun_again(spans: Mapping[tuple[Any, ...], tuple[int, int]], view: bytes, number: int) -> str:
    """Return how often the numbers of a view have begun again, as the name of a driver."""
    before = sum(one == view and isinstance(driver, str) for one, driver in spans)
    newest = spans.get((view, str(before)))
    again = newest is None or number <= newest[1] - REORDERED
    return str(before + 1 if again else before)


REORDERED = 1000
"""A sequence number may come so many after a later one: frames are sent again."""


def _final(path: Path) -> Mapping[str, Any]:
    try:
        final = read_sealed(path / FINAL, sealed=False)
    except SessionError:
        return {}
    counters = final.get("counters")
    return {**final, "counters": counters if isinstance(counters, dict) else {}}


def _identity(session: Session) -> Mapping[str, str]:
    """Return which software made a session. Raises `SessionError`."""
    told = session.attribute("identity")
    with reading(session.path, "attribute identity"):
        return {name: str(one) for name, one in json_table(str(told)).items()} if told else {}


if __name__ == "__main__":
    say_begun()
    recorded = Path(sys.argv[1])
    print(to_json(write_certificate(recorded, goes_on=not (recorded / FINAL).exists())))
