"""`magis-calib session`: what was recorded, whether it is as it was sent, and what can be saved of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from magis_calib.cli import session_data, session_judge
from magis_calib.cli.options import default_session_dir
from magis_calib.domain.errors import MagisError

Deed = Callable[[argparse.Namespace], int]
ON_A_SESSION: dict[str, tuple[Deed, str]] = {
    "show": (session_data.show, "what a session holds: when, how much, which software and configuration"),
    "check": (session_judge.check, "compare every frame with its checksum"),
    "certificate": (
        session_judge.certificate,
        "count what was sent, received, paired, fitted and stored; name what is missing",
    ),
    "export": (session_data.export, "tables as CSV or Parquet, images as TIFF"),
    "repair": (
        session_judge.repair,
        "make a killed, truncated or damaged session readable; the original is kept",
    ),
}
ON_A_FOLDER: dict[str, tuple[Deed, str]] = {
    "list": (session_data.list_all, "sessions in a folder: how large, how old, what they hold"),
    "prune": (session_data.prune_old, "remove the raw images of old sessions; everything else is kept"),
}


def main(argv: Sequence[str]) -> int:
    """Return the exit code: 0 fine, 1 something recorded is missing, changed or lost, 2 it cannot be done."""
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.do(arguments)
    except (MagisError, OSError) as error:
        print(f"magis-calib session: {error}", file=sys.stderr)
        return 2
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="magis-calib session", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    made = {}
    for name, (do, words) in (ON_A_SESSION | ON_A_FOLDER).items():
        one = made[name] = commands.add_parser(name, help=words, description=words)
        one.set_defaults(do=do)
        if name in ON_A_SESSION:
            one.add_argument("session", type=Path, metavar="SESSION", help="folder of a recorded session")
        else:
            one.add_argument("folder", type=Path, metavar="DIR", nargs="?", default=default_session_dir(),
                             help="folder of sessions (default %(default)s)")  # fmt: skip
    for name in ("check", "certificate"):
        made[name].add_argument("--json", action="store_true", help="print the answer as JSON")
    made["certificate"].add_argument("--write", action="store_true",
                                     help="write certificate.json into the session, too")  # fmt: skip
    session_data.add_options(made["export"], made["prune"])
    return parser
