"""`magis-calib config`: print the commented default, or judge a file."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from magis_calib.config.loading import line_of, load_config
from magis_calib.config.station import DEFAULT_SOURCE, Camera, Config, default_text
from magis_calib.domain.errors import ConfigError
from magis_calib.estimation.models import model_for
from magis_calib.host.command_line import Parser
from magis_calib.host.files import read_text


def judge_models(
    config: Config, path: Path | None, stations: Iterable[str], spare: bool = True
) -> None:
    """Build the model of each camera of these stations, of those that are not enabled too where
    `spare`.

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
                wrong.append(
                    f"{path or DEFAULT_SOURCE}: {_place(keys, path)}: "
                    f"{str(error).removeprefix('model: ')}"
                )
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
    line = line_of(keys, read_text(path) if path else default_text())
    return f"line {line}, {'.'.join(keys)}" if line else ".".join(keys)


def add_options(parser: Parser) -> None:
    """Add --default and --check."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--default", action="store_true", help="print the commented default configuration"
    )
    what.add_argument(
        "--check",
        type=Path,
        metavar="FILE",
        help="say whether this file can be used, and what it holds",
    )


def run(asked: argparse.Namespace) -> int:
    """Print or judge. Raises `ConfigError` where the file cannot be used."""
    if asked.default:
        print(default_text(), end="")
        return 0
    config = load_config(asked.check)
    judge_models(config, asked.check, config.stations)
    for name, station in config.stations.items():
        default = " (default)" if name == config.default_station else ""
        cameras = ", ".join(
            f"{camera.name} view {camera.view} "
            f"{camera.model}{'' if camera.enabled else ' (not enabled)'}"
            for camera in station.cameras
        )
        print(
            f"{asked.check}: station {name}{default}: {station.title}; cameras {cameras}; "
            f"matrix {station.loop.matrix}"
        )
    return 0
