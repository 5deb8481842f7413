"""Light away from the fitted clouds, which chi-square does not see where they are bright."""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from magis_calib.domain.estimate import Array
from magis_calib.estimation.fit import Fit
from magis_calib.estimation.grid import Grid
from magis_calib.estimation.model import FitModel, Layout
from magis_calib.imaging.electrons import Binned, Electrons, Mask

AWAY_WIDTHS = 4.0
"""Nearer to a fitted cloud, chi-square judges."""
SHARE, SIGMA = 0.2, 8.0
"""Of the fitted peak, and of a median's standard deviation: from there on it is a cloud."""
ACROSS, STEP = 5, 2
"""Median of so many tiles each way, at every second place: wider than hot pixels and tracks."""
MEDIAN_NOISE = 1.25
"""Standard deviation of a median over that of a mean (normal distribution)."""


def light_elsewhere(fit: Fit, model: FitModel) -> str:
    """Say where there is light that the fit knows nothing of, and how much.

    Empty where there is none.
    """
    image = fit.image
    layout = model.layout(fit.values, image.shape, image.facts.object_pixel_m)
    tiles = image.tiles
    if layout is None or not image.noise_known or min(tiles.pixels.shape) < ACROSS:
        return ""
    grid = Grid.of(tiles, image.shape)
    signal, background = (
        part(grid, fit.values) / tiles.pixels for part in (model.signal, model.background)
    )
    left = np.where(tiles.good > 0, tiles.electrons / tiles.pixels - signal - background, 0.0)
    peak, row, column = _brightest(left, grid, layout)
    share = peak / max(float(signal.max()), 1e-300)
    if share < SHARE or peak < SIGMA * _median_sigma(background, image, tiles):
        return ""
    place = f"column {column:.0f}, row {row:.0f}"
    return f"light elsewhere: {100 * share:.0f} % of the cloud's peak at {place}"


def _brightest(left: Array, grid: Grid, layout: Layout) -> tuple[float, float, float]:
    """Return the highest median away from the fitted clouds (electrons per px), its row, column."""
    rows, columns = (
        axis.ravel()[ACROSS // 2 : -(ACROSS // 2) : STEP] for axis in (grid.rows, grid.columns)
    )
    middle = np.where(_away(layout, rows[:, None], columns), _medians(left), -np.inf)
    row, column = np.unravel_index(int(np.argmax(middle)), middle.shape)
    return float(middle[row, column]), float(rows[row]), float(columns[column])


def _median_sigma(background: Array, image: Electrons, tiles: Binned) -> float:
    """Return the standard deviation of a median of tiles with background alone."""
    variance = max(float(background.max()), 0.0) + image.facts.quantised_read_variance
    return MEDIAN_NOISE * math.sqrt(variance / float(tiles.pixels.min())) / ACROSS


def _medians(tiles: Array) -> Array:
    windows = sliding_window_view(tiles.astype(np.float32), (ACROSS, ACROSS))[::STEP, ::STEP]
    half = ACROSS**2 // 2
    middle: Array = np.partition(windows.reshape(*windows.shape[:2], -1), half, axis=-1)[
        ..., half
    ].astype(np.float64)
    return middle


def _away(layout: Layout, rows: Array, columns: Array) -> Mask:
    away: Mask = np.ones((rows.size, columns.size), dtype=bool)
    for spot in layout.spots:
        near = np.abs(rows - spot.row) < AWAY_WIDTHS * spot.sigma_rows
        away &= ~(near & (np.abs(columns - spot.column) < AWAY_WIDTHS * spot.sigma_columns))
    return away
