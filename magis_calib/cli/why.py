"""`magis-calib why SESSION --drop N`: everything about what was done, or not done,
after one drop.
"""

from __future__ import annotations

import argparse

from magis_calib.cli.options import add_session_argument
from magis_calib.domain.errors import SessionError
from magis_calib.feedback.explanation import explained
from magis_calib.host.command_line import Parser
from magis_calib.recording.probe import opened


def add_options(parser: Parser) -> None:
    """Add SESSION and --drop."""
    add_session_argument(parser)
    parser.add_argument("--drop", type=int, required=True, metavar="N", help="number of the drop")


def run(asked: argparse.Namespace) -> int:
    """Print the ledger's entry of one drop. Raises `SessionError` where there is no such drop."""
    with opened(asked.session) as session:
        records = {one.drop_id: one for one in session.records}
        matrix = session.matrix
    if asked.drop not in records:
        known = f"drops {min(records)} to {max(records)}" if records else "no drops"
        raise SessionError(f"{asked.session}: no drop {asked.drop}, it has {known}")
    print(explained(records[asked.drop]))
    print(f"matrix in force: {matrix}")
    return 0
