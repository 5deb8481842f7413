"""Sums of counts over bins: rows first, as contiguous adds, then columns."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from magis_calib.domain.camera import Counts
from magis_calib.domain.estimate import Array

Indices = npt.NDArray[np.intp]
Sums = npt.NDArray[Any]
"""uint32 or uint64 of counts, which is exact and fast; float64 of floats."""

BLOCK_ROWS = 128
"""Rows worked on at a time: they stay in the processor's cache for a second look."""
UINT32_PIXELS = 2**16
"""So many pixels of 16 bits sum up in 32."""


def bin_sums(
    values: Counts | Sums, row_edges: Indices, column_edges: Indices, pixels: int
) -> Array:
    """Return sums over bins; edges may span a part.

    `pixels` of the image lie in the largest bin.
    """
    inside = values[:, column_edges[0] : column_edges[-1]]
    summed = sum_rows(inside, row_edges, _wide_enough(values, pixels))
    return sum_columns(summed, column_edges - column_edges[0]).astype(np.float64)


def sum_rows(values: Counts | Sums, edges: Indices, wide: npt.DTypeLike) -> Sums:
    """Return sums of each band of rows between two edges, (bands, columns), of this type."""
    sums = np.empty((len(edges) - 1, values.shape[1]), dtype=wide)
    for bands, rows in blocks(edges):
        np.add.reduce(
            values[rows].reshape(bands.stop - bands.start, -1, values.shape[1]),
            axis=1,
            dtype=wide,
            out=sums[bands],
        )
    return sums


def sum_columns(values: Sums, edges: Indices) -> Sums:
    """Return the sums between two column edges, the last of which is the width of `values`."""
    return _joined_columns(np.add, values, edges)


def max_columns(values: Counts, edges: Indices) -> Counts:
    """Return the largest values between two column edges."""
    return _joined_columns(np.maximum, values, edges)


def _joined_columns(join: np.ufunc, values: Sums, edges: Indices) -> Sums:
    sizes = np.diff(edges)
    if np.any(sizes != sizes[0]):
        return join.reduceat(values, edges[:-1], axis=1)
    step = int(sizes[0])
    joined = values[:, ::step].copy()
    for away in range(1, step):
        join(joined, values[:, away::step], out=joined)
    return joined


def blocks(edges: Indices) -> Iterator[tuple[slice, slice]]:
    """Yield bands of equal height and their rows, as many as fit into a block."""
    sizes = np.diff(edges)
    turns = [0, *(np.flatnonzero(np.diff(sizes)) + 1).tolist(), len(sizes)]
    for first, last in pairwise(turns):
        many = max(1, BLOCK_ROWS // int(sizes[first]))
        for start in range(first, last, many):
            stop = min(start + many, last)
            yield slice(start, stop), slice(int(edges[start]), int(edges[stop]))


def _wide_enough(values: Counts | Sums, pixels: int) -> npt.DTypeLike:
    if values.dtype.kind != "u":
        return np.float64
    return np.uint32 if pixels <= UINT32_PIXELS else np.uint64
