"""`magis-calib session check SESSION`: read a recording again and say whether it is as it was sent."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from magis_calib.recording.check import SessionCheck, check_session
from magis_calib.recording.serial import to_json


def main(argv: Sequence[str]) -> int:
    """Exit 0 where the session is readable and nothing that was stored is missing or changed, else 1."""
    parser = argparse.ArgumentParser(prog="magis-calib session", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="compare every frame with its checksum")
    check.add_argument("session", type=Path, metavar="SESSION", help="folder of a recorded session")
    check.add_argument("--json", action="store_true", help="print the answer as JSON")
    arguments = parser.parse_args(argv)
    found = check_session(arguments.session)
    print(to_json(found) if arguments.json else _in_words(found))
    return 0 if found.readable and not found.checksum_errors else 1


def _in_words(found: SessionCheck) -> str:
    if not found.readable:
        return f"not readable: {found.problem}"
    gaps = f"; no frame for {', '.join(found.gaps[:10])}" if found.gaps else ""
    state = "whole" if found.whole else "not whole"
    return f"{state}: {found.drops} drops, {found.frames} frames, {found.checksum_errors} checksum errors{gaps}"
