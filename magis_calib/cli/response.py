"""`magis-calib response`: measure the response matrix of the loop's actuators, on real or simulated
hardware.

All of them move together, each a little to both sides, inside step caps and ranges; the setpoints
are restored. What is found is a product with errors (`magis-calib products`); nothing uses it
before it is promoted.
"""

from __future__ import annotations

from collections.abc import Sequence

from magis_calib.cli.run import run_as_asked, run_parser
from magis_calib.procedures.response import DROPS
from magis_calib.state.commands import StartProcedure


def main(argv: Sequence[str]) -> int:
    """Measure, and return the exit code: 0 measured, 1 not, 2 bad configuration or usage."""
    asked = run_parser("magis-calib response", __doc__)
    asked.add_argument(
        "--actuator",
        action="append",
        default=[],
        metavar="NAME",
        help="only this one (repeatable; default: all that the loop moves)",
    )
    asked.add_argument(
        "--measurements",
        type=int,
        default=DROPS,
        metavar="N",
        help="drops to measure (default %(default)s)",
    )
    return run_as_asked(
        asked,
        argv,
        lambda one: StartProcedure(
            "response", {"actuators": one.actuator, "drops": one.measurements}
        ),
    )
