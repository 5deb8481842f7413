"""Where to cut the image into bins: fine where the fringe or the envelope asks, coarse elsewhere, nothing left out."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from magis_calib.imaging.electrons import Indices

BINS_PER_PERIOD = 13.0
"""sinc²(1/13) = 0.981: binning costs 1 % of the phase's standard error."""
BINS_PER_WIDTH = 4.0
REACH_WIDTHS = 4.5
COARSE_PER_WIDTH = 1.0


def axis_edges(size: int, centres_px: list[float], width_px: float, wavevector_per_px: float) -> Indices:
    """Return bin edges of one axis: `size` pixels, clouds at `centres_px` of `width_px`, |κ| in rad/px."""
    fine = width_px / BINS_PER_WIDTH
    if wavevector_per_px != 0.0:
        fine = min(fine, 2.0 * math.pi / abs(wavevector_per_px) / BINS_PER_PERIOD)
    step = max(1, int(fine))
    coarse = max(step, round(width_px * COARSE_PER_WIDTH))
    reach = REACH_WIDTHS * width_px
    inside = np.zeros(size, dtype=bool)
    for centre in centres_px:
        inside[max(0, int(centre - reach)) : max(0, min(size, int(centre + reach) + 1))] = True
    turns = np.flatnonzero(np.diff(inside)) + 1
    borders = [0, *turns.tolist(), size]
    parts = [
        np.arange(start, stop, step if inside[start] else coarse, dtype=np.intp) for start, stop in pairwise(borders)
    ]
    return np.append(np.concatenate(parts), size)
