"""One HDF5 segment of a session, of any schema that can be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import numpy.typing as npt

from magis_calib.domain.camera import VIEWS, CameraFacts, Counts, FrameHeader, View
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import SessionError
from magis_calib.domain.json_text import json_table
from magis_calib.domain.serial import record_from_json
from magis_calib.domain.typed import Made, made, refuse_other_types
from magis_calib.recording.segments import layout
from magis_calib.recording.segments.bounds import checked_images, checked_table, checked_texts
from magis_calib.recording.segments.sums import (
    ABOUT,
    about_crc32,
    begun_rows,
    text_crc32,
    without_sums,
)
from magis_calib.recording.segments.superblock import SIZE, left_open

_FILTERS = hdf5plugin.FILTERS
Rows = npt.NDArray[np.void]
FAILURES = (
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    MemoryError,
)
"""What HDF5 and the decoders raise on damaged content."""


class Segment:
    """A segment that is open for reading, also while it is being written. One thread uses it."""

    def __init__(self, path: Path) -> None:
        """Open. Raises `SessionError` where it is no segment or of an unknown schema."""
        self.path = path
        try:
            self.left_open = _not_closed(path)
            self._file = h5py.File(path, "r", libver="v110", swmr=self.left_open, locking=False)
            self._entry = self._file["entry"]
            self.schema = int(self._entry.attrs["schema"])
        except FAILURES as error:
            raise SessionError(f"{path}: cannot be read: {error}") from error
        if self.schema not in layout.READABLE:
            raise SessionError(
                f"{path}: schema: wanted one of {layout.READABLE}, got {self.schema}"
            )

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def attribute(self, name: str) -> Any:
        """Return an attribute of the run; None where it is not there."""
        with reading(self.path, f"attribute {name}"):
            value = self._entry.attrs.get(name)
            return value.item() if isinstance(value, np.generic) else value

    @property
    def configuration(self) -> str:
        """The configuration in force, as JSON text."""
        with reading(self.path, "configuration"):
            return _decode(checked_texts(self._entry["configuration"])[()])

    def table(self, name: str) -> Rows:
        """Return a whole table: frames, announcements, estimates or decisions.

        Raises `SessionError`.
        """
        if self.schema == 1 and name == "announcements":
            return np.empty(0, layout.ANNOUNCEMENT_ROW)
        if self.schema == 1 and name == "frames":
            return self._frames_of_headers()
        return without_sums(self.written(name))

    def written(self, name: str) -> Rows:
        """Return a whole table as it stands in the file, with its checksums where it has any.

        Raises `SessionError`.
        """
        with reading(self.path, name):
            rows: Rows = checked_table(name, self._entry[name])[:]
            return begun_rows(rows) if self.left_open else rows

    @property
    def about_is_as_written(self) -> bool | None:
        """Whether attributes, configuration and axes are; None where they have no checksum.

        Raises `SessionError`.
        """
        with reading(self.path, "attributes, configuration and axes"):
            told = self._file.attrs.get(ABOUT)
            return None if told is None else int(told) == about_crc32(self._file)

    def header_sum(self, view: View, place: int) -> int:
        """Return the checksum that a header's text has now. Raises `SessionError`."""
        with reading(self.path, f"header {place} of view {view}"):
            return text_crc32(self._entry[f"view_{view}/headers"][place])

    def record_sum(self, place: int) -> int:
        """Return the checksum that a record's text has now. Raises `SessionError`."""
        with reading(self.path, f"record {place}"):
            return text_crc32(self._entry["records"][place])

    def columns(self, name: str) -> tuple[str, ...]:
        """Return what the vectors of a table's rows are of, in their order."""
        with reading(self.path, f"names of {name}"):
            return tuple(str(one) for one in self._entry[name].attrs["names"])

    def facts(self, view: View) -> CameraFacts:
        """Return what the camera of this view announced. Raises `SessionError`."""
        with reading(self.path, f"facts of view {view}"):
            attributes = self._entry[f"view_{view}"].attrs
            told = {name: _native(attributes[name]) for name in CameraFacts.__dataclass_fields__}
            return _typed(CameraFacts, told)

    def header(self, view: View, place: int) -> FrameHeader:
        """Return one frame's header. Raises `SessionError`."""
        with reading(self.path, f"header {place} of view {view}"):
            return _header(checked_texts(self._entry[f"view_{view}/headers"])[place])

    def counts(self, view: View, place: int) -> Counts | None:
        """Return the pixels that are kept of one frame; None where none are.

        Raises `SessionError`.
        """
        group = self._entry.get(f"view_{view}")
        if group is None or "counts" not in group:
            return None
        with reading(self.path, f"image {place} of view {view}"):
            counts: Counts = checked_images(group["counts"])[place]
        counts.flags.writeable = False
        return counts

    def kept_shape(self, view: View) -> tuple[int, int]:
        """Return (rows, columns) that are kept of a view's images, (0, 0) for none."""
        group = self._entry[f"view_{view}"]
        return tuple(group["counts"].shape[1:]) if "counts" in group else (0, 0)

    def frames_held(self, view: View) -> int:
        """Return how many frames of a view are here, header and pixels."""
        group = self._entry.get(f"view_{view}")
        if group is None:
            return 0
        return min(len(group[name]) for name in ("counts", "headers") if name in group)

    @property
    def records_held(self) -> int:
        """How many records there are; one drop may have several."""
        with reading(self.path, "records"):
            return int(checked_texts(self._entry["records"]).shape[0])

    def record(self, place: int) -> DropRecord:
        """Return one record. Raises `SessionError`."""
        with reading(self.path, f"record {place}"):
            return record_from_json(_decode(checked_texts(self._entry["records"])[place]))

    def _frames_of_headers(self) -> Rows:
        """Return the table that schema 1 did not have, read from the headers of its frames."""
        found = list(self._header_rows())
        return np.array(found, layout.FRAME_ROW)

    def _header_rows(self) -> Iterator[tuple[Any, ...]]:
        for view in VIEWS:
            for place in range(self.frames_held(view)):
                header = self.header(view, place)
                crc32 = int(header.checksum, 16)
                yield header.drop_id, view, place, header.sequence, header.trigger_time_ns, crc32, 0


def _not_closed(path: Path) -> bool:
    """Whether a segment is being written, or was left so by a writer that was killed.

    Raises `OSError`.

    HDF5 reads such a file again and again where it finds damage, in the belief that a writer is
    about to mend it.
    """
    with path.open("rb") as file:
        return left_open(file.read(SIZE))


class reading:
    """Turns what HDF5 and the decoders raise into a `SessionError` that says what could not be
    read.
    """

    def __init__(self, path: Path, what: str) -> None:
        self._path = path
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, FAILURES):
            why = f"{error} is missing" if isinstance(error, KeyError) else error
            raise SessionError(f"{self._path}: {self._what} cannot be read: {why}") from error


def _header(text: Any) -> FrameHeader:
    return _typed(FrameHeader, json_table(_decode(text)))


def _typed(kind: type[Made], table: Mapping[str, Any]) -> Made:
    """Return one of ours with fields of their types. Raises `ValueError` naming the wrong one."""
    one = made(kind, table)
    refuse_other_types(one)
    return one


def _decode(value: Any) -> str:
    return bytes(value).decode("utf-8")


def _native(value: Any) -> Any:
    """Return a plain Python number or text of an HDF5 attribute."""
    return value.item() if isinstance(value, np.generic) else value
