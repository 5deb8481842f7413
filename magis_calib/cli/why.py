"""`magis-calib why SESSION --drop N`: everything about what was done, or not done,
after one drop.
"""

from __future__ import annotations

import argparse

from magis_calib.cli.options import add_session_argument
from magis_calib.cli.telling import telling
from magis_calib.domain.errors import SessionError
from magis_calib.feedback.explanation import explained
from magis_calib.host.command_line import Parser
from magis_calib.host.terminal import visible_lines
from magis_calib.recording.probe import opened
from magis_calib.recording.reader import Session


def add_options(parser: Parser) -> None:
    """Add SESSION and --drop."""
    add_session_argument(parser)
    parser.add_argument("--drop", type=int, required=True, metavar="N", help="number of the drop")


def run(asked: argparse.Namespace) -> int:
    """Print the ledger's entry of one drop. Raises `SessionError` where there is no such drop."""
    with opened(asked.session) as session, telling(asked.session, f"drop {asked.drop}"):
        record = session.record(asked.drop)
        if record is None:
            raise SessionError(f"{asked.session}: no drop {asked.drop}, it has {_known(session)}")
        print(visible_lines(explained(record)))
        print(f"matrix in force: {session.matrix}")
    return 0


def _known(session: Session) -> str:
    drops = session.table("estimates")["drop_id"]
    return f"drops {drops.min()} to {drops.max()}" if len(drops) else "no drops"
