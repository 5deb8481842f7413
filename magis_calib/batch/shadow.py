"""Whether the cloud of a picture is a shadow: raw absorption images look like that."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from magis_calib.imaging.electrons import Electrons

ACROSS = 3
"""Means of so many tiles each way are looked at: no pixel that is off counts."""
DEEPER = 3.0
"""A shadow goes so many times further down than anything goes up,"""
SIGMA = 8.0
"""and so many times further than the tiles scatter (median deviation)."""


def is_shadow(image: Electrons) -> bool:
    """Whether the darkest place stands out, and the brightest does not."""
    tiles = image.tiles
    if min(tiles.good.shape) < ACROSS:
        return False
    known = np.where(tiles.good > 0, tiles.electrons / tiles.pixels, np.nan)
    means = np.nanmean(sliding_window_view(known, (ACROSS, ACROSS)), axis=(2, 3))
    middle = float(np.nanmedian(means))
    down, up = middle - float(np.nanmin(means)), float(np.nanmax(means)) - middle
    return down > max(DEEPER * up, SIGMA * float(np.nanmedian(np.abs(means - middle))))
