"""What a view is fitted with in drops not made for the interferometer (docs/estimation.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from magis_calib.config.station import Camera
from magis_calib.domain.camera import SequenceType
from magis_calib.estimation.port import FRINGE
from magis_calib.estimation.two_port import TwoPort, TwoPortFringe

NOT_FITTED: Mapping[SequenceType, str] = {"no_atoms": "no_atoms: background only"}
"""Types of which nothing is estimated, and why."""

_VERTICAL = (0.0, 1.0)
_MODELS: Mapping[SequenceType, str] = {"z_shear": TwoPortFringe.name, "pi_test": TwoPort.name}


def camera_for(camera: Camera, sequence_type: SequenceType) -> Camera:
    """Return the camera with the model for drops of this type.

    A z-shear has fringes along z in both views, a pi test has none in either. Rules for parameters
    of the fringe are meant for the interferometer's and are left out. A view with another model
    than the two-port ones keeps it.
    """
    if sequence_type not in _MODELS:
        return camera
    changes: dict[str, Any] = {"expected_fringe": _VERTICAL} if sequence_type == "z_shear" else {}
    if camera.model in _MODELS.values():
        kept = {name: rule for name, rule in camera.parameters.items() if name not in FRINGE}
        changes |= {"model": _MODELS[sequence_type], "parameters": kept}
    return camera.model_copy(update=changes)
