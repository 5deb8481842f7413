"""`magis-calib why SESSION --drop N`: everything about what was done, or not done,
after one drop.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from magis_calib.domain.errors import SessionError
from magis_calib.feedback.explanation import explained
from magis_calib.recording.probe import opened


def main(argv: Sequence[str]) -> int:
    """Print the ledger's entry of one drop.

    Exit 0, or 2 where the session cannot be read or has no such drop.
    """
    parser = argparse.ArgumentParser(prog="magis-calib why", description=__doc__)
    parser.add_argument(
        "session", type=Path, metavar="SESSION", help="folder of a recorded session"
    )
    parser.add_argument("--drop", type=int, required=True, metavar="N", help="number of the drop")
    arguments = parser.parse_args(argv)
    try:
        with opened(arguments.session) as session:
            records = {one.drop_id: one for one in session.records}
            matrix = session.matrix
    except SessionError as error:
        print(f"magis-calib why: {error}", file=sys.stderr)
        return 2
    if arguments.drop not in records:
        known = f"drops {min(records)} to {max(records)}" if records else "no drops"
        print(
            f"magis-calib why: {arguments.session}: no drop {arguments.drop}, it has {known}",
            file=sys.stderr,
        )
        return 2
    print(explained(records[arguments.drop]))
    print(f"matrix in force: {matrix}")
    return 0
