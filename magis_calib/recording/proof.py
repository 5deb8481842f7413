"""What of a session is not as it was written: rows, texts and all that is written once."""

from __future__ import annotations

from collections.abc import Iterator

from magis_calib.domain.camera import VIEWS
from magis_calib.domain.errors import SessionError
from magis_calib.recording.reader import Session
from magis_calib.recording.segments import layout
from magis_calib.recording.segments.segment import Segment
from magis_calib.recording.segments.sums import HEADER, RECORD, ROW, other_rows

DOUBTED = "about_doubted"
"""Attribute of a repaired segment whose attributes, configuration or axes were damaged."""
ABOUT_WORDS = "attributes, configuration or axes"


def differing(session: Session) -> Iterator[str]:
    """Yield what is not as it was written, by name. Images are compared elsewhere."""
    for segment in session.segments:
        yield from (f"{segment.path.name}: {words}" for words in differing_in(segment))


def differing_in(segment: Segment) -> Iterator[str]:
    """Yield what is not as it was written in one segment."""
    yield from _about(segment)
    yield from rows_differing(segment)
    yield from _headers(segment)
    yield from _records(segment)


def _about(segment: Segment) -> Iterator[str]:
    try:
        if segment.attribute(DOUBTED) or segment.about_is_as_written is False:
            yield ABOUT_WORDS
    except SessionError as error:
        yield str(error)


def rows_differing(segment: Segment) -> Iterator[str]:
    """Yield the rows of all tables that are not as they were written, by name."""
    for name in layout.WRITTEN if segment.schema > 1 else ():
        try:
            rows = segment.written(name)
        except SessionError as error:
            yield str(error)
            continue
        if ROW in (rows.dtype.names or ()):
            yield from (f"row {place} of {name}" for place in other_rows(rows))


def _headers(segment: Segment) -> Iterator[str]:
    rows = segment.written("frames") if segment.schema > 1 else segment.table("frames")
    if HEADER not in (rows.dtype.names or ()):
        return
    for view, place, wanted in zip(
        rows["view"].tolist(), rows["place"].tolist(), rows[HEADER].tolist(), strict=True
    ):
        try:
            same = view.decode() in VIEWS and segment.header_sum(view.decode(), place) == wanted
        except (SessionError, UnicodeDecodeError):
            same = False
        if not same:
            yield f"header {place} of view {view.decode(errors='replace')}"


def _records(segment: Segment) -> Iterator[str]:
    """Compare each record with its checksum; where it has none, see that it can be read at all."""
    rows = segment.written("decisions")
    wanted = rows[RECORD].tolist() if RECORD in (rows.dtype.names or ()) else None
    if wanted is not None and not segment.left_open and len(wanted) != segment.records_held:
        yield f"{segment.records_held} records of {len(wanted)} decisions"
    for place in range(segment.records_held if wanted is None else len(wanted)):
        if words := _record(segment, place, wanted[place] if wanted is not None else None):
            yield words


def _record(segment: Segment, place: int, wanted: int | None) -> str:
    try:
        if wanted is None:
            segment.record(place)
            return ""
        return "" if segment.record_sum(place) == wanted else f"record {place}"
    except SessionError as error:
        return str(error)
