"""Fit image files: one by one, or two by two as the views of one drop."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from magis_calib.batch.camera_facts import Cameras
from magis_calib.batch.shadow import is_shadow
from magis_calib.config.station import Camera
from magis_calib.domain.camera import VIEWS, CameraFacts, View
from magis_calib.domain.errors import FitError, ImageError
from magis_calib.domain.estimate import StationEstimate, ViewEstimate
from magis_calib.estimation.models import model_for
from magis_calib.estimation.station import combine
from magis_calib.estimation.view import estimate_with_report
from magis_calib.imaging.electrons import Electrons, from_counts, from_floats
from magis_calib.imaging.files import ImageFile, read_image

FEWER_BITS = (10, 12, 14)
MANY_PX = 8
"""Noise alone does not bring so many to the same value."""
DARK = "dark: a shadow, darker than what is around it; wanted light, such as an optical density"


@dataclass(frozen=True, slots=True, eq=False)
class FittedFile:
    """One image and what its fit says."""

    name: str
    camera: Camera
    """As it was fitted: `camera.model` was asked for."""
    image: Electrons
    estimate: ViewEstimate
    report: str
    """lmfit's, or why there is none."""
    fit_s: float
    in_electrons: bool
    """False for a file of floats, whose unit nobody knows."""
    remark: str = ""
    """What the file looks like that nobody said; empty for nothing."""

    @property
    def units(self) -> dict[str, str]:
        """Unit of every parameter of the model.

        "1" stands for the unknown unit of a file of floats.
        """
        units = model_for(self.camera).parameters
        return (
            dict(units)
            if self.in_electrons
            else {name: re.sub(r"\be\b", "1", units[name]) for name in units}
        )


@dataclass(frozen=True, slots=True, eq=False)
class FittedPair:
    """Both views of one drop and what they say together."""

    views: dict[View, FittedFile]
    station: StationEstimate


def fit_file(name: str, view: View, cameras: Cameras) -> FittedFile:
    """Read and fit one image. Raises `ImageError` for a file that cannot be used."""
    return _fit(read_image(name), view, cameras)


def fit_pair(names: Sequence[str], cameras: Cameras) -> FittedPair:
    """Read and fit view x and view y of one drop.

    Raises as `fit_file`, and where the shapes differ.
    """
    first, second = (read_image(name) for name in names)
    if first.pixels.shape != second.pixels.shape:
        raise second.address.wrong(
            f"shape {first.pixels.shape} as in {names[0]}", f"{second.pixels.shape}"
        )
    views = {
        view: _fit(file, view, cameras) for view, file in zip(VIEWS, (first, second), strict=True)
    }
    return FittedPair(views, combine({view: fitted.estimate for view, fitted in views.items()}))


def _fit(file: ImageFile, view: View, cameras: Cameras) -> FittedFile:
    camera = cameras.camera(view)
    start = time.perf_counter()
    image = _electrons(file, camera, cameras)
    estimate, report = estimate_with_report(image, camera)
    fit_s = time.perf_counter() - start
    return FittedFile(
        file.address.name,
        camera,
        image,
        estimate if estimate.usable else _with_dark_cloud(estimate, image),
        report,
        fit_s,
        file.full_scale is not None,
        _fewer_bits(file, image.facts) if file.full_scale is not None else "",
    )


def _with_dark_cloud(estimate: ViewEstimate, image: Electrons) -> ViewEstimate:
    """Say first of what could not be fitted that its cloud is a shadow, where it is."""
    reasons = (DARK, *estimate.reasons) if is_shadow(image) else estimate.reasons
    return replace(estimate, reasons=reasons)


def _fewer_bits(file: ImageFile, facts: CameraFacts) -> str:
    """Say where many pixels stand at the full scale of fewer bits than the camera is said to have.

    Nobody else would count them as saturated.
    """
    highest = int(file.pixels.max())
    for bits in FEWER_BITS:
        for step in (1, 1 << (16 - bits)):
            if highest == ((1 << bits) - 1) * step < facts.saturation:
                count = int(np.count_nonzero(file.pixels == highest))
                given = f"--bits {bits}" + (f" --lsb-counts {step}" if step > 1 else "")
                words = f"{count} pixels stand at {highest}, the full scale of {bits} bits: "
                return f"{words}{given} counts them as saturated" if count >= MANY_PX else ""
    return ""


def _electrons(file: ImageFile, camera: Camera, cameras: Cameras) -> Electrons:
    facts = cameras.facts(file, camera)
    file.refuse_without_contrast(facts.saturation)
    if file.full_scale is None:
        return from_floats(file.pixels.astype(np.float64), facts.object_pixel_m)
    try:
        return from_counts(
            file.pixels.astype(np.uint16, copy=False), facts, cameras.defects(camera.view)
        )
    except FitError as error:
        raise ImageError(f"{file.address.name}: {error}") from error
