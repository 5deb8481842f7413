"""`magis-sim`: a whole pretend station behind the real wire."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import FrameType

import zmq

from magis_calib.auth.keyring import default_keys_dir
from magis_calib.config.fields import checked_endpoint
from magis_calib.config.loading import load_config, select_station
from magis_calib.config.station import Station
from magis_calib.domain.errors import ConfigError
from magis_calib.host.command_line import Parser, judged, whole
from magis_calib.host.memory import keep_freed_memory
from magis_calib.host.stopping import STOPS
from magis_calib.host.terminal import open_what_is_closed, remark, say_whatever_the_locale
from magis_calib.host.user import said
from simulators.instrument.numbers import load_plant_numbers
from simulators.options import SimulationOptions, add_simulation_options
from simulators.setup import StationSetup
from simulators.station import SimulatedStation

POLITE = 10
"""Added to the niceness: pictures must not slow down the application on the same machine."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the simulated station until SIGINT or SIGTERM."""
    open_what_is_closed()
    say_whatever_the_locale()
    arguments = _parser().parse_args(argv)
    stopping = _stop_on_signals()
    with contextlib.suppress(OSError, AttributeError):
        os.nice(POLITE)
    keep_freed_memory()
    try:
        station = SimulatedStation(_setup(arguments), _say)
    except ConfigError as error:
        _say(str(error))
        return 2
    except (zmq.ZMQError, OSError) as error:
        _say(f"cannot start: {error}")
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
        "--only",
        type=_names,
        metavar="NAME[,NAME…]",
        help="simulate these controllers and cameras alone, by their names in the configuration: "
        "laser,drop_system,LM1,LM2 (default: all of them)",
    )
    parser.add_argument(
        "--keys",
        type=Path,
        metavar="DIR",
        help=f"folder of keys, made on first use (default {said(default_keys_dir)})",
    )
    _add_endpoints(parser)
    return parser


def _add_endpoints(parser: Parser) -> None:
    parser.add_argument(
        "--endpoint",
        type=_endpoint,
        action="append",
        default=[],
        metavar="NAME=ADDRESS",
        help="of camera or a controller, instead of the configured one (repeatable)",
    )
    for name in ("camera", "laser", "drop_system"):  # as they were called before there was a table
        parser.add_argument(
            f"--{name.replace('_', '-')}-endpoint",
            dest="endpoint",
            type=partial(_named, name),
            action="append",
            metavar="ADDRESS",
            help=f"the same as --endpoint {name}=ADDRESS",
        )


def _setup(arguments: argparse.Namespace) -> StationSetup:
    name, station = select_station(load_config(arguments.config), arguments.station)
    unknown = sorted(dict(arguments.endpoint).keys() - station.endpoints.keys())
    if unknown:
        raise ConfigError(f"--endpoint: wanted one of {sorted(station.endpoints)}, got {unknown}")
    return StationSetup(
        name=name,
        config=station.at(dict(arguments.endpoint)),
        options=SimulationOptions.of(arguments),
        numbers=load_plant_numbers(arguments.plant),
        drops=arguments.drops,
        first_drop=arguments.first_drop,
        keys=arguments.keys,
        only=_known_only(arguments, station),
    )


def _known_only(asked: argparse.Namespace, station: Station) -> frozenset[str] | None:
    """Return whom to simulate, None for all. Raises `ConfigError` where that cannot be."""
    cameras = {camera.name for camera in station.cameras if camera.enabled}
    there = cameras | station.controllers.keys()
    if asked.only is None:
        return None
    unknown = sorted(asked.only - there)
    if unknown or not asked.only:
        raise ConfigError(f"--only: wanted some of {', '.join(sorted(there))}, got {unknown}")
    clocked = SimulationOptions.of(asked).interval_s > 0 or station.announcer in asked.only
    if asked.only & cameras and not clocked:
        raise ConfigError(
            f"--only: with --interval 0 a picture is taken when {station.announcer} starts a drop: "
            f"wanted {station.announcer} among the names, or an interval above 0"
        )
    return frozenset(asked.only)


def _names(text: str) -> set[str]:
    return {name.strip() for name in text.split(",") if name.strip()}


def _named(name: str, address: str) -> tuple[str, str]:
    return name, judged(checked_endpoint)(address)


def _endpoint(text: str) -> tuple[str, str]:
    name, _, address = text.partition("=")
    if not address:
        raise argparse.ArgumentTypeError(f"wanted NAME=ADDRESS, got {text!r}")
    return _named(name, address)


def _stop_on_signals() -> list[int]:
    """Return a list that is empty until a signal asks for the end."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)

    for number in STOPS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # a parent that answers Ctrl-C itself
            signal.signal(number, note)
    return received


def _say(text: str) -> None:
    remark(f"magis-sim: {text}")
