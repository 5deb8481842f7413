"""Pixels that the fit leaves out, as places in an image. No Qt."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from magis_calib.domain.camera import Frame
from magis_calib.domain.errors import ConfigError, FitError
from magis_calib.domain.estimate import Array, LeftOut, Pixels, ViewEstimate
from magis_calib.imaging.electrons import Mask, to_electrons
from magis_calib.imaging.mask_file import read_defects
from magis_calib.imaging.orientation import upright
from ui.models.raster import MM


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Places (mm: right, up) of what is drawn."""

    saturated: tuple[Array, Array]
    masked: tuple[Array, Array]
    left_out: LeftOut
    problem: str = ""
    """Why the configured defects are not among them."""


def marks_of(frame: Frame, defects: str, fitted: ViewEstimate | None) -> Marks:
    """Ask the fit of this frame, or find them anew; `defects`: mask file, "" for none."""
    left_out = fitted.left_out if fitted is not None else None
    problem = ""
    if left_out is None:
        left_out, problem = _found_anew(frame, defects)
    shape = upright(frame.counts, frame.facts.orientation).shape
    saturated, masked = (
        _places(pixels, shape, frame.facts.object_pixel_m * MM)
        for pixels in (left_out.saturated, left_out.masked)
    )
    return Marks(saturated, masked, left_out, problem)


def _found_anew(frame: Frame, defects: str) -> tuple[LeftOut, str]:
    mask, problem = _mask(defects)
    try:
        return to_electrons(frame, mask).left_out, problem
    except FitError as error:
        return to_electrons(frame).left_out, str(error)


@functools.lru_cache(maxsize=4)
def _mask(name: str) -> tuple[Mask | None, str]:
    try:
        return read_defects(name), ""
    except ConfigError as error:
        return None, str(error)


def _places(pixels: Pixels, shape: tuple[int, ...], pixel_mm: float) -> tuple[Array, Array]:
    row, column = np.divmod(pixels, shape[1])
    return (column - (shape[1] - 1) / 2) * pixel_mm, ((shape[0] - 1) / 2 - row) * pixel_mm
