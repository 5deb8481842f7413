"""What a segment declares, held against what it can be before any of it is taken into memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from magis_calib.recording.segments import layout

MOST_ROWS = 1_000_000
"""Of one table of a segment, which is begun anew every hour."""
MOST_TEXT_BYTES = 16_000_000
MOST_PX = 100_000_000
"""Of one image."""
ROWS: Mapping[str, np.dtype[Any]] = {
    "frames": layout.FRAME_ROW,
    "announcements": layout.ANNOUNCEMENT_ROW,
    "estimates": layout.ESTIMATE_ROW,
    "decisions": layout.DECISION_ROW,
}


def checked_table(name: str, dataset: Any) -> Any:
    """Return a dataset that is such a table. Raises `ValueError` in words."""
    _refuse_group(dataset)
    known = dataset.dtype.fields or {}
    for column, (kind, *_) in (ROWS[name].fields or {}).items():
        if column not in known:
            raise ValueError(f"column {column}: wanted numbers or texts, got none")
        if known[column][0].base.kind != kind.base.kind:
            raise ValueError(f"column {column}: wanted {kind.base}, got {known[column][0].base}")
    if dataset.ndim != 1 or dataset.shape[0] > MOST_ROWS:
        raise ValueError(f"wanted at most {MOST_ROWS} rows, got {dataset.shape}")
    _refuse_wide(dataset.dtype)
    _refuse_chunks(dataset)
    return dataset


def checked_texts(dataset: Any) -> Any:
    """Return a dataset that holds texts of bounded length. Raises `ValueError` in words."""
    _refuse_group(dataset)
    if dataset.dtype.kind != "S":
        raise ValueError(f"wanted texts, got {dataset.dtype}")
    _refuse_wide(dataset.dtype)
    _refuse_chunks(dataset)
    return dataset


def checked_images(dataset: Any) -> Any:
    """Return a dataset that holds images of counts. Raises `ValueError` in words."""
    _refuse_group(dataset)
    pixels = math.prod(dataset.shape[1:])
    if dataset.ndim != 3 or dataset.dtype.kind != "u" or pixels > MOST_PX:
        raise ValueError(f"wanted images of counts, got {dataset.shape} of {dataset.dtype}")
    _refuse_chunks(dataset)
    return dataset


def _refuse_group(dataset: Any) -> None:
    if not isinstance(dataset, h5py.Dataset):
        raise ValueError("wanted a dataset, got a group")


def _refuse_wide(kind: np.dtype[Any]) -> None:
    if kind.itemsize > MOST_TEXT_BYTES:
        raise ValueError(f"wanted at most {MOST_TEXT_BYTES} bytes a row, got {kind.itemsize}")


def _refuse_chunks(dataset: Any) -> None:
    """HDF5 takes a whole chunk into memory, however little of it is read."""
    size = math.prod(dataset.chunks or (0,)) * dataset.dtype.itemsize
    if size > 2 * MOST_PX:
        raise ValueError(f"wanted chunks of at most {2 * MOST_PX} bytes, got {size}")
