"""Sums of counts, and the pixels that the light around them cannot explain."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import scipy.ndimage

from magis_calib.domain.camera import CameraFacts, Counts
from magis_calib.domain.estimate import Array

Indices = npt.NDArray[np.intp]

TILE_PX = 8
"""Side of a tile: a cloud of the narrowest width (8 px) varies little inside one."""
LIGHT_FACTOR = 5.0
"""A fringe doubles the light, and the narrowest cloud is up to twice as bright as the tiles beside its brightest."""
DEFECT_SIGMA = 8.0
"""A pixel this far above `LIGHT_FACTOR` times the light around it is a defect: on noise alone, < 1 in 10⁴ frames."""


def steps(size: int) -> Indices:
    """Return the edges of tiles along an axis: eight pixels, fewer where the axis has less than 64 tiles."""
    step = min(TILE_PX, max(1, size // 64))
    return np.append(np.arange(0, size, step, dtype=np.intp), size)


def sum_counts(counts: Counts | Array, row_edges: Indices, column_edges: Indices) -> Array:
    """Sum rows first, as contiguous adds, then columns: five times faster than summing tiles."""
    whole = counts.dtype.kind == "u"
    inside = counts[:, column_edges[0] : column_edges[-1]]
    bands = [
        inside[start:stop].sum(axis=0, dtype=np.uint32 if whole else np.float64) for start, stop in pairwise(row_edges)
    ]
    return _sum_columns(np.stack(bands), column_edges)


def tile_counts(counts: Counts, row_edges: Indices, column_edges: Indices) -> tuple[Array, Counts]:
    """Return the sums of the tiles and, of each band of rows, the largest count of every column.

    Both in one pass: a band of eight rows is still in the processor's cache for the second look.
    """
    bands = np.empty((len(row_edges) - 1, counts.shape[1]), dtype=np.uint32)
    brightest = np.empty(bands.shape, dtype=np.uint16)
    for band, (start, stop) in enumerate(pairwise(row_edges)):
        np.add.reduce(counts[start:stop], axis=0, dtype=np.uint32, out=bands[band])
        np.maximum.reduce(counts[start:stop], axis=0, out=brightest[band])
    return _sum_columns(bands, column_edges), brightest


def _sum_columns(bands: npt.NDArray[np.uint32] | Array, column_edges: Indices) -> Array:
    wide = np.uint64 if bands.dtype.kind == "u" else np.float64
    sums = np.add.reduceat(bands, column_edges[:-1] - column_edges[0], axis=1, dtype=wide)
    return sums.astype(np.float64)


def hot_pixels(
    counts: Counts, facts: CameraFacts, sums: Array, good: Array, brightest: Counts, edges: tuple[Indices, Indices]
) -> Indices:
    """Return flat indices of pixels that the light of their surroundings cannot explain, or that are saturated.

    `sums` and `good` are counts and pixels of the tiles between these row and column edges, `brightest` the largest
    count of each column in each band of rows.
    """
    mean = np.maximum(sums / np.maximum(good, 1.0) - facts.offset, 0.0) * facts.gain
    bright = LIGHT_FACTOR * scipy.ndimage.maximum_filter(_without_lone_tiles(mean), 3, mode="nearest")
    sigma = np.sqrt((1.0 + facts.excess) * bright + facts.quantised_read_variance)
    limit = np.clip(facts.offset + (bright + DEFECT_SIGMA * sigma) / facts.gain, 0, facts.saturation - 1)
    wide = np.repeat(limit.clip(0, 65535).astype(np.uint16), np.diff(edges[1]), axis=1)
    band, column = np.divmod(np.flatnonzero(brightest > wide), counts.shape[1])
    found = []
    for away in range(int(np.diff(edges[0]).max())):
        row = edges[0][band] + away
        inside = row < edges[0][band + 1]
        hot = counts[row[inside], column[inside]] > wide[band[inside], column[inside]]
        found.append((row[inside] * counts.shape[1] + column[inside])[hot])
    return np.sort(np.concatenate(found)).astype(np.intp)


def _without_lone_tiles(mean: Array) -> Array:
    """Lower a tile to the brightest of its four neighbours: a hot pixel must not lift the limit around it."""
    framed = np.pad(mean, 1, constant_values=-np.inf)
    beside = np.maximum(framed[1:-1, :-2], framed[1:-1, 2:])
    beside = np.maximum(beside, np.maximum(framed[:-2, 1:-1], framed[2:, 1:-1]))
    lowered: Array = np.minimum(mean, np.where(np.isfinite(beside), beside, mean))
    return lowered


def pixels_above(counts: Counts | Array, limit: Array, edges: tuple[Indices, Indices], above: bool = True) -> Indices:
    """Return flat indices of the pixels above (or below) their tile's limit (counts); edges may span a part."""
    rows, columns = edges
    first, last = int(columns[0]), int(columns[-1])
    wide = np.repeat(limit.clip(0, 65535).astype(np.uint16), np.diff(columns), axis=1)
    found = []
    for band, (start, stop) in enumerate(pairwise(rows)):
        part = counts[start:stop, first:last]
        row, column = np.divmod(np.flatnonzero(part > wide[band] if above else part < wide[band]), last - first)
        found.append((row + start) * counts.shape[1] + column + first)
    return np.concatenate(found).astype(np.intp)


def neighbours_too(pixels: Indices, shape: tuple[int, ...]) -> Indices:
    """Return the pixels (rising) and, where two touch, all neighbours: the dim rim of a particle's track."""
    rows, columns = shape[0], shape[1]
    row, column = np.divmod(pixels, columns)
    around = [(up, right) for up in (-1, 0, 1) for right in (-1, 0, 1) if up or right]
    touching = np.zeros(pixels.size, dtype=bool)
    for up, right in around:
        touching |= _among(pixels, pixels + up * columns + right)
    grown = [pixels]
    for up, right in around:
        beside, across = row[touching] + up, column[touching] + right
        inside = (beside >= 0) & (beside < rows) & (across >= 0) & (across < columns)
        grown.append(beside[inside] * columns + across[inside])
    return np.unique(np.concatenate(grown))


def _among(rising: Indices, wanted: Indices) -> npt.NDArray[np.bool_]:
    """Mark what of `wanted` is one of the rising numbers."""
    if not rising.size:
        return np.zeros(wanted.size, dtype=bool)
    at = np.minimum(np.searchsorted(rising, wanted), rising.size - 1)
    found: npt.NDArray[np.bool_] = rising[at] == wanted
    return found


def area_of(pixels: Indices, columns: int) -> int:
    """Count the pixels (rising) with all four neighbours among them: light covers areas, defects and tracks do not."""
    inner = np.ones(pixels.size, dtype=bool)
    for step in (1, -1, columns, -columns):
        inner &= _among(pixels, pixels + step)
    return int(inner.sum())
