"""Reads a session: its drops, frames and records, in the order they were written.

Also while it is being written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from magis_calib.domain.camera import VIEWS, Frame, View
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import SessionError
from magis_calib.recording.files import segments_in
from magis_calib.recording.segments.rows import counts_crc32
from magis_calib.recording.segments.segment import Rows, Segment, reading
from magis_calib.recording.tables import dataframe, dataset

if TYPE_CHECKING:
    import pandas
    import xarray


MOST_WRONG = 1000
"""After so many records that cannot be read, no more are looked for."""


@dataclass(frozen=True, slots=True)
class FramePlace:
    """Where one frame stands, and what its checksums are."""

    segment: int
    place: int
    payload_crc32: int
    counts_crc32: int


class Session:
    """A recorded session. Use as a context manager. Opening it reads the small tables only."""

    def __init__(self, path: Path, only: str | None = None) -> None:
        """Open every segment, or `only` one.

        Raises `SessionError` where there is none, or it cannot be read.
        """
        self.path = path
        self.segments = [Segment(name) for name in segment_paths(path) if only in (None, name.name)]
        with reading(path, "table of frames"):
            self.places = self._index()

    def __enter__(self) -> Session:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        self.close()

    def close(self) -> None:
        """Close the files."""
        for segment in self.segments:
            segment.close()

    @property
    def configuration(self) -> str:
        """The configuration of the run, as JSON text."""
        return self.segments[0].configuration

    @property
    def matrix(self) -> str:
        """Name of the response matrix that was in force.

        Raises `SessionError` where the configuration has none.
        """
        with reading(self.path, "matrix in the configuration"):
            stations = json.loads(self.configuration)["stations"]
            return str(stations[str(self.attribute("station"))]["loop"]["matrix"])

    def attribute(self, name: str) -> Any:
        """Return an attribute of the run: station, identity, simulated, raw ….

        None where it is not there.
        """
        return self.segments[0].attribute(name)

    @property
    def frames(self) -> list[tuple[int, View]]:
        """Every recorded frame by drop and view."""
        return sorted(self.places)

    def table(self, name: str) -> Rows:
        """Return a whole table, in the order it was written.

        Frames, announcements, estimates or decisions.

        Row by row what docs/session-format.md says. Of a drop with several rows, the last one
        counts.
        """
        with reading(self.path, name):
            return np.concatenate([segment.table(name) for segment in self.segments])

    def dataframe(self, name: str) -> pandas.DataFrame:
        """Return a table as a pandas DataFrame, one number a column.

        Raises `SessionError`, also without pandas.
        """
        return dataframe(self, name)

    def dataset(self) -> xarray.Dataset:
        """Return estimates and decisions as an xarray Dataset along `drop_id`.

        Raises `SessionError`.
        """
        return dataset(self)

    def columns(self, name: str) -> tuple[str, ...]:
        """Return what the vectors of a table's rows are of, in their order."""
        return self.segments[0].columns(name)

    def frame(self, drop_id: int, view: View) -> Frame | None:
        """Return one frame, None where it was not recorded whole.

        Raises `SessionError` where it is damaged.
        """
        found = self.places.get((drop_id, view))
        if found is None:
            return None
        segment = self.segments[found.segment]
        counts = segment.counts(view, found.place)
        facts = segment.facts(view)
        if counts is None or counts.shape != (facts.rows, facts.columns):
            return None
        return Frame(segment.header(view, found.place), counts, facts, 0.0)

    def frame_as_stored(self, drop_id: int, view: View) -> Frame | None:
        """Return one frame as `frame` does; raise `SessionError` where its pixels were changed."""
        frame = self.frame(drop_id, view)
        wanted = self.places[drop_id, view].counts_crc32 if frame is not None else 0
        if frame is not None and wanted and counts_crc32(frame.counts) != wanted:
            raise SessionError(f"{self.path}: drop {drop_id}, view {view}: its pixels were changed")
        return frame

    def drops(self) -> Iterator[tuple[DropRecord, dict[View, Frame]]]:
        """Yield each record with its frames, in the order the run made them."""
        for record in self.records:
            found = {view: self.frame(record.drop_id, view) for view in VIEWS}
            yield record, {view: frame for view, frame in found.items() if frame is not None}

    def record(self, drop_id: int) -> DropRecord | None:
        """Return the newest record of one drop without reading all others.

        None where there is none.
        """
        for segment in reversed(self.segments):
            places = np.flatnonzero(segment.table("estimates")["drop_id"] == drop_id)
            if len(places):
                return segment.record(int(places[-1]))
        return None

    @cached_property
    def records(self) -> list[DropRecord]:
        """Every record in full.

        A later one of the same drop (a remark was added) replaces the earlier.
        """
        found = {record.drop_id: record for record in self._all_records()}
        return list(found.values())

    def readable(self) -> tuple[list[DropRecord], list[str]]:
        """Return the newest records that can be read, and why others cannot."""
        found: dict[int, DropRecord] = {}
        wrong: list[str] = []
        for segment in self.segments:
            for place in range(segment.records_held):
                try:
                    record = segment.record(place)
                except SessionError as error:
                    wrong.append(str(error))
                    if len(wrong) >= MOST_WRONG:
                        return list(found.values()), wrong
                    continue
                found[record.drop_id] = record
        return list(found.values()), wrong

    @cached_property
    def restarts(self) -> frozenset[int]:
        """Drops whose records are the first of a run that went on with this session after another
        one was killed.
        """
        found = set()
        seen = set[int]()
        before = None
        for segment in self.segments:
            drops = segment.table("estimates")["drop_id"].tolist()
            run = segment.attribute("run")
            new = [drop for drop in drops if drop not in seen]
            if new:
                if seen and run != before:
                    found.add(new[0])
                before = run
            seen.update(drops)
        return frozenset(found)

    def _all_records(self) -> Iterator[DropRecord]:
        for segment in self.segments:
            for place in range(segment.records_held):
                yield segment.record(place)

    def _index(self) -> Mapping[tuple[int, View], FramePlace]:
        places: dict[tuple[int, View], FramePlace] = {}
        for number, segment in enumerate(self.segments):
            for row in segment.table("frames").tolist():
                drop_id, view, place, _, _, payload, counts = row
                if view.decode() not in VIEWS:
                    raise SessionError(
                        f"{segment.path}: view of a frame: wanted one of {VIEWS}, got {view!r}"
                    )
                # a frame that stands twice was not stored the first time: its segment was given up
                places[drop_id, view.decode()] = FramePlace(number, place, payload, counts)
        return places


def segment_paths(path: Path) -> list[Path]:
    """Return the segments of a session in their order.

    Raises `SessionError` where there is none.
    """
    names = segments_in(path)
    if not names:
        raise SessionError(
            f"{path}: not a session: wanted a folder with segment-0001.h5, got "
            f"{'no segment' if path.is_dir() else 'no folder'}"
        )
    return names
