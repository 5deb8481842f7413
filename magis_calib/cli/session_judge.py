"""`magis-calib session check | certificate | repair`: whether a session is as it was sent, and what can be saved."""

from __future__ import annotations

import argparse
from pathlib import Path

from magis_calib.domain.errors import SessionError
from magis_calib.recording.certificate import certify, write_certificate
from magis_calib.recording.check import SessionCheck
from magis_calib.recording.looking import ask_child, opened
from magis_calib.recording.reader import segment_paths
from magis_calib.recording.repair import patience_s
from magis_calib.recording.repair import repair as repaired
from magis_calib.recording.serial import to_json


def check(arguments: argparse.Namespace) -> int:
    """Compare every frame with its checksum; 1 where one differs or nothing can be read."""
    found = _checked(arguments.session)
    print(to_json(found) if arguments.json else _in_words(found))
    return 0 if found.readable and not found.checksum_errors else 1


def certificate(arguments: argparse.Namespace) -> int:
    """Count hop by hop; 1 where something is missing."""
    with opened(arguments.session) as session:
        found = write_certificate(arguments.session) if arguments.write else certify(session)
    print(to_json(found) if arguments.json else found.in_words())
    return 0 if not found.gaps_in_all and not found.without_outcome else 1


def repair(arguments: argparse.Namespace) -> int:
    """Make a session readable; 1 where something of it is lost."""
    done = repaired(arguments.session)
    print("\n".join(one.in_words() for one in done))
    lost = [one for one in done if one.salvaged.problem or one.salvaged.lost_frames or one.salvaged.lost_records]
    return int(bool(lost))


def _checked(path: Path) -> SessionCheck:
    """Check a session in a child: a damaged file may crash or hang whoever reads it."""
    try:
        answer = ask_child("magis_calib.recording.check", [str(path)], patience_s(*segment_paths(path)))
    except SessionError as error:
        answer = str(error)
    if isinstance(answer, str):
        return SessionCheck(False, False, 0, 0, 0, (), {}, answer)
    return SessionCheck(**{**answer, "gaps": tuple(answer["gaps"])})


def _in_words(found: SessionCheck) -> str:
    if not found.readable:
        return f"not readable: {found.problem}"
    gaps = f"; no frame for {', '.join(found.gaps[:10])}" if found.gaps else ""
    state = "whole" if found.whole else "not whole"
    problem = f"; {found.problem}" if found.problem else ""
    return (
        f"{state}: {found.drops} drops, {found.frames} frames, {found.checksum_errors} checksum errors{gaps}{problem}"
    )
