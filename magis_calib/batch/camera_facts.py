"""The camera of each view and its facts: of the command line, the configuration or defaults."""

from __future__ import annotations

import argparse
from typing import Any

from magis_calib.config.loading import load_config, select_station
from magis_calib.config.station import Camera
from magis_calib.domain.camera import VIEWS, CameraFacts, View
from magis_calib.estimation.models import model_for
from magis_calib.imaging.electrons import Mask
from magis_calib.imaging.files import ImageFile
from magis_calib.imaging.mask_file import read_defects

DEFAULTS: dict[str, Any] = {
    "object_pixel_m": 16e-6,
    "gain": 1.0,
    "offset": 0.0,
    "read_noise": 0.0,
    "bits": 16,
    "excess": 0.0,
    "lsb_counts": 1,
    "orientation": "normal",
}


class Cameras:
    """What the options and the configuration say of the camera of each view."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Read the configuration (or the shipped one), and the masks of the views to be fitted.

        Raises `ConfigError` where one cannot be read, or the model cannot be used.
        """
        self._options = options
        self._station = select_station(load_config(options.config), options.station)[1]
        views: tuple[View, ...] = VIEWS if options.pair else (options.view,)
        self._cameras = {view: self._camera(view) for view in views}
        self._defects = {
            view: read_defects(camera.defects) for view, camera in self._cameras.items()
        }
        for camera in self._cameras.values():
            model_for(camera)

    def camera(self, view: View) -> Camera:
        """Return how this view is fitted."""
        return self._cameras[view]

    def defects(self, view: View) -> Mask | None:
        """Return the known bad pixels of this view."""
        return self._defects[view]

    def facts(self, image: ImageFile, camera: Camera) -> CameraFacts:
        """Return the facts for this image.

        Raises `ImageError` where its shape is not the configured one.
        """
        written = camera.facts.model_dump(exclude_none=True)
        rows, columns = image.pixels.shape
        wanted = (written.get("rows", rows), written.get("columns", columns))
        if wanted != (rows, columns):
            raise image.address.wrong(
                f"shape {wanted} as configured for camera {camera.name}", f"{(rows, columns)}"
            )
        given = {
            name: value
            for name in (*DEFAULTS, "saturation")
            if (value := getattr(self._options, name, None)) is not None
        }
        known = {**DEFAULTS, **written, **given, "rows": rows, "columns": columns}
        known.setdefault("saturation", _full_scale(image, known["bits"], known["lsb_counts"]))
        return CameraFacts(**known)

    def _camera(self, view: View) -> Camera:
        """Return the configured camera with what the options change.

        Rules for another model's parameters go.
        """
        camera = self._station.camera(view)
        options = self._options
        changed: dict[str, Any] = {}
        if options.model not in (None, camera.model):
            changed = {"model": options.model, "parameters": {}}
        for field in ("port_a_displacement_m", "port_b_displacement_m"):
            up = getattr(options, field)
            if up is not None:
                changed[field] = (getattr(camera, field)[0], up)
        return camera.model_copy(update=changed)


def _full_scale(image: ImageFile, bits: int, lsb_counts: int) -> int:
    """The largest count: of the ADC, or of the file where that holds less."""
    in_file = (image.full_scale or 0) // lsb_counts * lsb_counts
    return min(((1 << bits) - 1) * lsb_counts, in_file)
