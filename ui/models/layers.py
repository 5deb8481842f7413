"""What is shown of a view: the data, the fit, or what is left between them. No Qt."""

from __future__ import annotations

from typing import Literal

import numpy as np

from magis_calib.domain.camera import Frame
from magis_calib.domain.estimate import ViewEstimate
from magis_calib.estimation.picture import picture_of
from ui.models.crop import around_clouds
from ui.models.raster import MM, Raster, raster

Layer = Literal["data", "fit", "residual"]
LAYERS: dict[Layer, str] = {
    "data": "data: electrons per pixel",
    "fit": "fit: what the model says, same levels",
    "residual": "residual: data minus fit, in standard deviations",
}
RESIDUAL_SIGMA = 5.0
"""Ends of the residual's colours."""
REACH_WIDTHS = 6.0
BINS = 600
"""How far around the clouds a fit is drawn, and into how many bins along the longer side."""


def layer_of(frame: Frame, step: int, layer: Layer, fitted: ViewEstimate | None) -> Raster:
    """Return what is to be drawn: of data, blocks of so many pixels.

    Data, too, where there is no fit.
    """
    if layer == "data" or fitted is None or not fitted.parameters:
        return raster(frame, step)
    around = around_clouds(frame, fitted, REACH_WIDTHS)
    picture = picture_of(around, fitted, BINS)
    facts = frame.facts
    values = picture.residual if layer == "residual" else picture.fit / facts.gain + facts.offset
    left, right, bottom, top = (MM * one for one in picture.extent_m)
    return Raster(
        np.ascontiguousarray(values[::-1].astype(np.float32)),
        left,
        bottom,
        right - left,
        top - bottom,
        step,
        layer == "residual",
    )
