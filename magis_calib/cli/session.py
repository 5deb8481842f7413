"""`magis-calib session`: what was recorded, whether it is as it was sent, and what can be saved of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from magis_calib.cli.options import default_session_dir
from magis_calib.domain.errors import MagisError, SessionError
from magis_calib.recording.certificate import certify, write_certificate
from magis_calib.recording.check import SessionCheck
from magis_calib.recording.listing import listed, sessions_in
from magis_calib.recording.looking import ask_child, opened
from magis_calib.recording.reader import segment_paths
from magis_calib.recording.repair import patience_s, repair
from magis_calib.recording.serial import to_json


def main(argv: Sequence[str]) -> int:
    """Return the exit code: 0 fine, 1 something recorded is missing, changed or lost, 2 it cannot be done."""
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.do(arguments)
    except (MagisError, OSError) as error:
        print(f"magis-calib session: {error}", file=sys.stderr)
        return 2
    return code


def check(path: Path) -> SessionCheck:
    """Check a session in a child: a damaged file may crash or hang whoever reads it."""
    try:
        answer = ask_child("magis_calib.recording.check", [str(path)], patience_s(*segment_paths(path)))
    except SessionError as error:
        answer = str(error)
    if isinstance(answer, str):
        return SessionCheck(False, False, 0, 0, 0, (), {}, answer)
    return SessionCheck(**{**answer, "gaps": tuple(answer["gaps"])})


def _check(arguments: argparse.Namespace) -> int:
    found = check(arguments.session)
    print(to_json(found) if arguments.json else _in_words(found))
    return 0 if found.readable and not found.checksum_errors else 1


def _in_words(found: SessionCheck) -> str:
    if not found.readable:
        return f"not readable: {found.problem}"
    gaps = f"; no frame for {', '.join(found.gaps[:10])}" if found.gaps else ""
    state = "whole" if found.whole else "not whole"
    problem = f"; {found.problem}" if found.problem else ""
    return (
        f"{state}: {found.drops} drops, {found.frames} frames, {found.checksum_errors} checksum errors{gaps}{problem}"
    )


def _certificate(arguments: argparse.Namespace) -> int:
    with opened(arguments.session) as session:
        found = write_certificate(arguments.session) if arguments.write else certify(session)
    print(to_json(found) if arguments.json else found.in_words())
    return 0 if not found.gaps_in_all and not found.without_outcome else 1


def _repair(arguments: argparse.Namespace) -> int:
    done = repair(arguments.session)
    print("\n".join(one.in_words() for one in done))
    lost = [one for one in done if one.salvaged.problem or one.salvaged.lost_frames or one.salvaged.lost_records]
    return int(bool(lost))


def _list(arguments: argparse.Namespace) -> int:
    for path in sessions_in(arguments.folder):
        print(listed(path).in_words())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="magis-calib session", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, do, words in (
        ("check", _check, "compare every frame with its checksum"),
        (
            "certificate",
            _certificate,
            "count what was sent, received, paired, fitted and stored; name what is missing",
        ),
        ("repair", _repair, "make a killed, truncated or damaged session readable; the original is kept"),
    ):
        one = commands.add_parser(name, help=words, description=words)
        one.set_defaults(do=do)
        one.add_argument("session", type=Path, metavar="SESSION", help="folder of a recorded session")
        if name != "repair":
            one.add_argument("--json", action="store_true", help="print the answer as JSON")
        if name == "certificate":
            one.add_argument("--write", action="store_true", help="write certificate.json into the session, too")
    one = commands.add_parser("list", help="sessions in a folder: when, how large, what they hold")
    one.set_defaults(do=_list)
    one.add_argument("folder", type=Path, metavar="DIR", nargs="?", default=default_session_dir(),
                     help="folder of sessions (default %(default)s)")  # fmt: skip
    return parser
