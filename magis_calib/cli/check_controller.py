"""`magis-calib check-controller`: say what a controller does right and wrong.

Nothing is moved without --move.
"""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from dataclasses import asdict

from hardware.controller_check.check import CheckPlan, check_controller
from hardware.controller_check.conversation import Address
from hardware.finding import Finding, problems, table
from magis_calib.auth.sockets import open_lock
from magis_calib.cli.options import add_keys_option, add_station_options
from magis_calib.config.fields import checked_endpoint
from magis_calib.config.loading import load_config, select_station
from magis_calib.host.command_line import Parser, UsageError, judged, number
from magis_calib.host.terminal import remark


def add_options(parser: Parser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "name",
        metavar="NAME",
        help="a controller of the configuration: laser, drop_system",
    )
    parser.add_argument(
        "--endpoint",
        type=judged(checked_endpoint),
        metavar="ADDRESS",
        help="look for it here instead of at its configured address",
    )
    add_station_options(parser)
    add_keys_option(parser)
    parser.add_argument(
        "--seconds",
        type=number(above=0),
        default=60.0,
        metavar="S",
        help="longest wait for its welcome, and for each drop (default %(default)g)",
    )
    parser.add_argument(
        "--move",
        action="store_true",
        help="let it write each read-back + its tolerance + one resolution, and back",
    )
    parser.add_argument(
        "--wait-restart",
        type=number(above=0),
        metavar="S",
        help="at the end, wait so long for you to start it again",
    )
    parser.add_argument("--json", action="store_true", help="print the checklist as JSON")


def run(asked: argparse.Namespace) -> int:
    """Check one controller; return 0 when all is well, 1 for problems."""
    found = {asked.name: _check(asked)}
    passed = not problems(found)
    if asked.json:
        controllers = {name: [asdict(one) for one in rows] for name, rows in found.items()}
        print(json.dumps({"passed": passed, "controllers": controllers}))
    else:
        print("\n".join(table(found)))
    return 0 if passed else 1


def _check(asked: argparse.Namespace) -> list[Finding]:
    """Run the check. Raises `ConfigError` where it cannot be made, `UsageError` for a name."""
    station_name, station = select_station(load_config(asked.config), asked.station)
    if asked.name not in station.controllers:
        names = ", ".join(sorted(station.controllers))
        raise UsageError(f"NAME: wanted one of {names}, got {asked.name!r}")
    if asked.endpoint:
        station = station.at({asked.name: asked.endpoint})
    plan = CheckPlan(asked.seconds, asked.move, asked.wait_restart)
    with closing(open_lock(station, asked.keys)) as security:
        to = Address(security, station_name, station, asked.name)
        return check_controller(to, plan, remark)
