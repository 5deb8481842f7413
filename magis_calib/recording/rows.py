"""Records, frames and announcements as rows of a segment's tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from isal import isal_zlib

from magis_calib.domain.camera import Counts, DropAnnouncement, FrameHeader
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.quantities import ACTUATORS
from magis_calib.recording import layout


def frame_row(header: FrameHeader, place: int, counts_crc32: int) -> Any:
    """Return the row of a frame whose header stands at `place`.

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
    return row


def counts_crc32(counts: Counts) -> int:
    """Return the CRC-32 of counts as they stand in memory, little-endian and row by row."""
    return isal_zlib.crc32(np.ascontiguousarray(counts, dtype="<u2").data.cast("B"))


def announcement_row(announcement: DropAnnouncement) -> Any:
    """Return the row of a drop that was announced."""
    row = np.zeros((), layout.ANNOUNCEMENT_ROW)
    row["drop_id"] = announcement.drop_id
    row["planned_time_ns"] = announcement.planned_time_ns
    row["sequence_type"] = announcement.sequence_type
    return row


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
    return row


def decision_row(record: DropRecord) -> Any:
    """Return the row of what was decided after a drop."""
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
    return row
