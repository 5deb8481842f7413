"""Writes one session.

A folder of HDF5 segments, readable at any moment, also after the program was killed.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from magis_calib.config.recording import Recording
from magis_calib.domain.camera import CameraFacts, DropAnnouncement, Frame, View
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import SessionError
from magis_calib.domain.serial import to_json
from magis_calib.link.wire import as_sent
from magis_calib.recording import layout, rows
from magis_calib.recording.exit import end_without_hdf5
from magis_calib.recording.identity import identity

RESERVE_BYTES = 64_000_000
"""A disk with less than this left counts as full: what is recorded must still be closed properly.
"""
FINAL = "final.json"


def new_session_path(parent: Path, station: str) -> Path:
    """Return a name for a new session folder: <UTC>_<station>_<id>."""
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    return parent / f"{stamp}_{station}_{secrets.token_hex(3)}"


class TooLongError(SessionError):
    """What is to be written does not fit into its field: no other disk will help."""


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
        self._file: h5py.File | None = None
        self._began_s = 0.0
        self._written_before = 0
        self._facts: dict[View, CameraFacts] = {}
        self._segment_facts: dict[View, CameraFacts] = {}
        with self._failures("make the session folder"):
            path.mkdir(parents=True, exist_ok=True)

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
            self._append("entry/announcements", rows.announcement_row(announcement))

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
        with self._failures():
            if kept is not None:
                self._append(f"{group}/counts", kept)
            place = self._append(
                f"{group}/headers", self._text(to_json(header), layout.HEADER_BYTES)
            )
            crc32 = (
                whole_crc32
                if kept is None or kept.shape == frame.counts.shape
                else rows.counts_crc32(kept)
            )
            self._append(
                "entry/frames", rows.frame_row(header, place, crc32 if kept is not None else 0)
            )

    def record(self, record: DropRecord) -> None:
        """Append what came of one drop."""
        text = self._text(to_json(record), layout.RECORD_BYTES)
        self._ready(layout.RECORD_BYTES)
        with self._failures():
            self._append("entry/estimates", rows.estimate_row(record))
            self._append("entry/decisions", rows.decision_row(record))
            self._append("entry/records", text)

    def commit(self) -> None:
        """Bring everything that was appended onto the disk."""
        if self._file is not None:
            with self._failures():
                self._file.flush()
                os.fsync(self._file.id.get_vfd_handle())

    def close(self, final: Mapping[str, Any] | None = None) -> None:
        """Close the segment; `final` is written as final.json beside it.

        Without any segment no folder stays.
        """
        self.commit()
        with self._failures():
            if self._file is not None:
                self._written_before += self._segment_bytes()
                self._file.close()
                self._file = None
            if final is not None and not any(self.path.glob("segment-*.h5")):
                shutil.rmtree(self.path)
            elif final is not None:
                write_text(self.path / FINAL, to_json(final))

    def abandon(self) -> None:
        """Give up the open segment after a failure; what comes next begins a new one."""
        file = self._file
        self._file = None
        self._segment_facts = {}
        if file is not None:
            end_without_hdf5()
            with contextlib.suppress(OSError, RuntimeError, ValueError):
                file.close()

    def _ready(self, size_bytes: int) -> None:
        """Have a segment open that holds the cameras known now and has room for so much more."""
        if self._file is None or self._facts != self._segment_facts or self._is_full(size_bytes):
            self._next_segment()
        self._need_room(size_bytes)

    def _segment_bytes(self) -> int:
        return os.fstat(self._file.id.get_vfd_handle()).st_size if self._file is not None else 0

    def _is_full(self, size_bytes: int) -> bool:
        old = time.monotonic() - self._began_s > self._recording.segment_s
        return old or self._segment_bytes() + size_bytes > self._recording.segment_bytes

    def _next_segment(self) -> None:
        self.close()
        number = 1 + max(
            (int(one.stem.rpartition("-")[2]) for one in self.path.glob("segment-*.h5")), default=0
        )
        self._need_room(1_000_000)
        facts = self._facts or _NO_CAMERA
        about = {
            "schema": layout.SCHEMA,
            "station": self._station,
            "identity": to_json(identity()),
            "run": self._run,
            "raw": self._recording.raw,
            "compression": self._recording.compression,
        }
        shapes = {view: self._shape(view, one) for view, one in facts.items()}
        with self._failures():
            (self.path / FINAL).unlink(missing_ok=True)
            self._file = _whole(
                self.path / f"segment-{number:04d}.h5",
                lambda file: layout.create(
                    file,
                    facts,
                    {"configuration": self._configuration},
                    about | self._attributes,
                    self._recording.compression,
                    shapes,
                ),
            )
        self._segment_facts = dict(self._facts)
        self._began_s = time.monotonic()

    def _shape(self, view: View, facts: CameraFacts) -> tuple[int, int]:
        part = self._recording.kept(view, facts.rows, facts.columns)
        return (
            (part[0].stop - part[0].start, part[1].stop - part[1].start)
            if part is not None
            else (0, 0)
        )

    def _append(self, name: str, value: Any) -> int:
        assert self._file is not None
        return layout.append(self._file, name, value)

    def _need_room(self, size_bytes: int) -> None:
        with self._failures():
            free = shutil.disk_usage(self.path).free
        if free < RESERVE_BYTES + size_bytes:
            raise SessionError(
                f"{self.path}: disk full: {free / 1e6:.0f} MB free, wanted "
                f"{(RESERVE_BYTES + size_bytes) / 1e6:.0f} MB"
            )

    @staticmethod
    def _text(text: str, limit: int) -> np.bytes_:
        raw = text.encode()
        if len(raw) > limit:
            raise TooLongError(f"text of {len(raw)} bytes does not fit into {limit}")
        return np.bytes_(raw)

    @contextlib.contextmanager
    def _failures(self, doing: str = "write") -> Iterator[None]:
        """Turn what HDF5 and the system raise into a `SessionError` that names the session."""
        try:
            yield
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            raise SessionError(f"{self.path}: cannot {doing}: {error}") from error


def _whole(path: Path, fill: Callable[[h5py.File], None]) -> h5py.File:
    """Open a new segment for appending; it bears its name only from when others can read it.

    Raises as HDF5 does.
    """
    begun = path.with_name(path.name + ".part")
    file = h5py.File(begun, "w", libver="v110")
    try:
        fill(file)
        file.swmr_mode = True
        os.fsync(file.id.get_vfd_handle())
        begun.rename(path)
        sync_folder(path.parent)
    except BaseException:
        file.close()
        begun.unlink(missing_ok=True)
        raise
    return file


def write_text(path: Path, text: str) -> None:
    """Replace a file as a whole, or not at all, and bring it onto the disk. Raises `OSError`."""
    temporary = path.with_name(path.name + ".part")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Bring the names in a folder onto the disk. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_NO_CAMERA: dict[View, CameraFacts] = {
    "x": CameraFacts(1, 1, 1e-6, 1.0, 0.0, 0.0, 65_536, 16, 1, 0.0, "normal"),
}
"""Stands in where a drop without any frame is recorded before any camera said hello."""
