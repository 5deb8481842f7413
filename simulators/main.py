"""`magis-sim`: a whole pretend station behind the real wire."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import zmq

from magis_calib.auth.keyring import default_keys_dir
from magis_calib.config.loading import load_config, select_station
from magis_calib.config.station import Links, Station
from magis_calib.domain.errors import ConfigError
from magis_calib.host.command_line import Parser, whole
from magis_calib.host.memory import keep_freed_memory
from simulators.instrument.numbers import load_plant_numbers
from simulators.options import SimulationOptions, add_simulation_options
from simulators.station import SimulatedStation, StationSetup

POLITE = 10
"""Added to the niceness: pictures must not slow down the application on the same machine."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the simulated station until SIGINT or SIGTERM."""
    arguments = _parser().parse_args(argv)
    stopping = _stop_on_signals()
    with contextlib.suppress(OSError, AttributeError):
        os.nice(POLITE)
    keep_freed_memory()
    try:
        station = SimulatedStation(_setup(arguments), _say)
    except ConfigError as error:
        print(f"magis-sim: {error}", file=sys.stderr)
        return 2
    except (zmq.ZMQError, OSError) as error:
        print(f"magis-sim: cannot start: {error}", file=sys.stderr)
        return 2
    station.run(lambda: bool(stopping))
    _say("stopped")
    return 0


def _parser() -> Parser:
    parser = Parser(prog="magis-sim", description=__doc__)
    add_simulation_options(parser)
    parser.add_argument(
        "--first-drop",
        type=whole(1),
        default=1,
        metavar="N",
        help="count the drops from here, after an earlier run (default %(default)s)",
    )
    parser.add_argument(
        "--drops",
        type=whole(1),
        metavar="N",
        help="start N drops, then stay idle (default: no end)",
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="take addresses and camera names from this file"
    )
    parser.add_argument(
        "--station", metavar="NAME", help="a station of that file other than its default"
    )
    parser.add_argument(
        "--plant", type=Path, metavar="FILE", help="numbers of the station instead of plant.toml"
    )
    parser.add_argument(
        "--keys",
        type=Path,
        metavar="DIR",
        help=f"folder of keys, made on first use (default {default_keys_dir()})",
    )
    for name in ("camera", "laser", "drop-system"):
        parser.add_argument(
            f"--{name}-endpoint", metavar="ADDRESS", help="instead of the configured one"
        )
    return parser


def _setup(arguments: argparse.Namespace) -> StationSetup:
    name, station = select_station(load_config(arguments.config), arguments.station)
    return StationSetup(
        name=name,
        config=_with_endpoints(station, arguments),
        options=SimulationOptions.of(arguments),
        numbers=load_plant_numbers(arguments.plant),
        drops=arguments.drops,
        first_drop=arguments.first_drop,
        keys=arguments.keys,
    )


def _with_endpoints(station: Station, arguments: argparse.Namespace) -> Station:
    given = {
        "camera": arguments.camera_endpoint,
        "laser": arguments.laser_endpoint,
        "drop_system": arguments.drop_system_endpoint,
    }
    table = station.links.model_dump() | {name: value for name, value in given.items() if value}
    return station.model_copy(update={"links": Links.model_validate(table)})


def _stop_on_signals() -> list[int]:
    """Return a list that is empty until a signal asks for the end."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # a parent that answers Ctrl-C itself
            signal.signal(number, note)
    return received


def _say(text: str) -> None:
    print(f"magis-sim: {text}", file=sys.stderr, flush=True)
