"""Pixels that a fitted picture cannot explain, and what masking does to the bins they lie in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from magis_calib.domain.estimate import Array
from magis_calib.estimation.grid import Grid
from magis_calib.estimation.model import Spot
from magis_calib.imaging.defects import among, highest_of_nine, neighbours_too, pixels_outside
from magis_calib.imaging.electrons import Binned, Electrons, Mask
from magis_calib.imaging.sums import Indices

OUTLIER_SIGMA = 7.0
"""A pixel this far from the fitted light is an outlier: < 1 in 10⁴ frames on noise alone."""
REACH_WIDTHS = 4.0
"""A cloud too faint to be seen is searched this far: a track of a particle must not pass for it."""


def outliers(
    image: Electrons, bins: Binned, background: Array, signal: Array, spots: Sequence[Spot]
) -> tuple[Indices, int]:
    """Return flat indices of good pixels that the bins around do not allow, and how many searched.

    Only the rows and columns are searched where the signal shows or, however faint it is, should
    show; elsewhere nothing draws a fit.
    """
    facts, pixels = image.facts, bins.pixels
    mean = (np.maximum(background, 0.0) + np.maximum(signal, 0.0)) / pixels
    noise = np.sqrt(
        mean + facts.excess * np.maximum(signal, 0.0) / pixels + facts.quantised_read_variance
    )
    lit = np.maximum(signal, 0.0) / pixels > 0.1 * noise
    in_rows, in_columns = np.any(lit, axis=1), np.any(lit, axis=0)
    for spot in spots:
        in_rows |= _near(spot.row, spot.sigma_rows, bins.row_edges)
        in_columns |= _near(spot.column, spot.sigma_columns, bins.column_edges)
    if not (in_rows.any() and in_columns.any()) or image.counts.dtype.kind != "u":
        return np.empty(0, dtype=np.intp), 0
    rows, columns = _span(in_rows), _span(in_columns)
    part = (rows, columns)
    edges = (
        bins.row_edges[rows.start : rows.stop + 1],
        bins.column_edges[columns.start : columns.stop + 1],
    )
    high = highest_of_nine(mean[part])
    low = -highest_of_nine(-mean[part])
    spread = OUTLIER_SIGMA * highest_of_nine(noise[part])
    brightest = facts.offset + (high + spread) / facts.gain
    darkest = facts.offset + (low - spread) / facts.gain
    found = pixels_outside(
        image.counts, np.where(darkest > facts.offset, darkest, 0.0), brightest, edges
    )
    grown = neighbours_too(found[~among(image.bad, found)], image.shape)
    searched = int(edges[0][-1] - edges[0][0]) * int(edges[1][-1] - edges[1][0])
    return grown[~among(image.bad, grown)], searched


def filled(bins: Binned, image: Electrons, mean: Array) -> Array:
    """Return the bins' electrons; a masked pixel counts as the fitted light at its own place.

    Without it a masked column biases the fringe: the mean of a bin's good pixels is not the light
    of all of them.
    """
    rows, columns, _ = bins.at(image.bad, image.shape[1])
    if not rows.size or min(mean.shape) < 3:
        return bins.electrons
    grid = Grid.of(bins, image.shape)
    row_bin, column_bin = bins.bin_of(rows, columns)
    per_pixel = mean / bins.pixels
    down: Array = np.gradient(per_pixel, grid.rows[:, 0], axis=0)
    right: Array = np.gradient(per_pixel, grid.columns[0], axis=1)
    at = (row_bin, column_bin)
    away = down[at] * (rows - grid.rows[row_bin, 0]) + right[at] * (
        columns - grid.columns[0, column_bin]
    )
    missed = np.zeros_like(mean)
    np.add.at(missed, at, away)
    return np.where(
        bins.good > 0, bins.electrons + missed * np.where(bins.good > 0, bins.scale, 0.0), 0.0
    )


def _near(middle: float, sigma: float, edges: Indices) -> Mask:
    """Mark the bins of one axis that a spot reaches."""
    near: Mask = (edges[1:] > middle - REACH_WIDTHS * sigma) & (
        edges[:-1] < middle + REACH_WIDTHS * sigma
    )
    return near


def _span(lit: Mask) -> slice:
    at = np.flatnonzero(lit)
    return slice(int(at[0]), int(at[-1]) + 1)
