"""`magis-calib check`: whether this machine is ready for a run, as a table with remedies
(docs/observability.md).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from magis_calib.app.checks.finding import Asked, Finding
from magis_calib.app.checks.machine import MACHINE_CHECKS
from magis_calib.app.checks.station import STATION_CHECKS
from magis_calib.auth.keyring import default_keys_dir
from magis_calib.cli.options import (
    add_keys_option,
    add_session_dir_option,
    add_station_options,
    default_session_dir,
)
from magis_calib.config.loading import load_config, select_station
from magis_calib.host.command_line import Parser

SHAPES = {
    "ok": "[green]✓ ok[/green]",
    "warn": "[yellow]▲ look[/yellow]",
    "fail": "[red]✖ fails[/red]",
}


def run(asked: argparse.Namespace) -> int:
    """Look and print; return 1 where something fails."""
    name, station = select_station(load_config(asked.config), asked.station)
    folder = (asked.session_dir or default_session_dir()).absolute()
    about = Asked(name, station, asked.keys or default_keys_dir(), folder)
    found = []
    with Console(stderr=True).status("looking …") as status:  # nothing where there is no terminal
        for one in _all_findings(about):
            found.append(one)
            status.update(f"{one.what} …")
    if asked.json:
        print(json.dumps([dataclasses.asdict(one) for one in found], indent=1))
    else:
        Console().print(_table(found))
    return int(any(one.verdict == "fail" for one in found))


def _all_findings(asked: Asked) -> Iterator[Finding]:
    """Look at everything; what cannot even be looked at is a finding, too."""
    for check in (*MACHINE_CHECKS, *STATION_CHECKS):
        try:
            yield from check(asked)
        except Exception as error:  # noqa: BLE001 - one that breaks must not hide the others
            yield _broken(check.__name__, error)


def _broken(check: str, error: Exception) -> Finding:
    what = check.strip("_").replace("_", " ")
    found = f"{type(error).__name__}: {error}"
    return Finding(what, found, "to be looked at", "fail", "tell the developers")


def _table(found: Sequence[Finding]) -> Table:
    table = Table(show_lines=True)
    for head in ("what", "found", "wanted", "", "remedy"):
        table.add_column(head, overflow="fold")
    for one in found:
        table.add_row(one.what, one.found, one.wanted, SHAPES[one.verdict], one.remedy)
    return table


def add_options(parser: Parser) -> None:
    """Add the options of this command."""
    add_station_options(parser)
    add_keys_option(parser)
    add_session_dir_option(parser)
    parser.add_argument(
        "--json", action="store_true", help="print a list of objects instead of a table"
    )
