"""The models that a view can be fitted with, by name: built in, and of installed packages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TypeGuard

from magis_calib.config.station import Camera
from magis_calib.domain.errors import ConfigError
from magis_calib.estimation.gaussian import Gaussian, GaussianFringe
from magis_calib.estimation.model import FitModel
from magis_calib.estimation.two_port import TwoPort, TwoPortFringe

GROUP = "magis_calib.models"
"""Entry-point group of a user's package: name -> a subclass of `FitModel` (docs/models.md)."""
BUILT_IN: Mapping[str, type[FitModel]] = {
    model.name: model for model in (TwoPortFringe, TwoPort, GaussianFringe, Gaussian)
}


def known_models() -> list[str]:
    """Return the names of all models, sorted."""
    return sorted({*BUILT_IN, *_added()})


def model_for(camera: Camera) -> FitModel:
    """Return the model that this camera's view is configured to be fitted with.

    Raises `ConfigError` for an unknown name, a package that cannot be loaded, or a rule for a
    parameter it lacks.
    """
    model = _class_of(camera.model)(camera)
    unknown = sorted(set(camera.parameters) - set(model.parameters))
    if unknown:
        raise ConfigError(
            f"camera {camera.name}, parameters: model {camera.model!r} has no {unknown}, "
            f"known are {list(model.parameters)}"
        )
    return model


def _class_of(name: str) -> type[FitModel]:
    if name in BUILT_IN:
        return BUILT_IN[name]
    if name not in _added():
        raise ConfigError(f"model: wanted one of {known_models()}, got {name!r}")
    return _loaded(name, _added()[name])


def _loaded(name: str, entry: EntryPoint) -> type[FitModel]:
    """Import the model of an installed package. Raises `ConfigError` where it is none."""
    try:
        found = entry.load()
    except Exception as error:  # whatever a foreign package raises while it is imported
        raise ConfigError(f"model {name!r} of {entry.value} cannot be loaded: {error!r}") from error
    if not _is_model(found):
        raise ConfigError(
            f"model {name!r}: {entry.value} wanted a subclass of "
            f"magis_calib.estimation.model.FitModel, got {found!r}"
        )
    return found


def _is_model(found: object) -> TypeGuard[type[FitModel]]:
    return isinstance(found, type) and issubclass(found, FitModel)


@cache
def _added() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}
