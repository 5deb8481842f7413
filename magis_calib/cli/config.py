"""`magis-calib config`: print the commented default, or judge a file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from magis_calib.cli.judge import judge_models
from magis_calib.domain.config import default_text
from magis_calib.domain.errors import ConfigError
from magis_calib.domain.loading import load_config


def main(argv: Sequence[str]) -> int:
    """Print or judge; exit 2 where the file cannot be used."""
    parser = argparse.ArgumentParser(prog="magis-calib config", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--default", action="store_true", help="print the commented default configuration")
    what.add_argument("--check", type=Path, metavar="FILE", help="say whether this file can be used, and what it holds")
    arguments = parser.parse_args(argv)
    if arguments.default:
        print(default_text(), end="")
        return 0
    try:
        config = load_config(arguments.check)
        judge_models(config, arguments.check, config.stations)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    for name, station in config.stations.items():
        default = " (default)" if name == config.default_station else ""
        cameras = ", ".join(
            f"{camera.name} view {camera.view} {camera.model}{'' if camera.enabled else ' (not enabled)'}"
            for camera in station.cameras
        )
        print(f"{arguments.check}: station {name}{default}: {station.title}; cameras {cameras}; "
              f"matrix {station.loop.matrix}")  # fmt: skip
    return 0
