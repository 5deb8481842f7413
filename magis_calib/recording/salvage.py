"""Take out of a damaged segment what can still be read, into a new one.

Run as a child, because HDF5 may crash on it.

    python -m magis_calib.recording.salvage SEGMENT NEW

A truncated copy is first filled up with zeros to the length that HDF5 remembers: what stands before
the cut can then be reached. Every frame is compared with its checksum, every row is read by itself.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from magis_calib.domain.camera import VIEWS, CameraFacts, View
from magis_calib.domain.errors import MagisError, SessionError
from magis_calib.domain.serial import to_json
from magis_calib.host.child import say_begun
from magis_calib.link.wire import as_sent
from magis_calib.recording import layout, rows
from magis_calib.recording.segment import FAILURES, Segment
from magis_calib.recording.superblock import SIZE, end_of_file, left_open, said_closed

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
    problem: str = ""
    """Why nothing could be taken out; empty where something was."""


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
        with h5py.File(new, "w", libver="v110") as file:
            _create(file, segment, facts)
            _take(segment, facts, file, found)
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


def _create(file: h5py.File, segment: Segment, facts: dict[View, CameraFacts]) -> None:
    names = ("station", "identity", "raw", "compression", "run", "simulated", "simulation")
    told = {name: segment.attribute(name) for name in names}
    about = {name: value for name, value in told.items() if value is not None}
    shapes = {view: segment.kept_shape(view) for view in facts}
    layout.create(
        file,
        facts,
        {"configuration": segment.configuration},
        {**about, "schema": layout.SCHEMA, "repaired": True},
        "bitshuffle-lz4",
        shapes,
    )


def _take(
    segment: Segment, facts: dict[View, CameraFacts], file: h5py.File, found: Salvaged
) -> None:
    for view in facts:
        for place in range(min(segment.frames_held(view), MOST_ROWS)):
            _frame(segment, view, place, file, found)
    for row in _rows(segment, "announcements"):
        layout.append(file, "entry/announcements", row)
    for place in range(min(segment.records_held, MOST_ROWS)):
        try:
            record = segment.record(place)
            text = np.bytes_(to_json(record).encode())
            estimate, decision = rows.estimate_row(record), rows.decision_row(record)
        except (MagisError, *FAILURES, AttributeError):
            found.lost_records += 1
            continue
        layout.append(file, "entry/estimates", estimate)
        layout.append(file, "entry/decisions", decision)
        layout.append(file, "entry/records", text)
        found.drops += 1


def _frame(segment: Segment, view: View, place: int, file: h5py.File, found: Salvaged) -> None:
    name = f"{view} place {place}"
    try:
        header = segment.header(view, place)
        name = f"{view}/{header.drop_id}"
        counts = segment.counts(view, place)
        crc32 = rows.counts_crc32(counts) if counts is not None else 0
        whole = counts is not None and counts.shape == (header.rows, header.columns)
        if counts is not None and whole and not as_sent(counts, header, crc32):
            raise SessionError(f"{name}: other pixels than were sent")
        row = rows.frame_row(header, file[f"entry/view_{view}/headers"].shape[0], crc32)
    except (MagisError, *FAILURES):
        found.lost_frames.append(name)
        return
    if counts is not None:
        layout.append(file, f"entry/view_{view}/counts", counts)
    layout.append(file, f"entry/view_{view}/headers", np.bytes_(to_json(header).encode()))
    layout.append(file, "entry/frames", row)
    found.frames += 1


def _rows(segment: Segment, name: str) -> Iterator[Any]:
    """Yield what can be read of a table; one chunk that cannot be is left out."""
    try:
        yield from segment.table(name)
    except SessionError:
        return


if __name__ == "__main__":
    say_begun()
    print(to_json(salvage(Path(sys.argv[1]), Path(sys.argv[2]))))
