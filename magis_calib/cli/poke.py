"""`magis-calib poke`: check every actuator of the loop against the matrix in force, smallest moves
first.

Finds a wrong sign, actuators that are swapped, a wrong unit and a dead one, by name. The setpoints
are restored.
"""

from __future__ import annotations

from collections.abc import Sequence

from magis_calib.cli.run import run_as_asked, run_parser
from magis_calib.state.commands import StartProcedure


def main(argv: Sequence[str]) -> int:
    """Poke, and return the exit code: 0 passed, 1 failed, 2 bad configuration or usage."""
    return run_as_asked(
        run_parser("magis-calib poke", __doc__), argv, lambda one: StartProcedure("poke")
    )
