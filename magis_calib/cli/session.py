"""`magis-calib session`: what was recorded, whether it is as it was sent, and what can be saved of
it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from magis_calib.cli import session_data
from magis_calib.cli.options import add_session_argument, default_session_dir
from magis_calib.cli.telling import telling
from magis_calib.domain.errors import SessionError
from magis_calib.domain.serial import to_json
from magis_calib.host.command_line import Parser
from magis_calib.host.user import said
from magis_calib.recording.certificate import certify, write_certificate
from magis_calib.recording.check import SessionCheck
from magis_calib.recording.probe import ask_child, opened
from magis_calib.recording.reader import segment_paths
from magis_calib.recording.repair import patience_s
from magis_calib.recording.repair import repair as repaired


def check(arguments: argparse.Namespace) -> int:
    """Compare everything with its checksum; 1 where something differs, is missing or unreadable."""
    found = _checked(arguments.session)
    print(to_json(found.table()) if arguments.json else _in_words(found))
    return 0 if found.all_there else 1


def certificate(arguments: argparse.Namespace) -> int:
    """Count hop by hop; 1 where something is missing."""
    with opened(arguments.session) as session, telling(arguments.session, "what it holds"):
        found = write_certificate(arguments.session) if arguments.write else certify(session)
    print(to_json(found) if arguments.json else found.in_words())
    missing = found.gaps_in_all or found.without_outcome or found.missing_segments or found.gone
    return int(bool(missing))


def repair(arguments: argparse.Namespace) -> int:
    """Make a session readable; 1 where something of it is lost."""
    done = repaired(arguments.session)
    print("\n".join(one.in_words() for one in done))
    return int(any(one.loses_something for one in done))


def _checked(path: Path) -> SessionCheck:
    """Check a session in a child: a damaged file may crash or hang whoever reads it."""
    try:
        answer = ask_child(
            "magis_calib.recording.check", [str(path)], patience_s(*segment_paths(path))
        )
    except SessionError as error:
        answer = str(error)
    if isinstance(answer, str):
        return SessionCheck(False, False, 0, 0, 0, (), {}, answer)
    lists = ("gaps", "differing", "missing_segments", "strangers")
    return SessionCheck(**{**answer, **{name: tuple(answer[name]) for name in lists}})


def _in_words(found: SessionCheck) -> str:
    if not found.readable:
        return f"not readable: {found.problem}"
    state = "whole" if found.whole else "not whole"
    counts = f"{found.drops} drops, {found.frames} frames, {found.checksum_errors} checksum errors"
    named = {
        "no frame for ": found.gaps,
        "not as it was written: ": found.differing,
        "missing: ": found.missing_segments,
        "left out, not of this session: ": found.strangers,
    }
    told = [f"{words}{_first(names)}" for words, names in named.items() if names]
    told += [found.problem] if found.problem else []
    told += [] if found.proven else [UNPROVEN]
    return "; ".join([f"{state}: {counts}", *told])


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(names[:10]) + more


UNPROVEN = (
    "recorded before rows, records, announcements and configuration had checksums: those are not "
    "proven"
)


Deed = Callable[[argparse.Namespace], int]
ON_A_SESSION: dict[str, tuple[Deed, str]] = {
    "show": (
        session_data.show,
        "what a session holds: when, how much, which software and configuration",
    ),
    "check": (check, "compare everything with its checksum, name what differs or is missing"),
    "certificate": (
        certificate,
        "count what was sent, received, paired, fitted and stored; name what is missing",
    ),
    "export": (session_data.export, "tables as CSV or Parquet, images as TIFF"),
    "repair": (
        repair,
        "make a killed, truncated or damaged session readable; the original is kept",
    ),
}
ON_A_FOLDER: dict[str, tuple[Deed, str]] = {
    "list": (session_data.list_all, "sessions in a folder: how large, how old, what they hold"),
    "prune": (
        session_data.prune_old,
        "remove the raw images of old sessions; everything else is kept",
    ),
}


def run(asked: argparse.Namespace) -> int:
    """Return 0 fine, 1 something recorded is missing, changed or lost."""
    code: int = asked.do(asked)
    return code


def add_options(parser: Parser) -> None:
    """Add the options of this command."""
    commands = parser.add_subparsers(dest="command", required=True)
    made = {}
    for name, (do, words) in (ON_A_SESSION | ON_A_FOLDER).items():
        one = made[name] = commands.add_parser(name, help=words, description=words)
        one.set_defaults(do=do)
        if name in ON_A_SESSION:
            add_session_argument(one)
        else:
            one.add_argument(
                "folder",
                type=Path,
                metavar="DIR",
                nargs="?",
                help=f"folder of sessions (default {said(default_session_dir)})",
            )
    for name in ("check", "certificate"):
        made[name].add_argument("--json", action="store_true", help="print the answer as JSON")
    made["certificate"].add_argument(
        "--write", action="store_true", help="write certificate.json into the session, too"
    )
    session_data.add_options(made["export"], made["prune"])
