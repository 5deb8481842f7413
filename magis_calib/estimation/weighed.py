"""Data and weights of a fit by the light of some parameters: outliers masked and filled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from magis_calib.domain.estimate import Array
from magis_calib.estimation.grid import Grid
from magis_calib.estimation.model import FitModel
from magis_calib.estimation.outliers import filled, outliers
from magis_calib.imaging.electrons import Binned, Electrons, Mask

SETTLED = 0.02
"""Weights that change by less on average move a standard error by half of that."""
NAMING_TURNS = 2
"""Outliers are named by start values and by the first fit.

Naming on and on would eat up light that no model fits.
"""
LIT = 0.1
"""A bin is lit where the signal is more than this of the background."""
EXPLAINED = 1e-2
"""Light that makes more of the pixels outliers is too far from the image to name any."""


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """What a minimisation works on."""

    image: Electrons
    """With the pixels masked that the light cannot explain."""
    bins: Binned
    grid: Grid
    data: Array
    """Electrons of the bins, masked pixels filled."""
    variance: Array
    lit: Mask
    poor: bool
    """The light comes from start values that are far from the image: its weights are preliminary.
    """

    @classmethod
    def by(
        cls, values: Mapping[str, float], model: FitModel, image: Electrons, bins: Binned, turn: int
    ) -> Self:
        """Weigh the bins by the light of these parameters: start values in turn 0, then fits."""
        grid = Grid.of(bins, image.shape)
        background, signal = model.background(grid, values), model.signal(grid, values)
        explained = True
        if turn < NAMING_TURNS:
            layout = model.layout(values, image.shape, image.facts.object_pixel_m)
            spots = layout.spots if layout else ()
            more, searched = outliers(image, bins, background, signal, spots)
            explained = more.size <= EXPLAINED * searched
            more = more if explained else more[:0]
            image, bins = image.masking(more), bins.without(image.counts, more)
        variance = noise_variance(bins, background, signal, image)
        data = filled(bins, image, background + signal)
        return cls(
            image,
            bins,
            grid,
            data,
            variance,
            signal > LIT * background,
            turn == 0 and not explained,
        )

    def repeats(self, last: Weighed) -> bool:
        """Whether a fit would find again what it found by the last light."""
        if last.poor or not self._has_bins_of(last):
            return False
        known = self.lit & np.isfinite(last.variance)
        if not known.any():
            return True
        change = np.abs(self.variance[known] / last.variance[known] - 1.0)
        return float(np.mean(change)) < SETTLED

    def _has_bins_of(self, last: Weighed) -> bool:
        """Whether the same bins are made of the same good pixels."""
        mine, its = self.bins, last.bins
        same = mine.row_edges is its.row_edges and mine.column_edges is its.column_edges
        return same and np.array_equal(self.image.bad, last.image.bad)


def noise_variance(bins: Binned, background: Array, signal: Array, image: Electrons) -> Array:
    """Return the variance of each bin (docs/contracts.md, "Noise"), electrons²; infinite if bad.

    Where the noise is not known every pixel has variance 1; the covariance is scaled by chi-square
    in the end.
    """
    if not image.noise_known:
        return bins.pixels * bins.scale
    variance = (
        np.maximum(background, 0.0)
        + (1.0 + image.facts.excess) * np.maximum(signal, 0.0)
        + bins.pixels * max(image.facts.quantised_read_variance, 1e-12)
    )
    scaled: Array = variance * bins.scale
    return scaled
