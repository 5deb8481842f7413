"""`magis-calib optimise`: hold the contrast at its best beside the closed loop, by small dithers of
the pulse area.
"""

from __future__ import annotations

from collections.abc import Sequence

from magis_calib.cli.run import run_as_asked, run_parser
from magis_calib.procedures.optimise import DITHER, DROPS
from magis_calib.state.commands import StartProcedure


def main(argv: Sequence[str]) -> int:
    """Optimise, and return the exit code: 0 held, 1 not, 2 bad configuration or usage."""
    parser = run_parser("magis-calib optimise", __doc__)
    parser.add_argument(
        "--dither",
        type=float,
        default=DITHER,
        metavar="X",
        help="to either side (default %(default)s)",
    )
    parser.add_argument(
        "--minimum", type=float, metavar="X", help="lower bound (default: 0.25 below)"
    )
    parser.add_argument(
        "--maximum", type=float, metavar="X", help="upper bound (default: 0.25 above)"
    )
    parser.add_argument(
        "--for-drops", type=int, default=DROPS, metavar="N", help="drops (default %(default)s)"
    )
    return run_as_asked(
        parser,
        argv,
        lambda one: StartProcedure(
            "optimise",
            {
                "drops": one.for_drops,
                "dither": one.dither,
                "minimum": one.minimum,
                "maximum": one.maximum,
            },
        ),
    )
