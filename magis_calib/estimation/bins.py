"""Where to cut the image into bins: fine where fringe or envelope ask for it, else coarse."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from magis_calib.estimation.model import Layout
from magis_calib.imaging.electrons import Binned, Electrons, Mask
from magis_calib.imaging.sums import Indices

BINS_PER_PERIOD = 13.0
"""sinc²(1/13) = 0.981: binning costs 1 % of the phase's standard error."""
FEWEST_PER_PERIOD = 5.0
"""sinc²(1/5) = 0.88: for a fringe oblique to a wide cloud, to stay within `MOST_BINS`."""
MOST_BINS = 150_000
"""Bound of memory (15 derivatives of 8 bytes a bin) and time."""
BINS_PER_WIDTH = 3.0
"""Costs 0.5 % of the position's standard error."""
NEARLY = 1.1
"""Bins a little coarser than asked for cost little.

Half as coarse to be a multiple cost twice the time.
"""
REACH_WIDTHS = 3.5
COARSE_BINS = 48
"""Where there is only a background plane, this many bins along an axis lose nothing.

A width where that is larger.
"""
EVEN_BINS = 256
"""Bins a side where a model does not say where its light is."""
OUTGROWN = 1.4
"""Bins this much coarser than the fitted cloud or fringe asks for are cut anew."""
STRAYED_WIDTHS = 0.5


def cut_bins(image: Electrons, layout: Layout | None) -> Binned:
    """Sum the image in bins fit for this layout."""
    return image.binned(*_edges(image, layout))


def outgrown(bins: Binned, layout: Layout | None) -> bool:
    """Whether these bins are too coarse for the layout, or fine in the wrong place."""
    if layout is None:
        return False
    return any(
        _too_coarse(bins.row_edges, spot.row, spot.sigma_rows, layout.wave_rows)
        or _too_coarse(bins.column_edges, spot.column, spot.sigma_columns, layout.wave_columns)
        for spot in layout.spots
    )


def _too_coarse(edges: Indices, middle: float, width: float, wavevector_per_px: float) -> bool:
    """Whether a bin of one axis within a spot (px) is too coarse for it or for the fringe."""
    reach = (REACH_WIDTHS - STRAYED_WIDTHS) * width
    inside = (edges[:-1] > middle - reach) & (edges[1:] < middle + reach)
    coarsest = float(np.diff(edges)[inside].max(initial=0))
    return coarsest > max(1.0, OUTGROWN * _fine(width, wavevector_per_px, FEWEST_PER_PERIOD))


def _edges(image: Electrons, layout: Layout | None) -> tuple[Indices, Indices]:
    rows, columns = image.shape
    if layout is None:
        return _even(rows), _even(columns)
    for per_period in (BINS_PER_PERIOD, 8.0, FEWEST_PER_PERIOD):
        edges = _by_layout(image, layout, per_period)
        if len(edges[0]) * len(edges[1]) <= MOST_BINS:
            break
    return edges


def _even(size: int) -> Indices:
    return np.append(np.arange(0, size, max(1, size // EVEN_BINS), dtype=np.intp), size)


def _by_layout(image: Electrons, layout: Layout, per_period: float) -> tuple[Indices, Indices]:
    spots = layout.spots
    rows, columns = image.shape
    height = min(spot.sigma_rows for spot in spots)
    width = min(spot.sigma_columns for spot in spots)
    at_rows = [spot.row for spot in spots]
    at_columns = [spot.column for spot in spots]
    return (
        axis_edges(rows, at_rows, height, layout.wave_rows, per_period, image.band_rows),
        axis_edges(columns, at_columns, width, layout.wave_columns, per_period),
    )


def _fine(width_px: float, wavevector_per_px: float, per_period: float) -> float:
    fine = width_px / BINS_PER_WIDTH
    if wavevector_per_px != 0.0:
        fine = min(fine, 2.0 * math.pi / abs(wavevector_per_px) / per_period)
    return fine


def _near_clouds(size: int, centres_px: list[float], reach_px: float, whole: int) -> Mask:
    """Mark which groups of `whole` pixels of one axis lie near a cloud."""
    inside = np.zeros(-(-size // whole), dtype=bool)
    for centre in centres_px:
        first = max(0, int((centre - reach_px) // whole))
        inside[first : max(0, int((centre + reach_px) // whole + 1))] = True
    return inside


def axis_edges(
    size: int,
    centres_px: list[float],
    width_px: float,
    wavevector_per_px: float,
    per_period: float = BINS_PER_PERIOD,
    whole: int = 1,
) -> Indices:
    """Return bin edges of one axis.

    `size` pixels, clouds at `centres_px` of `width_px`, |κ| in rad/px.

    Where bins may be so coarse their edges are multiples of `whole`.
    """
    fine = _fine(width_px, wavevector_per_px, per_period)
    step = max(1, int(fine))
    whole = whole if step >= whole else 1
    if whole > 1:
        step = int(NEARLY * fine) // whole * whole
    coarse = max(step, round(width_px), size // COARSE_BINS)
    coarse -= coarse % whole
    inside = _near_clouds(size, centres_px, REACH_WIDTHS * width_px, whole)
    turns = (np.flatnonzero(np.diff(inside)) + 1) * whole
    borders = [0, *turns.tolist(), size]
    parts = [
        np.arange(start, stop, step if inside[start // whole] else coarse, dtype=np.intp)
        for start, stop in pairwise(borders)
    ]
    return np.append(np.concatenate(parts), size)
