"""Pixels that the fit leaves out: saturated ones, and those masked as defects or hot, as places in an image. No Qt."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from magis_calib.domain.camera import Frame
from magis_calib.domain.errors import ConfigError, FitError
from magis_calib.domain.estimate import Array
from magis_calib.imaging.defects import among
from magis_calib.imaging.electrons import Mask, to_electrons
from magis_calib.imaging.mask_file import read_defects
from magis_calib.imaging.sums import Indices
from ui.raster import MM

MOST_DRAWN = 1500
"""Of each kind; more of them would hide the image."""


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Places (mm: right, up) of what is drawn, and how many pixels there are in all."""

    saturated: tuple[Array, Array]
    masked: tuple[Array, Array]
    """Those that are not saturated."""
    saturated_px: int
    masked_px: int
    problem: str = ""
    """Why the configured defects are not among them."""


def marks_of(frame: Frame, defects: str) -> Marks:
    """Find them anew as the fit does. `defects`: the configured mask file, "" for none."""
    mask, problem = _mask(defects)
    try:
        image = to_electrons(frame, mask)
    except FitError as error:
        image, problem = to_electrons(frame), str(error)
    masked = image.bad[~among(image.saturated, image.bad)]
    shape, pixel_mm = image.shape, frame.facts.object_pixel_m * MM
    return Marks(_places(image.saturated, shape, pixel_mm), _places(masked, shape, pixel_mm), len(image.saturated),
                 len(masked), problem)  # fmt: skip


@functools.lru_cache(maxsize=4)
def _mask(name: str) -> tuple[Mask | None, str]:
    try:
        return read_defects(name), ""
    except ConfigError as error:
        return None, str(error)


def _places(pixels: Indices, shape: tuple[int, int], pixel_mm: float) -> tuple[Array, Array]:
    row, column = np.divmod(pixels[:: 1 + len(pixels) // MOST_DRAWN], shape[1])
    return (column - (shape[1] - 1) / 2) * pixel_mm, ((shape[0] - 1) / 2 - row) * pixel_mm
