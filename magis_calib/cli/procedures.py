"""`magis-calib scan NAME`: step one actuator over a range, fit the right curve, and say where it is
best.

The setpoint goes back to where it was; with --set it stays at what was found.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from magis_calib.cli.run import run_as_asked, run_parser
from magis_calib.procedures.scan import DROPS_EACH, POINTS, SCANS
from magis_calib.state.commands import StartProcedure


def main(argv: Sequence[str]) -> int:
    """Scan, and return the exit code: 0 found, 1 not, 2 bad configuration or usage."""
    parser = run_parser("magis-calib scan", __doc__)
    names = "; ".join(f"{name}: {one.summary}" for name, one in SCANS.items())
    parser.add_argument(
        "name",
        choices=[*SCANS, "coriolis"],
        metavar="NAME",
        help=f"{names}; coriolis: wavevector against rotation rate at two interrogation times "
        f"(long)",
    )
    parser.add_argument(
        "--from",
        dest="start",
        type=float,
        metavar="X",
        help="first setpoint, SI (default: some below)",
    )
    parser.add_argument("--to", dest="stop", type=float, metavar="X", help="last setpoint, SI")
    parser.add_argument(
        "--points", type=int, default=POINTS, metavar="N", help="setpoints (default %(default)s)"
    )
    parser.add_argument(
        "--drops-each",
        type=int,
        default=DROPS_EACH,
        metavar="N",
        help="drops at each (default %(default)s)",
    )
    parser.add_argument("--set", action="store_true", help="stay at what was found")
    return run_as_asked(parser, argv, _purpose)


def _purpose(asked: argparse.Namespace) -> StartProcedure:
    options = {"drops_each": asked.drops_each, "keep": asked.set}
    if asked.name in SCANS:
        options |= {"start": asked.start, "stop": asked.stop, "points": asked.points}
    return StartProcedure(f"scan_{asked.name}", options)
