"""Where things stand in a session's HDF5 segments (docs/session-format.md), and how they are
created.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import h5py
import hdf5plugin
import numpy as np

from magis_calib.config.recording import Compression
from magis_calib.domain.camera import CameraFacts, View
from magis_calib.domain.quantities import ACTUATORS, DIAGNOSTICS, OBSERVABLES
from magis_calib.recording.segments.sums import (
    ABOUT,
    DRIVER,
    HEADER,
    RECORD,
    about_crc32,
    with_sums,
)


def filter_of(compression: Compression) -> Mapping[str, Any]:
    """Return what h5py's `create_dataset` needs for it."""
    match compression:
        case "bitshuffle-lz4":
            return dict(hdf5plugin.Bitshuffle(cname="lz4"))
        case "bitshuffle-zstd":
            return dict(hdf5plugin.Bitshuffle(cname="zstd", clevel=1))
        case "gzip":
            return {"compression": "gzip", "compression_opts": 1, "shuffle": True}
        case "none":
            return {}


SCHEMA = 3
READABLE = (1, 2, 3)
"""Schemas that are still read: 2 has no checksums of rows and texts, and 1 has neither `frames` nor
`announcements`, and one compression.
"""
HEADER_BYTES = 4096
RECORD_BYTES = 65_536
NAMES = (*OBSERVABLES, *DIAGNOSTICS)

ESTIMATE_ROW = np.dtype(
    [
        ("drop_id", "i8"),
        ("time_ns", "i8"),
        ("complete", "?"),
        ("usable", "?"),
        ("values", "f8", (len(NAMES),)),
        ("stderr", "f8", (len(NAMES),)),
        ("covariance", "f8", (len(OBSERVABLES), len(OBSERVABLES))),
    ]
)
"""One row a drop.

`values` and `stderr` in the order of the dataset's attribute `names`, NaN where not usable.
"""

DECISION_ROW = np.dtype(
    [
        ("drop_id", "i8"),
        ("outcome", "S16"),
        ("effective_drop", "i8"),
        ("received_to_applied_s", "f8"),
        ("in_force", "f8", (len(ACTUATORS),)),
        ("proposed", "f8", (len(ACTUATORS),)),
        ("limited", "f8", (len(ACTUATORS),)),
        ("sent", "f8", (len(ACTUATORS),)),
        ("readback", "f8", (len(ACTUATORS),)),
    ]
)
"""One row a drop.

Setpoints in the order of the dataset's attribute `names`, NaN where there is none.
"""

FRAME_ROW = np.dtype(
    [
        ("drop_id", "i8"),
        ("view", "S1"),
        ("place", "i8"),
        ("sequence", "i8"),
        ("trigger_time_ns", "i8"),
        ("payload_crc32", "u4"),
        ("counts_crc32", "u4"),
    ]
)
"""One row a frame. `place`: row of the view's `headers`, and of `counts` where pixels are kept;
`payload_crc32`: of the
payload as sent; `counts_crc32`: of the counts as kept here, 0 where none are."""

ANNOUNCEMENT_ROW = np.dtype(
    [("drop_id", "i8"), ("planned_time_ns", "i8"), ("sequence_type", "S16")]
)
"""One row a drop that the drop system announced."""

WRITTEN = {
    "frames": with_sums(FRAME_ROW, DRIVER, HEADER),
    "announcements": with_sums(ANNOUNCEMENT_ROW),
    "estimates": with_sums(ESTIMATE_ROW),
    "decisions": with_sums(DECISION_ROW, RECORD),
}
"""The same rows as they are written, with their checksums."""


def empty(
    facts: Mapping[View, CameraFacts],
    texts: Mapping[str, str],
    attributes: Mapping[str, Any],
    compression: Compression,
    shapes: Mapping[View, tuple[int, int]],
) -> bytes:
    """Return the content of a file in which everything is created, as for `create`.

    It is made in memory: whoever writes it sees each failure.
    """
    with h5py.File("empty", "w", driver="core", backing_store=False, libver="v110") as file:
        create(file, facts, texts, attributes, compression, shapes)
        file.flush()
        image: bytes = file.id.get_file_image()
    return image


def create(
    file: h5py.File,
    facts: Mapping[View, CameraFacts],
    texts: Mapping[str, str],
    attributes: Mapping[str, Any],
    compression: Compression,
    shapes: Mapping[View, tuple[int, int]],
) -> None:
    """Create every group and dataset of a segment, empty.

    Nothing new may appear once it is being read.

    `shapes`: (rows, columns) that are kept of each view's images, (0, 0) for none.
    """
    file.attrs["default"] = "entry"
    entry = _group(file, "entry", "NXentry")
    entry.attrs["default"] = "latest"
    for name, value in attributes.items():
        entry.attrs[name] = value
    for name, text in texts.items():
        entry.create_dataset(name, data=text.encode(), dtype=f"S{max(1, len(text.encode()))}")
    for view, known in facts.items():
        _view(entry, view, known, compression, shapes[view])
    columns = {"estimates": NAMES, "decisions": tuple(ACTUATORS)}
    for name, row in WRITTEN.items():
        _table(entry, name, row, columns.get(name, ()))
    _texts(entry, "records", RECORD_BYTES)
    pictured = [view for view in sorted(facts) if all(shapes[view])]
    if pictured:
        latest = _group(entry, "latest", "NXdata")
        latest.attrs["signal"] = "counts"
        latest.attrs["axes"] = [".", "vertical_um", "horizontal_um"]
        for name in ("counts", "vertical_um", "horizontal_um"):
            latest[name] = h5py.SoftLink(f"/entry/view_{pictured[0]}/{name}")
    file.attrs[ABOUT] = np.uint32(about_crc32(file))


def _view(
    entry: h5py.Group,
    view: View,
    facts: CameraFacts,
    compression: Compression,
    shape: tuple[int, int],
) -> None:
    group = _group(entry, f"view_{view}", "NXdetector")
    for name in CameraFacts.__dataclass_fields__:
        group.attrs[name] = getattr(facts, name)
    _texts(group, "headers", HEADER_BYTES)
    if not all(shape):
        return
    counts = group.create_dataset(
        "counts",
        (0, *shape),
        "u2",
        maxshape=(None, *shape),
        chunks=(1, *shape),
        **filter_of(compression),
    )
    counts.attrs["long_name"] = f"view {view} (counts)"
    for name, size, sign in (("vertical_um", shape[0], -1.0), ("horizontal_um", shape[1], 1.0)):
        middles = sign * (np.arange(size) - (size - 1) / 2.0) * facts.object_pixel_m * 1e6
        group.create_dataset(name, data=middles, dtype="f8").attrs["units"] = "µm"


def _table(entry: h5py.Group, name: str, row: np.dtype[Any], columns: tuple[str, ...]) -> None:
    table = entry.create_dataset(name, (0,), row, maxshape=(None,), chunks=(64,))
    table.attrs["names"] = list(columns)


def _texts(group: h5py.Group, name: str, size: int) -> None:
    """Fixed-length JSON texts.

    Variable-length strings are not safe to append while somebody reads.
    """
    group.create_dataset(
        name, (0,), f"S{size}", maxshape=(None,), chunks=(1,), **hdf5plugin.Bitshuffle(cname="lz4")
    )


def _group(parent: h5py.Group, name: str, nexus_class: str) -> h5py.Group:
    group = parent.create_group(name)
    group.attrs["NX_class"] = nexus_class
    return group
