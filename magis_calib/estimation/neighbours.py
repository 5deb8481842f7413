"""Noise of neighbouring pixels against what a fit leaves over, where nobody described the noise.

Chi-square has nothing to say there: its scale is taken from the residual itself, which a wrong
model makes as large as it likes. Noise differs from tile to tile, a misfit hardly does.
"""

from __future__ import annotations

import math

import numpy as np

from magis_calib.domain.estimate import Array
from magis_calib.estimation.fit import FEWEST_JUDGED, Fit
from magis_calib.estimation.grid import Grid
from magis_calib.estimation.model import FitModel
from magis_calib.imaging.electrons import Binned, Mask

LIT = 0.1
"""Judged is where the light is brighter than this share of its peak."""
PER_WIDTH, LARGEST_PX = 6.0, 8
"""Tiles across a width of the light, and their largest side."""
APART = 2
"""Differences are taken over so many tiles: noise of pixels side by side may be related."""
NEGLIGIBLE = 2e-3
"""A residual of this share of the light is no misfit that anybody asks about: a picture without
noise is never quite the model.
"""


def residual_over_noise(fit: Fit, model: FitModel) -> tuple[float, float]:
    """Return mean square of the residual over that of the noise, and by how many places it is told.

    (1, infinity) where too few tell.
    """
    bins = fit.bins
    signal = model.signal(Grid.of(bins, fit.image.shape), fit.values)
    lit = _lit(signal / bins.pixels) & (bins.good > 0)
    noise, pairs = _noise_per_px(fit, model)
    if min(int(np.count_nonzero(lit)), pairs) < FEWEST_JUDGED:
        return 1.0, math.inf
    left = (fit.data - fit.mean)[lit] ** 2
    pixels = (bins.pixels * bins.scale)[lit]
    if left.sum() <= NEGLIGIBLE**2 * float((signal[lit] ** 2).sum()):
        return 1.0, math.inf
    ratio = float(left.sum()) / max(float(pixels.sum()) * noise, 1e-300)
    even = float(pixels.sum() ** 2 / (pixels**2).sum())
    return ratio, 1.0 / (1.0 / even + 1.0 / pairs)


def _noise_per_px(fit: Fit, model: FitModel) -> tuple[float, int]:
    """Return the variance of a pixel from differences between tiles nearby, and of how many."""
    tiles = _tiles(fit, model)
    grid = Grid.of(tiles, fit.image.shape)
    signal = model.signal(grid, fit.values)
    lit = _lit(signal / tiles.pixels) & (tiles.good > 0)
    left = tiles.electrons - signal - model.background(grid, fit.values)
    found = [_between(left / tiles.pixels, tiles.good, lit, axis) for axis in (0, 1)]
    squares, pairs = sum(one for one, _ in found), sum(one for _, one in found)
    return squares / max(pairs, 1), pairs


def _tiles(fit: Fit, model: FitModel) -> Binned:
    """Return the image in squares much smaller than the light and its fringe."""
    image = fit.image
    layout = model.layout(fit.values, image.shape, image.facts.object_pixel_m)
    if layout is None:
        return image.tiles
    sizes = [size for one in layout.spots for size in (one.sigma_rows, one.sigma_columns)]
    waves = (layout.wave_rows, layout.wave_columns)
    sizes += [1.0 / wave for wave in map(abs, waves) if wave > 0]
    step = int(np.clip(min(sizes) / PER_WIDTH, 1, LARGEST_PX))
    return image.binned(*(np.append(np.arange(0, size, step), size) for size in image.shape))


def _between(means: Array, good: Array, lit: Mask, axis: int) -> tuple[float, int]:
    """Return the sum of squared differences along an axis for one pixel each, and their number."""
    one, other = (
        tuple(part if at == axis else slice(None) for at in (0, 1))
        for part in (slice(None, -APART), slice(APART, None))
    )
    both = lit[one] & lit[other]
    mine, its = good[one][both], good[other][both]
    away = (means[one] - means[other])[both]
    return float((away**2 * mine * its / (mine + its)).sum()), int(away.size)


def _lit(light: Array) -> Mask:
    size = np.abs(light)
    shining: Mask = size > LIT * size.max(initial=0.0)
    return shining
