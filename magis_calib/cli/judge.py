"""Judge what a configuration says of fit models: installed packages decide, so the estimator is asked."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from magis_calib.domain.config import DEFAULT_SOURCE, Camera, Config, default_text
from magis_calib.domain.errors import ConfigError
from magis_calib.domain.loading import line_of
from magis_calib.estimation.models import model_for


def judge_models(config: Config, path: Path | None, stations: Iterable[str], spare: bool = True) -> None:
    """Build the model of each camera of these stations, of those that are not enabled too where `spare`.

    Raises `ConfigError` with file and line of everything that is wrong.
    """
    wrong = []
    for name in stations:
        for number, camera in enumerate(config.stations[name].cameras):
            try:
                if camera.enabled or spare:
                    model_for(camera)
            except ConfigError as error:
                keys = ["stations", name, "cameras", str(number), _wrong_key(camera)]
                wrong.append(f"{path or DEFAULT_SOURCE}: {_place(keys, path)}: {str(error).removeprefix('model: ')}")
    if wrong:
        raise ConfigError("\n".join(wrong))


def _wrong_key(camera: Camera) -> str:
    """Say whether the model itself cannot be used, or the rules for its parameters."""
    try:
        model_for(camera.model_copy(update={"parameters": {}}))
    except ConfigError:
        return "model"
    return "parameters"


def _place(keys: list[str], path: Path | None) -> str:
    line = line_of(keys, path.read_text(encoding="utf-8") if path else default_text())
    return f"line {line}, {'.'.join(keys)}" if line else ".".join(keys)
