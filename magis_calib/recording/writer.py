"""Writes one session: a folder of HDF5 segments, readable at any moment, also after the program was killed."""

from __future__ import annotations

import contextlib
import datetime
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from magis_calib import __version__
from magis_calib.domain.camera import CameraFacts, Frame, View
from magis_calib.domain.errors import SessionError
from magis_calib.domain.quantities import ACTUATORS
from magis_calib.domain.snapshot import DropRecord
from magis_calib.recording import layout
from magis_calib.recording.serial import to_json

RESERVE_BYTES = 64_000_000
"""A disk with less than this left counts as full: what is recorded must still be closed properly."""


def new_session_path(parent: Path, station: str) -> Path:
    """Return a name for a new session folder: <UTC>_<station>_<id>."""
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    return parent / f"{stamp}_{station}_{secrets.token_hex(3)}"


class SessionWriter:
    """Appends frames and records to a session. One thread uses it; every call raises `SessionError` on failure."""

    def __init__(self, path: Path, station: str, configuration: str, attributes: Mapping[str, Any]) -> None:
        """Create the folder. Segments are created with the first frame that they can hold."""
        self.path = path
        self._station, self._configuration, self._attributes = station, configuration, dict(attributes)
        self._file: h5py.File | None = None
        self._facts: dict[View, CameraFacts] = {}
        self._segment_facts: dict[View, CameraFacts] = {}
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SessionError(f"{path}: cannot make the session folder: {error}") from error

    def camera(self, view: View, facts: CameraFacts) -> None:
        """Learn what a camera sends; a segment holds the cameras known when it begins."""
        self._facts[view] = facts

    def frame(self, frame: Frame) -> None:
        """Write one frame and flush: when this returns, the frame survives the death of this program."""
        self._facts.setdefault(frame.header.view, frame.facts)
        if self._segment_facts.get(frame.header.view) != frame.facts:
            self._facts[frame.header.view] = frame.facts
            self._next_segment()
        self._need_room(frame.counts.nbytes)
        group = f"entry/view_{frame.header.view}"
        with self._failures():
            self._append(f"{group}/counts", frame.counts)
            self._append(f"{group}/headers", self._text(to_json(frame.header), layout.HEADER_BYTES))
            self._open().flush()

    def record(self, record: DropRecord) -> None:
        """Write what came of one drop and flush."""
        if self._file is None:
            self._next_segment()
        self._need_room(layout.RECORD_BYTES)
        with self._failures():
            self._append("entry/estimates", _estimate_row(record))
            self._append("entry/decisions", _decision_row(record))
            self._append("entry/records", self._text(to_json(record), layout.RECORD_BYTES))
            self._open().flush()

    def close(self, final: Mapping[str, Any] | None = None) -> None:
        """Close the segment; `final` is written as final.json beside it. Without any segment no folder stays."""
        with self._failures():
            if self._file is not None:
                self._file.close()
                self._file = None
            if final is not None and not any(self.path.glob("segment-*.h5")):
                self.path.rmdir()
            elif final is not None:
                temporary = self.path / "final.json.part"
                temporary.write_text(to_json(final), encoding="utf-8")
                os.replace(temporary, self.path / "final.json")

    def abandon(self) -> None:
        """Give up the open segment after a failure; the next frame begins a new one."""
        file, self._file = self._file, None
        self._segment_facts = {}
        if file is not None:
            with contextlib.suppress(OSError, RuntimeError, ValueError):
                file.close()

    def _next_segment(self) -> None:
        self.close()
        number = 1 + len(list(self.path.glob("segment-*.h5")))
        name = self.path / f"segment-{number:04d}.h5"
        self._need_room(1_000_000)
        with self._failures():
            file = h5py.File(name, "w", libver="v110")
            about = {"schema": layout.SCHEMA, "station": self._station, "software_version": __version__}
            texts = {"configuration": self._configuration}
            layout.create(file, self._facts or _NO_CAMERA, texts, {**about, **self._attributes})
            file.swmr_mode = True
            self._file = file
        self._segment_facts = dict(self._facts)

    def _append(self, name: str, value: Any) -> None:
        dataset = self._open()[name]
        dataset.resize(dataset.shape[0] + 1, axis=0)
        dataset[-1] = value

    def _open(self) -> h5py.File:
        if self._file is None:
            raise SessionError(f"{self.path}: no segment is open")
        return self._file

    def _need_room(self, size_bytes: int) -> None:
        with self._failures():
            free = shutil.disk_usage(self.path).free
        if free < RESERVE_BYTES + size_bytes:
            raise SessionError(f"{self.path}: disk full: {free / 1e6:.0f} MB free, wanted "
                               f"{(RESERVE_BYTES + size_bytes) / 1e6:.0f} MB")  # fmt: skip

    @staticmethod
    def _text(text: str, limit: int) -> np.bytes_:
        raw = text.encode()
        if len(raw) > limit:
            raise SessionError(f"text of {len(raw)} bytes does not fit into {limit}")
        return np.bytes_(raw)

    def _failures(self) -> _Failures:
        return _Failures(self.path)


class _Failures:
    """Turns what HDF5 and the system raise into a `SessionError` that names the session."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError | RuntimeError | ValueError | KeyError):
            raise SessionError(f"{self._path}: cannot write: {error}") from error


_NO_CAMERA: dict[View, CameraFacts] = {
    "x": CameraFacts(1, 1, 1e-6, 1.0, 0.0, 0.0, 65_536, 16, 1, 0.0, "normal"),
}
"""Stands in where a drop without any frame is recorded before any camera said hello."""


def _estimate_row(record: DropRecord) -> Any:
    row = np.zeros((), layout.ESTIMATE_ROW)
    estimate = record.estimate
    row["drop_id"], row["time_ns"] = record.drop_id, record.time_ns
    row["complete"], row["usable"] = record.complete, estimate.usable
    row["values"] = [estimate.values[name] for name in layout.NAMES]
    row["stderr"] = [estimate.stderr[name] for name in layout.NAMES]
    row["covariance"] = estimate.covariance
    return row


def _decision_row(record: DropRecord) -> Any:
    row = np.zeros((), layout.DECISION_ROW)
    decision, nothing = record.decision, float("nan")
    row["drop_id"], row["outcome"] = record.drop_id, decision.outcome
    row["effective_drop"] = -1 if decision.effective_drop is None else decision.effective_drop
    waited = decision.received_to_applied_s
    row["received_to_applied_s"] = nothing if waited is None else waited
    proposal = decision.proposal
    vectors = {
        "in_force": record.in_force,
        "proposed": proposal.proposed if proposal else {},
        "limited": proposal.limited if proposal else {},
        "sent": decision.sent,
        "readback": decision.readback,
    }
    for name, setpoints in vectors.items():
        row[name] = [setpoints.get(actuator, nothing) for actuator in ACTUATORS]
    return row
