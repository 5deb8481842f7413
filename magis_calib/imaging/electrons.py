"""Counts to electrons: defects and saturation masked before anything is summed in bins.

Next on the path of a pair: `magis_calib/estimation/fit.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from magis_calib.domain.camera import CameraFacts, Counts, Frame
from magis_calib.domain.errors import FitError
from magis_calib.domain.estimate import Array, LeftOut
from magis_calib.imaging.defects import Survey, among, hot_pixels, neighbours_too, steps
from magis_calib.imaging.orientation import upright
from magis_calib.imaging.sums import Indices, Sums, bin_sums, sum_columns, sum_rows

Mask = npt.NDArray[np.bool_]
MOST_HOT = 0.01
"""Share of hot and saturated pixels. A picture with more is not fitted: its light is saturated or
it is none, and
millions of single pixels would be looked at one by one."""
TILES_PER_AXIS = 128
"""About this many tiles along the shorter side serve start values."""


@dataclass(frozen=True, eq=False)
class Binned:
    """Counts summed over the good pixels of each bin; bins are unions of whole pixels.

    Arrays (row, column bins).
    """

    sums: Array
    """Counts of the good pixels."""
    good: Array
    """How many pixels these are."""
    row_edges: Indices
    """First row of each bin, and the row after the last bin."""
    column_edges: Indices
    facts: CameraFacts

    @cached_property
    def pixels(self) -> Array:
        """All pixels of each bin."""
        return _pixels((self.row_edges, self.column_edges))

    @cached_property
    def scale(self) -> Array:
        """All pixels over good pixels; infinite where no pixel is good."""
        with np.errstate(divide="ignore"):
            return self.pixels / self.good

    @cached_property
    def electrons(self) -> Array:
        """Electrons above offset; a masked pixel counts as its bin's mean.

        0 where no pixel is good.
        """
        above = (self.sums - self.facts.offset * self.good) * self.facts.gain
        return np.where(self.good > 0, above * np.where(self.good > 0, self.scale, 0.0), 0.0)

    def at(self, pixels: Indices, columns: int) -> tuple[Indices, Indices, Indices]:
        """Return row and column of the pixels (flat indices) in the bins, and which these are."""
        rows, places = np.divmod(pixels, columns)
        inside = (rows >= self.row_edges[0]) & (rows < self.row_edges[-1])
        inside &= (places >= self.column_edges[0]) & (places < self.column_edges[-1])
        return rows[inside], places[inside], np.flatnonzero(inside)

    def bin_of(self, rows: Indices, columns: Indices) -> tuple[Indices, Indices]:
        """Return row bin and column bin of these pixels."""
        return (
            np.searchsorted(self.row_edges, rows, side="right") - 1,
            np.searchsorted(self.column_edges, columns, side="right") - 1,
        )

    def without(self, counts: Counts | Array, pixels: Indices) -> Self:
        """Return the bins without these flat pixel indices, which must still be in them."""
        if not pixels.size:
            return self
        sums, good = self.sums.copy(), self.good.copy()
        rows, columns, _ = self.at(pixels, counts.shape[1])
        where = self.bin_of(rows, columns)
        np.subtract.at(sums, where, counts[rows, columns].astype(np.float64))
        np.subtract.at(good, where, 1.0)
        return type(self)(sums, good, self.row_edges, self.column_edges, self.facts)


@dataclass(frozen=True, eq=False)
class Electrons:
    """One upright image with its bad pixels known, ready to be summed in any bins."""

    counts: Counts | Array
    """(rows, columns), upright; floats where the noise is not known."""
    facts: CameraFacts
    bad: Indices
    """Flat indices of masked pixels, rising."""
    saturated: Indices
    """Flat indices of the saturated ones among them."""
    whole: Binned
    """The image in tiles of at most eight pixels, the bad ones included."""
    bands: Sums
    """Sums of each column over the rows of each tile: coarser bins are summed from them."""
    noise_known: bool = True
    """False: the noise is not known, and estimated from the residuals of a fit."""
    blinded: str = ""
    """Why this is no picture to fit: far too many pixels are hot or saturated.

    Empty for all others.
    """
    too_many: LeftOut | None = None
    """All that are left out, where only some are among `bad`: a picture saturated all over."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the upright image."""
        rows, columns = self.counts.shape
        return rows, columns

    @property
    def band_rows(self) -> int:
        """Rows of a band: bins whose row edges are multiples of this are summed fast."""
        return int(self.whole.row_edges[1])

    @property
    def left_out(self) -> LeftOut:
        """What is masked, for people."""
        return self.too_many or LeftOut.of(
            self.saturated, self.bad[~among(self.saturated, self.bad)]
        )

    @cached_property
    def fine(self) -> Binned:
        """The image in tiles of at most eight pixels."""
        return self.whole.without(self.counts, self.bad)

    @cached_property
    def tiles(self) -> Binned:
        """The image in about 128 tiles along the shorter side, for start values."""
        sides = self.whole.sums.shape
        merge = min(sides) // TILES_PER_AXIS
        if merge <= 1:
            return self.fine
        rows, columns = (
            np.append(np.arange(0, side, merge, dtype=np.intp), side) for side in sides
        )
        sums = sum_columns(sum_rows(self.whole.sums, rows, np.float64), columns)
        edges = self.whole.row_edges[rows], self.whole.column_edges[columns]
        return Binned(sums, _pixels(edges), *edges, self.facts).without(self.counts, self.bad)

    def binned(self, row_edges: Indices, column_edges: Indices) -> Binned:
        """Sum the good pixels of each bin. The edges may span a part of the image."""
        pixels = int(np.diff(row_edges).max() * np.diff(column_edges).max())
        whole = np.searchsorted(self.whole.row_edges, row_edges)
        if np.array_equal(self.whole.row_edges[whole], row_edges):
            sums = bin_sums(self.bands, whole, column_edges, pixels)
        else:
            sums = bin_sums(self.counts, row_edges, column_edges, pixels)
        good = _pixels((row_edges, column_edges))
        return Binned(sums, good, row_edges, column_edges, self.facts).without(
            self.counts, self.bad
        )

    def masking(self, more: Indices) -> Electrons:
        """Return the image with these flat pixel indices, rising, masked, too."""
        fresh = more[~among(self.bad, more)]
        if not fresh.size:
            return self
        return replace(self, bad=np.union1d(self.bad, fresh))


