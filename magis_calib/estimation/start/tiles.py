"""An image in coarse tiles, with places, noise and a background plane, to start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from magis_calib.domain.errors import FitError
from magis_calib.domain.estimate import Array
from magis_calib.estimation.grid import Grid
from magis_calib.imaging.electrons import Binned, Electrons, Mask
from magis_calib.imaging.sums import Indices

Number = TypeVar("Number", bound=np.generic)

FEWEST_TILES = 8
MANY_TILES, THINNED = 4000, 7
"""Of so many tiles every seventh gives as good a plane and level to start from."""


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
        level = max(0.0, float(np.median(_thinned(bins.electrons / bins.pixels))))
        dark = read_variance(image, bins)
        with np.errstate(invalid="ignore"):
            noise = np.sqrt((level * bins.pixels + bins.pixels * dark) * bins.scale)
        if np.count_nonzero(bins.good) < FEWEST_TILES:
            raise FitError(
                f"no cloud: {np.count_nonzero(bins.good)} tiles with good pixels, wanted "
                f"{FEWEST_TILES}"
            )
        return cls(bins.electrons, bins.pixels, grid.u.middles_m, grid.v.middles_m, noise)

    @property
    def step(self) -> float:
        """Distance of neighbouring tiles along the longer side (m)."""
        places = self.u if len(self.u) > 1 else self.v
        return float(abs(places[1] - places[0])) if len(places) > 1 else 1.0

    def floor(self) -> float:
        """Return the background per px among large clouds: the lower quartile, less its bias."""
        per_pixel = _thinned(self.electrons / self.pixels)
        noise = _thinned(self.noise / self.pixels)
        good = np.isfinite(noise)
        return float(np.quantile(per_pixel[good], 0.25)) + 0.67 * float(np.median(noise[good]))

    def plane(self, away: Mask | None = None) -> Array:
        """Fit a plane to the tiles marked `away`, or to all but outliers.

        Return its three coefficients.
        """
        design = np.stack(
            [np.ones_like(self.electrons), *np.broadcast_arrays(self.u[None, :], self.v[:, None])]
        )
        flat = design.reshape(3, -1)
        data = (self.electrons / self.pixels).ravel()
        good = np.isfinite(self.noise.ravel())
        scale = np.array([1.0, np.ptp(self.u) or 1.0, np.ptp(self.v) or 1.0])[:, None]
        if away is not None:
            return _solved(flat, data, _thinned(np.flatnonzero(good & away.ravel())), scale)
        for _ in range(3):
            solved = _solved(flat, data, np.flatnonzero(good), scale)
            left = data - solved @ flat
            spread = 1.4826 * float(np.median(np.abs(left[good] - np.median(left[good]))))
            good &= np.abs(left - np.median(left[good])) <= 3.0 * spread if spread > 0 else True
        return solved

    def above(self, plane: Array) -> Array:
        """Return the electrons of each tile above a background plane."""
        above: Array = self.electrons - level_of(plane, self.u, self.v) * self.pixels
        return above


def level_of(plane: Array, u_m: Array, v_m: Array) -> Array:
    """Return a background plane (electrons per px) at all of these places, (v, u)."""
    level: Array = plane[0] + plane[1] * u_m + plane[2] * v_m[:, None]
    return level


def _solved(design: Array, data: Array, at: Indices, scale: Array) -> Array:
    """Return the least-squares coefficients of the rows of `design`, from the places `at`."""
    rows = design[:, at] / scale
    found: Array = np.linalg.lstsq(rows @ rows.T, rows @ data[at], rcond=None)[0] / scale[:, 0]
    return found


def _thinned(values: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """Return a part of many numbers."""
    flat = values.ravel()
    return flat[::THINNED] if flat.size > MANY_TILES else flat


def read_variance(image: Electrons, bins: Binned) -> float:
    """Variance of a dark pixel.

    Where the noise is not known, from the differences of neighbouring tiles.
    """
    if image.noise_known:
        return image.facts.quantised_read_variance
    values = bins.electrons / np.sqrt(bins.pixels)
    across = np.diff(values, axis=1) if values.shape[1] > 1 else np.diff(values, axis=0)
    return max(float(np.median(np.abs(across)) / 0.954) ** 2, 1e-300)
