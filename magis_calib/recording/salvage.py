"""Take out of a damaged segment what can still be read, into a new one.

Run as a child, because HDF5 may crash on it.

    python -m magis_calib.recording.salvage SEGMENT NEW

A truncated copy is first filled up with zeros to the length that HDF5 remembers: what stands before
the cut can then be reached. Every frame is compared with its checksum, every row is read by itself.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from magis_calib.domain.camera import VIEWS, CameraFacts, DropAnnouncement, View
from magis_calib.domain.errors import MagisError, SessionError
from magis_calib.domain.serial import to_json
from magis_calib.host.child import say_begun
from magis_calib.link.wire import as_sent
from magis_calib.recording.proof import DOUBTED, rows_differing
from magis_calib.recording.segments import layout, rows
from magis_calib.recording.segments.open_segment import OpenSegment
from magis_calib.recording.segments.segment import FAILURES, Segment
from magis_calib.recording.segments.sums import HEADER, RECORD, ROW, other_rows
from magis_calib.recording.segments.superblock import SIZE, end_of_file, left_open, said_closed

LONGEST_BYTES = 1 << 40
MOST_ROWS = 10_000_000


@dataclass(slots=True)
class Salvaged:
    """What was taken out of one segment, and what was not."""

    frames: int = 0
    drops: int = 0
    lost_frames: list[str] = field(default_factory=list)
    """ "<view>/<drop_id>", or "<view> place N" where even the header is gone."""
    lost_records: int = 0
    lost_announcements: int = 0
    mended: int = 0
    """Rows that are not as they were written; what they say may stand elsewhere, too."""
    about_doubted: bool = False
    """Attributes, configuration or axes are not as they were written."""
    problem: str = ""
    """Why nothing could be taken out; empty where something was."""

    @property
    def loses_something(self) -> bool:
        """Whether a part of what was recorded could not be taken out as it was written."""
        lost = self.lost_frames or self.lost_records or self.lost_announcements
        return bool(self.problem or lost or self.about_doubted)


def salvage(damaged: Path, new: Path) -> Salvaged:
    """Write what can be read of a segment into a new one.

    Where that is nothing, none is written.
    """
    copy = new.with_suffix(".copy")
    found = Salvaged()
    try:
        _filled_up(damaged, copy)
        segment = Segment(copy)
        facts = {view: segment.facts(view) for view in VIEWS if _has(segment, view)}
        if not facts:
            raise SessionError(f"{damaged}: no camera's facts can be read")
        found.about_doubted = segment.about_is_as_written is False
        found.mended = len(list(rows_differing(segment)))
        doubted = found.about_doubted or bool(segment.attribute(DOUBTED))
        file = OpenSegment(new, _empty(segment, facts, doubted=doubted))
        try:
            _take(segment, facts, file, found)
            file.commit()
        finally:
            file.close()
    except (MagisError, *FAILURES) as error:
        found.problem = str(error).replace(str(copy), damaged.name)
        new.unlink(missing_ok=True)
    finally:
        copy.unlink(missing_ok=True)
    return found


def _filled_up(damaged: Path, copy: Path) -> None:
    """Copy a segment, as long as it once was and with nobody writing.

    HDF5 waits for a writer where it finds damage.
    """
    shutil.copyfile(damaged, copy)
    with copy.open("r+b") as file:
        head = file.read(SIZE)
        size = copy.stat().st_size
        was = end_of_file(head) if len(head) == SIZE else 0
        length = was if size < was < LONGEST_BYTES else size
        file.truncate(length)
        if left_open(head):
            file.seek(0)
            file.write(said_closed(head, length))


def _has(segment: Segment, view: View) -> bool:
    try:
        segment.facts(view)
    except SessionError:
        return False
    return True


def _empty(segment: Segment, facts: dict[View, CameraFacts], *, doubted: bool) -> bytes:
    names = ("station", "identity", "raw", "compression", "run", "simulated", "simulation")
    told = {name: segment.attribute(name) for name in names}
    about = {name: value for name, value in told.items() if value is not None}
    shapes = {view: segment.kept_shape(view) for view in facts}
    return layout.empty(
        facts,
        {"configuration": segment.configuration},
        {**about, "schema": layout.SCHEMA, "repaired": True, DOUBTED: doubted},
        "bitshuffle-lz4",
        shapes,
    )


def _take(
    segment: Segment, facts: dict[View, CameraFacts], file: OpenSegment, found: Salvaged
) -> None:
    sums = _sums(segment, "frames", HEADER)
    for view in facts:
        for place in range(min(segment.frames_held(view), MOST_ROWS)):
            _frame(segment, view, place, sums.get((view.encode(), place)), file, found)
    announcements, found.lost_announcements = _announcements(segment)
    for announcement in announcements:
        file.append_row("entry/announcements", rows.announcement_row(announcement))
    wanted = _sums(segment, "decisions", RECORD)
    for place in range(min(segment.records_held, MOST_ROWS)):
        _record(segment, place, wanted.get(place), file, found)


def _sums(segment: Segment, name: str, field: str) -> dict[Any, int]:
    """Return the checksums of texts that a table's whole rows tell, by where the text stands."""
    try:
        written = segment.written(name)
    except SessionError:
        return {}
    if ROW not in (written.dtype.names or ()):
        return {}
    bad = set(other_rows(written))
    whole = [(place, row) for place, row in enumerate(written) if place not in bad]
    if name == "frames":
        return {(row["view"], int(row["place"])): int(row[field]) for _, row in whole}
    return {place: int(row[field]) for place, row in whole}


