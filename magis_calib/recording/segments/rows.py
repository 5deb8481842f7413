"""Records, frames and announcements as rows of a segment's tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from isal import isal_zlib

from magis_calib.domain.camera import Counts, DropAnnouncement, FrameHeader
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import SessionError
from magis_calib.domain.quantities import ACTUATORS
from magis_calib.domain.serial import to_json
from magis_calib.recording.segments import layout
from magis_calib.recording.segments.sums import DRIVER, HEADER, RECORD, filled


class TooLongError(SessionError):
    """What is to be written does not fit into its field: no other disk will help."""


def frame_row(header: FrameHeader, text: bytes, place: int, counts_crc32: int) -> Any:
    """Return the row of a frame whose header stands as `text` at `place`.

    `counts_crc32`: of what is kept, 0 for nothing.
    """
    row = np.zeros((), layout.FRAME_ROW)
    row["drop_id"] = header.drop_id
    row["view"] = header.view
    row["place"] = place
    row["sequence"] = header.sequence
    row["trigger_time_ns"] = header.trigger_time_ns
    row["payload_crc32"] = int(header.checksum, 16)
    row["counts_crc32"] = counts_crc32
    texts = {DRIVER: header.session.encode(), HEADER: text}
    return filled(layout.WRITTEN["frames"], row, **texts)


def counts_crc32(counts: Counts) -> int:
    """Return the CRC-32 of counts as they stand in memory, little-endian and row by row."""
    return isal_zlib.crc32(np.ascontiguousarray(counts, dtype="<u2").data.cast("B"))


def announcement_row(announcement: DropAnnouncement) -> Any:
    """Return the row of a drop that was announced."""
    row = np.zeros((), layout.ANNOUNCEMENT_ROW)
    row["drop_id"] = announcement.drop_id
    row["planned_time_ns"] = announcement.planned_time_ns
    row["sequence_type"] = announcement.sequence_type
    return filled(layout.WRITTEN["announcements"], row)


def estimate_row(record: DropRecord) -> Any:
    """Return the row of a drop's estimate."""
    row = np.zeros((), layout.ESTIMATE_ROW)
    estimate = record.estimate
    row["drop_id"] = record.drop_id
    row["time_ns"] = record.time_ns
    row["complete"] = record.complete
    row["usable"] = estimate.usable
    row["values"] = [estimate.values[name] for name in layout.NAMES]
    row["stderr"] = [estimate.stderr[name] for name in layout.NAMES]
    row["covariance"] = estimate.covariance
    return filled(layout.WRITTEN["estimates"], row)


def decision_row(record: DropRecord, text: bytes) -> Any:
    """Return the row of what was decided after a drop whose record stands beside it as `text`."""
    row = np.zeros((), layout.DECISION_ROW)
    decision = record.decision
    nothing = float("nan")
    row["drop_id"] = record.drop_id
    row["outcome"] = decision.outcome
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
    return filled(layout.WRITTEN["decisions"], row, **{RECORD: text})


def header_text(header: FrameHeader) -> bytes:
    """Return a frame's header as it is kept. Raises `TooLongError`."""
    return _fitting(to_json(header).encode(), layout.HEADER_BYTES)


def record_text(record: DropRecord) -> bytes:
    """Return a drop's record as it is kept: a remark that does not fit is cut, and says so.

    Raises `TooLongError` where it is not the remark.
    """
    text = to_json(record).encode()
    over = len(text) - layout.RECORD_BYTES
    if over > 0 and record.note:
        return _fitting(to_json(_cut(record, over)).encode(), layout.RECORD_BYTES)
    return _fitting(text, layout.RECORD_BYTES)


def _cut(record: DropRecord, over_bytes: int) -> DropRecord:
    """Return a record with its remark shorter by so much, and the mark."""
    mark = f" … (cut: {len(record.note)} letters)"
    quoted = len(to_json(record.note).encode())
    room = max(0, quoted - over_bytes - len(to_json(mark).encode()))
    note = record.note[:room]
    while len(to_json(note).encode()) > room and note:
        note = note[: len(note) * 9 // 10]
    return replace(record, note=note + mark)


def _fitting(raw: bytes, limit: int) -> bytes:
    if len(raw) > limit:
        raise TooLongError(f"text of {len(raw)} bytes does not fit into {limit}")
    return raw
