"""JSON Schema of every message of both links, made from the models that read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from magis_calib.link.camera_messages import FROM_CAMERA, TO_CAMERA
from magis_calib.link.control_messages import FROM_CONTROLLER, TO_CONTROLLER
from magis_calib.link.headers import Message

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_CAMERAS: Mapping[str, type[Message]] = {**FROM_CAMERA, **TO_CAMERA}
_CONTROLLERS: Mapping[str, type[Message]] = {**TO_CONTROLLER, **FROM_CONTROLLER}
MESSAGES: Mapping[str, type[Message]] = {
    **_CAMERAS,
    **{
        name if _CAMERAS.get(name, model) is model else f"controller_{name}": model
        for name, model in _CONTROLLERS.items()
    },
}
"""By their `type`; those that differ between the links as `controller_TYPE`."""


def schema_of(name: str) -> dict[str, Any]:
    """Return the schema of one of `MESSAGES`."""
    schema = MESSAGES[name].model_json_schema()
    schema["required"] = ["type", *schema["required"]]  # the model knows it before it reads
    return {"$schema": DIALECT, **schema}
