"""Writes one session.

A folder of HDF5 segments, readable at any moment, also after the program was killed.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from magis_calib.config.recording import Recording
from magis_calib.domain.camera import CameraFacts, DropAnnouncement, Frame, View
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import SessionError
from magis_calib.domain.serial import to_json
from magis_calib.host.disk import RESERVE_BYTES
from magis_calib.host.identity import identity
from magis_calib.link.wire import as_sent
from magis_calib.recording.files import (
    FINAL,
    SESSION,
    Told,
    cleared,
    segment_number,
    segments_in,
    tell,
    told_of,
    write_sealed,
)
from magis_calib.recording.segments import layout, rows
from magis_calib.recording.segments.open_segment import OpenSegment
from magis_calib.recording.watched import WatchedFolder

log = logging.getLogger(__name__)


def new_session_path(parent: Path, station: str) -> Path:
    """Return a name for a new session folder: <UTC>_<station>_<id>."""
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    return parent / f"{stamp}_{station}_{secrets.token_hex(3)}"


class SessionWriter:
    """Appends to a session. One thread uses it; every call raises `SessionError` on failure.

    What was appended survives the death of this program and of the machine once `commit` has
    returned.
    """

    def __init__(
        self,
        path: Path,
        station: str,
        configuration: str,
        attributes: Mapping[str, Any],
        recording: Recording,
    ) -> None:
        """Create the folder, or go on in it.

        Segments are created with the first thing that they can hold.
        """
        self.path = path
        self._station = station
        self._configuration = configuration
        self._attributes = dict(attributes)
        self._recording = recording
        self._run = secrets.token_hex(4)
        self._segment: OpenSegment | None = None
        self._began_s = 0.0
        self._written_before = 0
        self._facts: dict[View, CameraFacts] = {}
        self._segment_facts: dict[View, CameraFacts] = {}
        with self._failures("make the session folder"):
            path.mkdir(parents=True, exist_ok=True)
            self._told = _told(path, station)
            self._watched = WatchedFolder(path)

    @property
    def segments(self) -> tuple[str, ...]:
        """Names of the segments that the session has, or had."""
        return self._told.segments

    @property
    def gone(self) -> tuple[str, ...]:
        """What was told to be stored and is not as it was: somebody else touched its file."""
        return self._watched.gone

    @property
    def bytes_written(self) -> int:
        """How much this writer has brought into files so far."""
        return self._written_before + self._segment_bytes()

    def camera(self, view: View, facts: CameraFacts) -> None:
        """Learn what a camera sends; a segment holds the cameras known when it begins."""
        self._facts[view] = facts

    def announcement(self, announcement: DropAnnouncement) -> None:
        """Append a drop that was announced."""
        self._ready(layout.ANNOUNCEMENT_ROW.itemsize)
        with self._failures():
            self._append_row("entry/announcements", rows.announcement_row(announcement))

    def frame(self, frame: Frame) -> None:
        """Append one frame.

        The pixels are compared with the checksum that they were sent with once more.
        """
        header = frame.header
        self._facts[header.view] = frame.facts
        whole_crc32 = rows.counts_crc32(frame.counts)
        if not as_sent(frame.counts, header, whole_crc32):
            raise SessionError(
                f"{self.path}: drop {header.drop_id}, view {header.view}: the pixels in memory "
                "are not those that were received"
            )
        self._ready(frame.counts.nbytes)
        part = self._recording.kept(header.view, *frame.counts.shape)
        kept = frame.counts[part] if part is not None else None
        group = f"entry/view_{header.view}"
        text = rows.header_text(header)
        with self._failures():
            if kept is not None:
                self._append(f"{group}/counts", kept)
            place = self._append(f"{group}/headers", text)
            crc32 = (
                whole_crc32
                if kept is None or kept.shape == frame.counts.shape
                else rows.counts_crc32(kept)
            )
            row = rows.frame_row(header, text, place, crc32 if kept is not None else 0)
            self._append_row("entry/frames", row)
        self._watched.holds(header.view, header.drop_id)

    def record(self, record: DropRecord) -> None:
        """Append what came of one drop."""
        text = rows.record_text(record)
        self._ready(layout.RECORD_BYTES)
        with self._failures():
            self._append_row("entry/estimates", rows.estimate_row(record))
            self._append_row("entry/decisions", rows.decision_row(record, text))
            self._append("entry/records", text)

    def commit(self) -> None:
        """Bring everything that was appended onto the disk."""
        if self._segment is not None:
            self._watched.look(self._segment)
            with self._failures():
                self._segment.commit()
            self._watched.look(self._segment)
            self._watched.committed()

    def close(self, final: Mapping[str, Any] | None = None) -> None:
        """Close the segment; `final` is written as final.json beside it.

        Without any segment no folder stays, but for what the program did not make.
        """
        self._end_segment()
        if final is None:
            return
        self._watched.look(None)
        with self._failures():
            if self._told.segments:
                if not (self.path / SESSION).exists():
                    tell(self.path, self._told)
                write_sealed(self.path / FINAL, {**final, "gone": self.gone})
            elif left := cleared(self.path):
                log.warning("%s: nothing was recorded; it stays for %s", self.path, left)

    def abandon(self) -> None:
        """Give up the open segment after a failure; what comes next begins a new one."""
        segment = self._segment
        self._segment = None
        self._segment_facts = {}
        if segment is not None:
            segment.abandon()
            self._watched.left(segment.path)

    def _end_segment(self) -> None:
        """Commit and close the open segment."""
        self.commit()
        segment = self._segment
        if segment is None:
            return
        self._segment = None
        self._segment_facts = {}
        self._written_before += segment.size_bytes
        with self._failures("close a segment"):
            segment.close()
        self._watched.left(segment.path)

    def _ready(self, size_bytes: int) -> None:
        """Have a segment open that holds the cameras known now and has room for so much more."""
        if self._segment is None or self._facts != self._segment_facts or self._is_full(size_bytes):
            self._next_segment()
        self._watched.look(self._segment)
        self._need_room(size_bytes)

    def _segment_bytes(self) -> int:
        return self._segment.size_bytes if self._segment is not None else 0

    def _is_full(self, size_bytes: int) -> bool:
        old = time.monotonic() - self._began_s > self._recording.segment_s
        return old or self._segment_bytes() + size_bytes > self._recording.segment_bytes

    def _next_segment(self) -> None:
        self._end_segment()
        self._watched.look(None)
        self._need_room(1_000_000)
        facts = self._facts or _NO_CAMERA
        image = layout.empty(
            facts,
            {"configuration": self._configuration},
            self._about() | self._attributes,
            self._recording.compression,
            {view: self._shape(view, one) for view, one in facts.items()},
        )
        name = _next_name(self.path, self._told)
        with self._failures():
            (self.path / FINAL).unlink(missing_ok=True)
            self._segment = OpenSegment(self.path / name, image)
            self._told = replace(self._told, segments=(*self._told.segments, name))
            tell(self.path, self._told)
        self._segment_facts = dict(self._facts)
        self._began_s = time.monotonic()

    def _about(self) -> dict[str, Any]:
        return {
            "schema": layout.SCHEMA,
            "station": self._station,
            "identity": to_json(identity()),
            "run": self._run,
            "raw": self._recording.raw,
            "compression": self._recording.compression,
        }

    def _shape(self, view: View, facts: CameraFacts) -> tuple[int, int]:
        part = self._recording.kept(view, facts.rows, facts.columns)
        return (
            (part[0].stop - part[0].start, part[1].stop - part[1].start)
            if part is not None
            else (0, 0)
        )

    def _append(self, name: str, value: Any) -> int:
        assert self._segment is not None
        return self._segment.append(name, value)

    def _append_row(self, name: str, row: Any) -> None:
        assert self._segment is not None
        self._segment.append_row(name, row)

    def _need_room(self, size_bytes: int) -> None:
        with self._failures():
            free = shutil.disk_usage(self.path).free
        if free < RESERVE_BYTES + size_bytes:
            raise SessionError(
                f"{self.path}: disk full: {free / 1e6:.0f} MB free, wanted "
                f"{(RESERVE_BYTES + size_bytes) / 1e6:.0f} MB"
            )

    @contextlib.contextmanager
    def _failures(self, doing: str = "write") -> Iterator[None]:
        """Turn what HDF5 and the system raise into a `SessionError` that names the session."""
        try:
            yield
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            raise SessionError(f"{self.path}: cannot {doing}: {error}") from error


def _told(path: Path, station: str) -> Told:
    """Return what the folder says of itself, or what is in it where it says nothing."""
    try:
        told = told_of(path)
    except SessionError:
        told = None
    there = tuple(one.name for one in segments_in(path))
    before = told.segments if told is not None else ()
    return Told(path.name, station, (*before, *(one for one in there if one not in before)))


def _next_name(path: Path, told: Told) -> str:
    """Return the name of a segment that never was."""
    numbers = [segment_number(one) or 0 for one in told.segments]
    numbers += [segment_number(one.name) or 0 for one in segments_in(path)]
    return f"segment-{1 + max(numbers, default=0):04d}.h5"


_NO_CAMERA: dict[View, CameraFacts] = {
    "x": CameraFacts(1, 1, 1e-6, 1.0, 0.0, 0.0, 65_536, 16, 1, 0.0, "normal"),
}
"""Stands in where a drop without any frame is recorded before any camera said hello."""