def _announcements(segment: Segment) -> tuple[list[DropAnnouncement], int]:
    """Return what was announced, and how many rows of it are not as they were written."""
    try:
        written = segment.written("announcements")
    except SessionError:
        return [], 0
    bad = set(other_rows(written)) if ROW in (written.dtype.names or ()) else set()
    kept = [row for place, row in enumerate(written) if place not in bad]
    return [
        DropAnnouncement(
            int(row["drop_id"]),
            row["sequence_type"].decode(errors="replace"),
            int(row["planned_time_ns"]),
        )
        for row in kept
    ], len(bad)


def _record(
    segment: Segment, place: int, wanted: int | None, file: OpenSegment, found: Salvaged
) -> None:
    try:
        if wanted is not None and segment.record_sum(place) != wanted:
            raise SessionError(f"record {place}: not as it was written")
        record = segment.record(place)
        text = to_json(record).encode()
        estimate, decision = rows.estimate_row(record), rows.decision_row(record, text)
    except (MagisError, *FAILURES, AttributeError):
        found.lost_records += 1
        return
    file.append_row("entry/estimates", estimate)
    file.append_row("entry/decisions", decision)
    file.append("entry/records", text)
    found.drops += 1


def _frame(
    segment: Segment,
    view: View,
    place: int,
    wanted: int | None,
    file: OpenSegment,
    found: Salvaged,
) -> None:
    name = f"{view} place {place}"
    try:
        header = segment.header(view, place)
        name = f"{view}/{header.drop_id}"
        if wanted is not None and segment.header_sum(view, place) != wanted:
            raise SessionError(f"{name}: another header than was written")
        counts = segment.counts(view, place)
        crc32 = rows.counts_crc32(counts) if counts is not None else 0
        whole = counts is not None and counts.shape == (header.rows, header.columns)
        if counts is not None and whole and not as_sent(counts, header, crc32):
            raise SessionError(f"{name}: other pixels than were sent")
    except (MagisError, *FAILURES):
        found.lost_frames.append(name)
        return
    if counts is not None:
        file.append(f"entry/view_{view}/counts", counts)
    text = rows.header_text(header)
    at = file.append(f"entry/view_{view}/headers", text)
    file.append_row("entry/frames", rows.frame_row(header, text, at, crc32))
    found.frames += 1


if __name__ == "__main__":
    say_begun()
    print(to_json(salvage(Path(sys.argv[1]), Path(sys.argv[2]))))
