"""An image in coarse tiles, with places, noise and a background plane: what start values are found in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magis_calib.domain.errors import FitError
from magis_calib.domain.estimate import Array
from magis_calib.estimation.grid import Grid
from magis_calib.imaging.electrons import Binned, Electrons, Mask

FEWEST_TILES = 8
MANY_TILES, THINNED = 4000, 4
"""Of so many tiles of background a quarter gives as good a plane to start from."""


@dataclass(frozen=True, slots=True, eq=False)
class Tiles:
    """Tiles of an image with their places (m) and the noise of their background (electrons)."""

    electrons: Array
    pixels: Array
    u: Array
    v: Array
    noise: Array

    @classmethod
    def of(cls, bins: Binned, image: Electrons) -> Tiles:
        """Return the tiles. Raises `FitError` "no cloud …" where hardly a pixel is good."""
        grid = Grid.of(bins, image.shape)
        level = max(0.0, float(np.median(bins.electrons / bins.pixels)))
        dark = read_variance(image, bins)
        with np.errstate(invalid="ignore"):
            noise = np.sqrt((level * bins.pixels + bins.pixels * dark) * bins.scale)
        if np.count_nonzero(bins.good) < FEWEST_TILES:
            raise FitError(f"no cloud: {np.count_nonzero(bins.good)} tiles with good pixels, wanted {FEWEST_TILES}")
        return cls(bins.electrons, bins.pixels, grid.u.middles_m, grid.v.middles_m, noise)

    @property
    def step(self) -> float:
        """Distance of neighbouring tiles along the longer side (m)."""
        places = self.u if len(self.u) > 1 else self.v
        return float(abs(places[1] - places[0])) if len(places) > 1 else 1.0

    def floor(self) -> float:
        """Return the background per px where clouds may cover most of the image: the lower quartile, less its bias."""
        good = np.isfinite(self.noise)
        level = float(np.quantile(self.electrons[good] / self.pixels[good], 0.25))
        return level + 0.67 * float(np.median(self.noise[good] / self.pixels[good]))

    def plane(self, away: Mask | None = None) -> Array:
        """Fit a plane to the tiles marked `away`, or to all but outliers; return its three coefficients."""
        if away is not None and np.count_nonzero(away) > MANY_TILES:
            away = away & (np.add.outer(np.arange(len(self.v)), np.arange(len(self.u))) % THINNED == 0)
        design = np.stack([np.ones_like(self.electrons), *np.broadcast_arrays(self.u[None, :], self.v[:, None])])
        flat, data = design.reshape(3, -1), (self.electrons / self.pixels).ravel()
        good = np.isfinite(self.noise.ravel()) & (np.ones(data.size, bool) if away is None else away.ravel())
        scale = np.array([1.0, np.ptp(self.u) or 1.0, np.ptp(self.v) or 1.0])
        for _ in range(1 if away is not None else 3):
            columns = flat[:, good] / scale[:, None]
            solved = np.linalg.lstsq(columns @ columns.T, columns @ data[good], rcond=None)[0] / scale
            left = data - solved @ flat
            spread = 1.4826 * float(np.median(np.abs(left[good] - np.median(left[good]))))
            good &= np.abs(left - np.median(left[good])) <= 3.0 * spread if spread > 0 else True
        found: Array = solved
        return found

    def above(self, plane: Array) -> Array:
        """Return the electrons of each tile above a background plane."""
        level = plane[0] + plane[1] * self.u[None, :] + plane[2] * self.v[:, None]
        above: Array = self.electrons - level * self.pixels
        return above


def read_variance(image: Electrons, bins: Binned) -> float:
    """Variance of a dark pixel; where the noise is not known, from the differences of neighbouring tiles."""
    if image.noise_known:
        return image.facts.quantised_read_variance
    values = bins.electrons / np.sqrt(bins.pixels)
    across = np.diff(values, axis=1) if values.shape[1] > 1 else np.diff(values, axis=0)
    return max(float(np.median(np.abs(across)) / 0.954) ** 2, 1e-300)
