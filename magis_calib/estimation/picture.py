"""Data, fit and what is left of a fitted view, in bins a person can look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magis_calib.config.station import Camera
from magis_calib.domain.camera import Frame
from magis_calib.domain.estimate import Array, ViewEstimate
from magis_calib.estimation.grid import Grid
from magis_calib.estimation.models import model_for
from magis_calib.estimation.weighed import noise_variance
from magis_calib.imaging.electrons import Electrons, to_electrons
from magis_calib.imaging.sums import Indices

MOST_BINS = 400
"""Bins along the longer side: about what a screen shows."""


@dataclass(frozen=True, slots=True, eq=False)
class FittedPicture:
    """Images of (row bins, column bins), the first row on top."""

    data: Array
    """Electrons per px; NaN where no pixel is good."""
    fit: Array
    """Electrons per px."""
    residual: Array
    """Data minus fit in standard deviations of the noise."""
    extent_m: tuple[float, float, float, float]
    """Left, right, bottom, top edge in image coordinates."""
    extent_px: tuple[float, float, float, float]
    """Left, right, bottom, top edge in columns and rows."""


def fitted_with(estimate: ViewEstimate) -> Camera:
    """Return the camera's settings that a fit tells of: its model, the ports' displacements."""
    ports = {f"port_{port}_displacement_m": place for port, place in estimate.displacements.items()}
    return Camera.model_validate(
        {"name": f"view {estimate.view}", "view": estimate.view, "model": estimate.model, **ports}
    )


def picture_of(frame: Frame, estimate: ViewEstimate, most_bins: int) -> FittedPicture:
    """Return the picture of a fitted view, in at most so many bins along the longer side."""
    found = fitted_picture(to_electrons(frame), fitted_with(estimate), estimate, most_bins)
    assert found is not None, "only of a view that was fitted"
    return found


def fitted_picture(
    image: Electrons, camera: Camera, estimate: ViewEstimate, most_bins: int = MOST_BINS
) -> FittedPicture | None:
    """Return the picture of a fitted view; None where nothing was fitted."""
    if not estimate.parameters:
        return None
    model = model_for(camera)
    rows, columns = image.shape
    step = -(-max(rows, columns) // most_bins)
    bins = image.binned(_edges(rows, step), _edges(columns, step))
    grid = Grid.of(bins, image.shape)
    values = model.complete({name: found.value for name, found in estimate.parameters.items()})
    background, signal = model.background(grid, values), model.signal(grid, values)
    away = np.where(bins.good > 0, bins.electrons - background - signal, np.nan)
    sigma = np.sqrt(noise_variance(bins, background, signal, image))
    if not image.noise_known:
        sigma = sigma * float(np.nanstd(away / sigma))
    return FittedPicture(
        np.where(bins.good > 0, bins.electrons / bins.pixels, np.nan),
        (background + signal) / bins.pixels,
        away / sigma,
        extent_m(image),
        extent_px(image),
    )


def extent_m(image: Electrons) -> tuple[float, float, float, float]:
    """Return left, right, bottom and top edge in image coordinates."""
    rows, columns = image.shape
    half_u = columns * image.facts.object_pixel_m / 2.0
    half_v = rows * image.facts.object_pixel_m / 2.0
    return -half_u, half_u, -half_v, half_v


def extent_px(image: Electrons) -> tuple[float, float, float, float]:
    """Return left, right, bottom and top edge in columns and rows."""
    rows, columns = image.shape
    return -0.5, columns - 0.5, rows - 0.5, -0.5


def _edges(size: int, step: int) -> Indices:
    return np.append(np.arange(0, size, step, dtype=np.intp), size)