def to_electrons(frame: Frame, defects: Mask | None = None) -> Electrons:
    """Return the frame upright, with configured defects, hot pixels and saturated pixels masked.

    `defects` is (rows, columns) of the sensor as delivered. Raises `FitError` where its shape is
    another.
    """
    return from_counts(frame.counts, frame.facts, defects)


def from_counts(counts: Counts, facts: CameraFacts, defects: Mask | None = None) -> Electrons:
    """Return counts (rows, columns) of a camera with these facts, as `to_electrons` does."""
    turned = upright(counts, facts.orientation)
    survey = Survey.of(turned)
    edges = (survey.row_edges, survey.column_edges)
    whole = Binned(survey.sums, _pixels(edges), *edges, facts)
    known = _configured(defects, counts.shape, facts)
    if (full := _saturated_over_large_parts(turned, facts, survey, known)) is not None:
        blinded = f"saturated: {full.saturated_px} of {turned.size} pixels"
        few = full.saturated
        return Electrons(
            turned, facts, few, few, whole, survey.band_sums, blinded=blinded, too_many=full
        )
    tiles = whole.without(turned, known)
    hot = hot_pixels(turned, facts, survey, tiles.sums, tiles.good)
    saturated = hot[turned.reshape(-1)[hot] >= facts.saturation]
    if np.count_nonzero(~among(known, hot)) > MOST_HOT * turned.size:
        blinded = f"brighter than the light around them: {hot.size} of {turned.size} pixels"
        return Electrons(turned, facts, hot, saturated, whole, survey.band_sums, blinded=blinded)
    fresh = neighbours_too(hot, turned.shape)
    fresh = fresh[~among(known, fresh)]
    bad = np.union1d(known, fresh)
    return Electrons(turned, facts, bad, saturated, whole, survey.band_sums)


def _configured(defects: Mask | None, shape: tuple[int, ...], facts: CameraFacts) -> Indices:
    """Return flat indices of the configured defects in the upright image."""
    if defects is None:
        return np.empty(0, dtype=np.intp)
    if defects.shape != shape:
        raise FitError(f"defect mask: wanted {shape}, got {defects.shape}")
    return np.flatnonzero(upright(defects.astype(np.uint16), facts.orientation))


def _saturated_over_large_parts(
    counts: Counts, facts: CameraFacts, survey: Survey, known: Indices
) -> LeftOut | None:
    """Return the saturated pixels that are no `known` defects where they are too many, else None.

    Mostly the few tiles that hold any tell that at once. No list of all is made: it would be larger
    than the picture.
    """
    tiles = np.count_nonzero(survey.highest >= facts.saturation)
    if tiles <= MOST_HOT * survey.highest.size:
        return None
    full = counts >= facts.saturation
    full.flat[known] = False  # whatever its layout in memory
    found = LeftOut.of_many(full)
    return found if found.saturated_px > MOST_HOT * counts.size else None


def from_floats(values: Array, object_pixel_m: float = 1.0) -> Electrons:
    """Return an image (rows, columns) whose noise nobody described; no number is a masked pixel."""
    rows, columns = values.shape
    facts = CameraFacts(rows, columns, object_pixel_m, 1.0, 0.0, 1.0, 2**62, 64, 0, 0.0, "normal")
    known = np.isfinite(values)
    numbers = values if known.all() else np.where(known, values, 0.0)
    bad = np.flatnonzero(~known)
    nothing = np.empty(0, dtype=np.intp)
    edges = (steps(rows), steps(columns))
    bands = sum_rows(numbers, edges[0], np.float64)
    tiles = Binned(sum_columns(bands, edges[1]), _pixels(edges), *edges, facts)
    return Electrons(numbers, facts, bad, nothing, tiles, bands, noise_known=False)


def _pixels(edges: tuple[Indices, Indices]) -> Array:
    """Return the pixels of each bin."""
    return np.outer(np.diff(edges[0]), np.diff(edges[1])).astype(np.float64)
