"""All that an estimate is made from, as one key: the same key, the same estimate."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import magis_calib
from magis_calib.config.station import Camera, Station
from magis_calib.domain.camera import VIEWS, Frame, ImagePair
from magis_calib.domain.serial import plain
from magis_calib.estimation.model import Wavevector
from magis_calib.estimation.models import BUILT_IN, model_for
from magis_calib.imaging.mask_file import read_defects

SOURCES = ("config", "domain", "imaging", "estimation")
"""Packages whose code makes an estimate."""
LIBRARIES = ("numpy", "scipy", "lmfit")
ROUNDING = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NPY_DISABLE_CPU_FEATURES",
    "OPENBLAS_CORETYPE",
)
"""Settings of the libraries that may change the last bit of a sum."""


class Lineage:
    """The keys of one station's estimates."""

    def __init__(self, station: Station) -> None:
        """Take in what is the same for all drops.

        Raises `ConfigError` where a model or mask cannot be used.
        """
        self._common = {
            "code": code(),
            "cameras": {view: _configured(station.camera(view)) for view in VIEWS},
        }

    def key(self, pair: ImagePair, expected: Wavevector | None) -> str:
        """Return the key of this pair's estimate, with the wavevector that the fit is told."""
        made_from = {
            **self._common,
            "drop": [pair.drop_id, pair.sequence_type],
            "frames": {view: _seen(frame) for view, frame in pair.frames.items()},
            "expected": expected,
        }
        return _digest(json.dumps(made_from, sort_keys=True, allow_nan=False).encode())


@cache
def code() -> dict[str, Any]:
    """Return what identifies the code that estimates, its libraries and machine."""
    return {
        "sources": _sources([Path(magis_calib.__file__).parent / name for name in SOURCES]),
        "libraries": {name: version(name) for name in LIBRARIES},
        "python": platform.python_version(),
        "machine": [platform.machine(), platform.node()],
        "rounding": {name: os.environ.get(name, "") for name in ROUNDING},
    }


def _configured(camera: Camera) -> dict[str, Any]:
    """Return how a view is fitted, with the content of its mask and of a foreign model."""
    mask = read_defects(camera.defects)
    content = (
        ""
        if mask is None
        else _digest(repr(mask.shape).encode(), np.ascontiguousarray(mask).tobytes())
    )
    settings = camera.model_dump(mode="json", exclude={"defects"})
    return {"settings": settings, "mask": content, "model": _model_code(camera)}


def _model_code(camera: Camera) -> str:
    """Return a checksum of the package that a user's model comes from.

    Empty for a built-in model.
    """
    if camera.model in BUILT_IN:
        return ""
    model = type(model_for(camera))
    found = inspect.getsourcefile(inspect.getmodule(model) or model)
    if found is None:
        return repr(model)
    inside_package = (Path(found).parent / "__init__.py").exists()
    return _sources([Path(found).parent if inside_package else Path(found)])


def _seen(frame: Frame) -> dict[str, Any]:
    """Return what a camera delivered: the very pixels, not the checksum of a header."""
    pixels = np.ascontiguousarray(frame.counts)
    return {
        "facts": plain(frame.facts),
        "pixels": _digest(repr(pixels.shape).encode(), pixels.data),
    }


def _sources(places: list[Path]) -> str:
    """Return one checksum over all Python files in these places."""
    files = [
        file
        for place in places
        for file in (sorted(place.rglob("*.py")) if place.is_dir() else [place])
    ]
    return _digest(*(part for file in files for part in (file.name.encode(), file.read_bytes())))


def _digest(*parts: bytes | memoryview) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found.hexdigest()
