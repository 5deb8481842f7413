"""Counts to electrons: defects and saturation masked before anything is summed, then summed in bins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from magis_calib.domain.camera import CameraFacts, Counts, Frame
from magis_calib.domain.errors import FitError
from magis_calib.domain.estimate import Array
from magis_calib.imaging.orientation import upright

Indices = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

TILES_PER_AXIS = 128
"""About this many tiles along the shorter side serve start values and the search for defects."""
DEFECT_SIGMA = 8.0
"""A pixel this far above twice its tile's mean is a defect: on noise alone, less than one in 10⁴ frames."""


@dataclass(frozen=True, slots=True, eq=False)
class Binned:
    """Electrons summed over the good pixels of each bin; bins are unions of whole pixels.

    `electrons` and `pixels` are (row bins, column bins). A masked pixel counts as its bin's mean: `electrons` is
    the sum over good pixels times `scale` = all pixels / good pixels.
    """

    electrons: Array
    pixels: Array
    scale: Array
    row_edges: Indices
    """First row of each bin, and the number of rows at the end."""
    column_edges: Indices


@dataclass(frozen=True, eq=False)
class Electrons:
    """One upright image with its bad pixels known, ready to be summed in any bins."""

    counts: Counts
    """(rows, columns), upright."""
    facts: CameraFacts
    bad: Indices
    """Flat indices of masked pixels, rising."""
    saturated_px: int
    """Saturated pixels with a saturated neighbour: light, not single hot pixels."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the upright image."""
        rows, columns = self.counts.shape
        return rows, columns

    @cached_property
    def tiles(self) -> Binned:
        """The image in square tiles, for start values."""
        step = _tile_px(self.counts)
        rows, columns = self.shape
        return self.binned(_edges(rows, step), _edges(columns, step))

    def binned(self, row_edges: Indices, column_edges: Indices) -> Binned:
        """Sum the good pixels of each bin, in electrons. The edges may span a part of the image."""
        sums = _sum_counts(self.counts, row_edges, column_edges)
        pixels = np.outer(np.diff(row_edges), np.diff(column_edges)).astype(np.float64)
        good = pixels.copy()
        rows, columns = np.divmod(self.bad, self.shape[1])
        inside = (
            (rows >= row_edges[0]) & (rows < row_edges[-1])
            & (columns >= column_edges[0]) & (columns < column_edges[-1])
        )  # fmt: skip
        rows, columns = rows[inside], columns[inside]
        at = (
            np.searchsorted(row_edges, rows, side="right") - 1,
            np.searchsorted(column_edges, columns, side="right") - 1,
        )
        np.subtract.at(sums, at, self.counts[rows, columns].astype(np.float64))
        np.subtract.at(good, at, 1.0)
        scale = pixels / np.maximum(good, 1.0)
        electrons = np.where(good > 0, (sums - self.facts.offset * good) * self.facts.gain * scale, 0.0)
        return Binned(electrons, pixels, scale, row_edges, column_edges)


def to_electrons(frame: Frame, defects: Mask | None = None) -> Electrons:
    """Return the frame upright, with configured defects, hot pixels and saturated pixels masked.

    `defects` is (rows, columns) of the sensor as delivered. Raises `FitError` where its shape is another.
    """
    return from_counts(frame.counts, frame.facts, defects)


def from_counts(counts: Counts, facts: CameraFacts, defects: Mask | None = None) -> Electrons:
    """Return counts (rows, columns) as delivered by a camera with these facts, as `to_electrons` does."""
    turned = upright(counts, facts.orientation)
    known = np.empty(0, dtype=np.intp)
    if defects is not None:
        if defects.shape != counts.shape:
            raise FitError(f"defect mask: wanted {counts.shape}, got {defects.shape}")
        known = np.flatnonzero(upright(defects.astype(np.uint16), facts.orientation))
    bad = np.union1d(known, _outliers(turned, facts))
    return Electrons(turned, facts, bad, _saturated(turned, facts, bad))


def _outliers(counts: Counts, facts: CameraFacts) -> Indices:
    """Flat indices of pixels that the light of their surroundings cannot explain, or that are saturated."""
    step = _tile_px(counts)
    rows, columns = counts.shape
    row_edges, column_edges = _edges(rows, step), _edges(columns, step)
    pixels = np.outer(np.diff(row_edges), np.diff(column_edges))
    mean = np.maximum(_sum_counts(counts, row_edges, column_edges) / pixels - facts.offset, 0.0) * facts.gain
    bright = 2.0 * mean
    sigma = np.sqrt((1.0 + facts.excess) * bright + facts.quantised_read_variance)
    limit = facts.offset + (bright + DEFECT_SIGMA * sigma) / facts.gain
    limit = np.minimum(limit, facts.saturation - 1).clip(0, 65535).astype(np.uint16)
    wide = np.repeat(limit, np.diff(column_edges), axis=1)
    found = [
        np.flatnonzero(counts[start:stop] > wide[band]) + start * columns
        for band, (start, stop) in enumerate(pairwise(row_edges))
    ]
    return np.concatenate(found)


def _saturated(counts: Counts, facts: CameraFacts, bad: Indices) -> int:
    """Count saturated pixels that touch another one: the cloud saturates areas, a hot pixel stands alone."""
    columns = counts.shape[1]
    rows_at, columns_at = np.divmod(bad, columns)
    full = bad[counts[rows_at, columns_at] >= facts.saturation]
    touching = np.zeros(full.size, dtype=bool)
    for step in (1, -1, columns, -columns):
        touching |= np.isin(full + step, full)
    return int(touching.sum())


def _sum_counts(counts: Counts, row_edges: Indices, column_edges: Indices) -> Array:
    """Sum rows first, as contiguous integer adds, then columns: five times faster than summing tiles."""
    inside = counts[:, column_edges[0] : column_edges[-1]]
    bands = [inside[start:stop].sum(axis=0, dtype=np.uint32) for start, stop in pairwise(row_edges)]
    sums = np.add.reduceat(np.stack(bands), column_edges[:-1] - column_edges[0], axis=1, dtype=np.uint64)
    return sums.astype(np.float64)


def _tile_px(counts: Counts) -> int:
    rows, columns = counts.shape
    return max(1, int(min(rows, columns)) // TILES_PER_AXIS)


def _edges(size: int, step: int) -> Indices:
    edges = np.arange(0, size, step, dtype=np.intp)
    return np.append(edges, size)
