"""The pixels that the light around them cannot explain."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from magis_calib.domain.camera import CameraFacts, Counts
from magis_calib.domain.estimate import Array
from magis_calib.imaging.sums import Indices, Sums, blocks, max_columns, sum_columns

Floats = npt.NDArray[np.floating[Any]]

TILE_PX = 8
"""Side of a tile: a cloud of the narrowest width (8 px) varies little inside one."""
LIGHT_FACTOR = 5.0
"""A fringe doubles the light, and so does the narrowest cloud between tiles beside its peak."""
DEFECT_SIGMA = 8.0
"""A pixel this far above `LIGHT_FACTOR` times the light around: < 1 in 10⁴ frames on noise."""


def steps(size: int) -> Indices:
    """Return edges of tiles along an axis: eight pixels, fewer where there are not 64 tiles."""
    step = min(TILE_PX, max(1, size // 64))
    return np.append(np.arange(0, size, step, dtype=np.intp), size)


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """Counts of all pixels in tiles and in bands, which are rows of tiles, column by column."""

    row_edges: Indices
    """Of the tiles."""
    column_edges: Indices
    sums: Array
    """Of each tile."""
    highest: Counts
    """Of each tile."""
    band_sums: Sums
    """Sum of every column in each band."""
    band_highest: Counts
    """Largest count of every column in each band."""

    @classmethod
    def of(cls, counts: Counts) -> Self:
        """Look at every pixel once: what is worked on at a time stays in the processor's cache."""
        rows, columns = (steps(size) for size in counts.shape)
        bands = (len(rows) - 1, counts.shape[1])
        tiles = (len(rows) - 1, len(columns) - 1)
        band_sums, band_highest = np.empty(bands, dtype=np.uint32), np.empty(bands, dtype=np.uint16)
        sums = np.empty(tiles)
        highest = np.empty(tiles, dtype=np.uint16)
        for some, those in blocks(rows):
            part = counts[those].reshape(some.stop - some.start, -1, counts.shape[1])
            np.add.reduce(part, axis=1, dtype=np.uint32, out=band_sums[some])
            np.maximum.reduce(part, axis=1, out=band_highest[some])
            sums[some] = sum_columns(band_sums[some], columns)
            highest[some] = max_columns(band_highest[some], columns)
        return cls(rows, columns, sums, highest, band_sums, band_highest)


def hot_pixels(
    counts: Counts, facts: CameraFacts, survey: Survey, sums: Array, good: Array
) -> Indices:
    """Return flat indices of pixels that are saturated or that the light around cannot explain.

    `sums` and `good` are counts and pixels of the tiles without the configured defects.
    """
    mean = ((sums / np.maximum(good, 1.0) - facts.offset) * facts.gain).astype(np.float32).clip(0.0)
    bright = LIGHT_FACTOR * highest_of_nine(_without_lone_tiles(mean))
    sigma = np.sqrt((1.0 + facts.excess) * bright + facts.quantised_read_variance)
    highest = min(facts.saturation - 1, 65535)
    limit = np.clip(facts.offset + (bright + DEFECT_SIGMA * sigma) / facts.gain, 0, highest)
    return _brighter_than(limit.astype(np.uint16), counts, survey)


def _brighter_than(limit: Counts, counts: Counts, survey: Survey) -> Indices:
    """Return flat indices of the pixels above their tile's limit: tiles, columns, then pixels."""
    rows, columns = survey.row_edges, survey.column_edges
    band, tile = np.nonzero(survey.highest > limit)
    owner, column = _spread(columns[tile], columns[tile + 1])
    band, tile = band[owner], tile[owner]
    some = survey.band_highest[band, column] > limit[band, tile]
    band, tile, column = band[some], tile[some], column[some]
    owner, row = _spread(rows[band], rows[band + 1])
    hot = counts[row, column[owner]] > limit[band[owner], tile[owner]]
    found: Indices = np.sort((row * counts.shape[1] + column[owner])[hot])
    return found


def _spread(first: Indices, past: Indices) -> tuple[Indices, Indices]:
    """Return all places of the intervals [first, past), and which interval each lies in."""
    sizes = past - first
    owner = np.repeat(np.arange(sizes.size), sizes)
    return owner, np.arange(owner.size) - np.repeat(np.cumsum(sizes) - sizes, sizes) + first[owner]


def _without_lone_tiles(mean: Floats) -> Floats:
    """Lower a tile to its brightest neighbour: a hot pixel must not lift the limit around it."""
    framed = np.pad(mean, 1, constant_values=-np.inf)
    beside = np.maximum(framed[1:-1, :-2], framed[1:-1, 2:])
    beside = np.maximum(beside, np.maximum(framed[:-2, 1:-1], framed[2:, 1:-1]))
    lowered: Floats = np.minimum(mean, beside)
    return lowered if mean.size > 1 else mean


def highest_of_nine(mean: Floats) -> Floats:
    """Return the brightest of each tile or bin and its eight neighbours."""
    framed = np.pad(mean, 1, constant_values=-np.inf)
    beside = np.maximum(np.maximum(framed[:, :-2], framed[:, 1:-1]), framed[:, 2:])
    highest: Floats = np.maximum(np.maximum(beside[:-2], beside[1:-1]), beside[2:])
    return highest


def pixels_outside(
    counts: Counts | Array, low: Array, high: Array, edges: tuple[Indices, Indices]
) -> Indices:
    """Return flat indices, rising, of the pixels outside the limits (counts) of their bin.

    Edges may span a part.
    """
    rows, columns = edges
    first = int(columns[0])
    last = int(columns[-1])
    least, most = (
        np.repeat(limit.clip(0, 65535).astype(np.uint16), np.diff(columns), axis=1)
        for limit in (low, high)
    )
    found = []
    for band, (start, stop) in enumerate(pairwise(rows)):
        part = counts[start:stop, first:last]
        row, column = np.divmod(
            np.flatnonzero((part < least[band]) | (part > most[band])), last - first
        )
        found.append((row + start) * counts.shape[1] + column + first)
    return np.concatenate(found).astype(np.intp)


def neighbours_too(pixels: Indices, shape: tuple[int, ...]) -> Indices:
    """Return the pixels (rising) and, where two touch, all neighbours: the dim rim of a track."""
    rows, columns = shape[0], shape[1]
    row, column = np.divmod(pixels, columns)
    around = [(up, right) for up in (-1, 0, 1) for right in (-1, 0, 1) if up or right]
    touching = np.zeros(pixels.size, dtype=bool)
    for up, right in around:
        touching |= among(pixels, pixels + up * columns + right)
    if not touching.any():
        return pixels
    grown = [pixels]
    for up, right in around:
        beside, across = row[touching] + up, column[touching] + right
        inside = (beside >= 0) & (beside < rows) & (across >= 0) & (across < columns)
        grown.append(beside[inside] * columns + across[inside])
    return np.unique(np.concatenate(grown))


def among(rising: Indices, wanted: Indices) -> npt.NDArray[np.bool_]:
    """Mark what of `wanted` is one of the rising numbers."""
    if not rising.size:
        return np.zeros(wanted.size, dtype=bool)
    at = np.minimum(np.searchsorted(rising, wanted), rising.size - 1)
    found: npt.NDArray[np.bool_] = rising[at] == wanted
    return found


def area_of(pixels: Indices, columns: int) -> int:
    """Count the pixels (rising) with all neighbours among them: light covers areas."""
    inner = np.ones(pixels.size, dtype=bool)
    for step in (1, -1, columns, -columns):
        inner &= among(pixels, pixels + step)
    return int(inner.sum())
