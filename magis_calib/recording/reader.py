"""Reads a session: its drops, frames and records, in the order they were written. Also while it is being written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin  # registers the filter that the images are compressed with
import numpy as np

from magis_calib.domain.camera import VIEWS, CameraFacts, Counts, Frame, FrameHeader, View
from magis_calib.domain.errors import SessionError
from magis_calib.domain.snapshot import DropRecord
from magis_calib.recording.layout import SCHEMA
from magis_calib.recording.serial import record_from_json

_FILTER = hdf5plugin.Bitshuffle


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one frame stands."""

    segment: int
    index: int


class Session:
    """A recorded session. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        """Open every segment. Raises `SessionError` where there is none that can be read."""
        self.path = path
        names = sorted(path.glob("segment-*.h5")) if path.is_dir() else []
        if not names:
            raise SessionError(f"{path}: not a session: wanted a folder with segment-0001.h5, got "
                               f"{'no segment' if path.is_dir() else 'no folder'}")  # fmt: skip
        self._files = [_open(name) for name in names]
        self._places = self._index()
        self.records = self._read_records()

    def __enter__(self) -> Session:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        for file in self._files:
            file.close()

    @property
    def configuration(self) -> str:
        """The configuration of the run, as JSON text."""
        return _decode(self._files[0]["entry/configuration"][()])

    @property
    def matrix(self) -> str:
        """Name of the response matrix that was in force."""
        stations = json.loads(self.configuration)["stations"]
        return str(stations[str(self.attribute("station"))]["loop"]["matrix"])

    def attribute(self, name: str) -> Any:
        """Return an attribute of the run: station, software_version, seed …; None where it is not there."""
        return self._files[0]["entry"].attrs.get(name)

    @property
    def frames(self) -> list[tuple[int, View]]:
        """Every recorded frame by drop and view."""
        return sorted(self._places)

    def frame(self, drop_id: int, view: View) -> Frame | None:
        """Return one frame, None where it was not recorded."""
        place = self._places.get((drop_id, view))
        if place is None:
            return None
        group = self._files[place.segment][f"entry/view_{view}"]
        counts: Counts = group["counts"][place.index]
        counts.flags.writeable = False
        facts = CameraFacts(**{name: _native(group.attrs[name]) for name in CameraFacts.__dataclass_fields__})
        return Frame(_header(group["headers"][place.index]), counts, facts, 0.0)

    def drops(self) -> Iterator[tuple[DropRecord, dict[View, Frame]]]:
        """Yield each record with its frames, in the order the run made them."""
        for record in self.records:
            found = {view: self.frame(record.drop_id, view) for view in VIEWS}
            yield record, {view: frame for view, frame in found.items() if frame is not None}

    def _index(self) -> dict[tuple[int, View], _Place]:
        places: dict[tuple[int, View], _Place] = {}
        for number, file in enumerate(self._files):
            for view in VIEWS:
                group = file["entry"].get(f"view_{view}")
                if group is None:
                    continue
                whole = min(len(group["counts"]), len(group["headers"]))
                for index, text in enumerate(group["headers"][:whole]):
                    places.setdefault((_header(text).drop_id, view), _Place(number, index))
        return places

    def _read_records(self) -> list[DropRecord]:
        """Every record; a later one of the same drop (a remark was added) replaces the earlier."""
        found: dict[int, DropRecord] = {}
        for file in self._files:
            for text in file["entry/records"][:]:
                record = record_from_json(_decode(text))
                found[record.drop_id] = record
        return list(found.values())


def _open(name: Path) -> h5py.File:
    try:
        file = h5py.File(name, "r", libver="v110", swmr=True)
        schema = int(file["entry"].attrs["schema"])
    except (OSError, KeyError, ValueError) as error:
        raise SessionError(f"{name}: cannot be read: {error}") from error
    if schema != SCHEMA:
        raise SessionError(f"{name}: schema: wanted {SCHEMA}, got {schema}")
    return file


def _header(text: Any) -> FrameHeader:
    return FrameHeader(**json.loads(_decode(text)))


def _decode(value: Any) -> str:
    return bytes(value).decode("utf-8")


def _native(value: Any) -> Any:
    """Return a plain Python number or text of an HDF5 attribute."""
    return value.item() if isinstance(value, np.generic) else value
