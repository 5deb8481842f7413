"""`magis-calib check-driver`: say what a camera driver does right and wrong."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import closing
from dataclasses import asdict

import zmq

from hardware.connection import ApplicationIdentity
from hardware.controller import ControllerClient
from hardware.driver_check import CheckPlan, DriverCheck
from hardware.finding import Checklists, Finding, problems, table
from magis_calib.auth.sockets import open_lock
from magis_calib.cli.options import add_keys_option, add_station_options
from magis_calib.config.fields import checked_endpoint
from magis_calib.config.loading import load_config, select_station
from magis_calib.domain.errors import ConfigError
from magis_calib.host.command_line import Parser, judged, number, whole


def add_options(parser: Parser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "--endpoint",
        type=judged(checked_endpoint),
        metavar="ADDRESS",
        help="listen here instead of at the configured links.camera",
    )
    add_station_options(parser)
    add_keys_option(parser)
    parser.add_argument(
        "--seconds",
        type=number(above=0),
        default=60.0,
        metavar="S",
        help="longest wait for a hello, for the frames, and for what comes back "
        "(default %(default)g)",
    )
    parser.add_argument(
        "--frames",
        type=whole(3),
        default=5,
        metavar="N",
        help="whole frames wanted of each driver, at least 3 (default %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print the checklist as JSON")


def run(asked: argparse.Namespace) -> int:
    """Check the drivers that connect; return 0 when all is well, 1 for problems."""
    try:
        found = _check(asked)
    except zmq.ZMQError as error:
        raise ConfigError(f"cannot listen: {error}; is the application running?") from error
    return _tell(found, as_json=asked.json)


def _check(arguments: argparse.Namespace) -> dict[str, list[Finding]]:
    """Run the check.

    Controllers that are there are told too, because a drop system may wait for that.
    """
    name, station = select_station(load_config(arguments.config), arguments.station)
    endpoint = arguments.endpoint or station.links.camera
    with closing(open_lock(station, arguments.keys)) as security:
        clients = {
            key: ControllerClient(
                security,
                key,
                controller.endpoint,
                ApplicationIdentity(name, "check-driver"),
                station.links,
            )
            for key, controller in station.controllers.items()
        }
        try:
            plan = CheckPlan(endpoint, arguments.seconds, arguments.frames)
            check = DriverCheck(security, name, station, plan, clients[station.announcer].done)
            print(f"waiting for camera drivers at {endpoint}", file=sys.stderr)
            return check.run()
        finally:
            for client in clients.values():
                client.close()


def _tell(found: Checklists, *, as_json: bool) -> int:
    passed = bool(found) and not problems(found)
    if as_json:
        drivers = {name: [asdict(one) for one in findings] for name, findings in found.items()}
        print(json.dumps({"passed": passed, "drivers": drivers}))
    elif not found:
        print("no driver said anything")
    else:
        print("\n".join(table(found)))
    return 0 if passed else 1
