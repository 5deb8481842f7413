"""A killable child looks into a session first.

A damaged HDF5 file may crash or hang whoever opens it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from magis_calib.domain.errors import SessionError
from magis_calib.host.child import BEGUN, python_module, say_begun, why_not_begun
from magis_calib.recording.reader import Session, segment_paths

PATIENCE_S = 8.0
"""A child that has not found anything out by then is killed."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a child saw."""

    problem: str
    """Why the session cannot be opened; empty where it can."""
    frames: int = 0
    drops: int = 0
    station: str = ""


def look_into(path: Path, patience_s: float = PATIENCE_S) -> Look:
    """Have a child open a session and read all its tables. Never raises, never hangs."""
    try:
        segment_paths(path)
        answer = ask_child("magis_calib.recording.probe", [str(path)], patience_s)
    except SessionError as error:
        return Look(str(error))
    return Look(answer) if isinstance(answer, str) else Look(**answer)


def opened(path: Path) -> Session:
    """Open a session that a child could open. Raises `SessionError`."""
    if problem := look_into(path).problem:
        raise SessionError(problem)
    return Session(path)


def ask_child(module: str, arguments: list[str], patience_s: float) -> dict[str, Any] | str:
    """Run a module in a child that prints one JSON table.

    Return it, or in words why there is none.

    Raises `SessionError` where the child did not start: that says nothing about the session.
    """
    try:
        done = subprocess.run(
            python_module(module, *arguments),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=patience_s,
        )
    except subprocess.TimeoutExpired:
        return (
            f"{arguments[0]}: reading it did not end within {patience_s:g} s: it is damaged, or "
            "its disk is too slow"
        )
    except OSError as error:
        return f"{arguments[0]}: cannot be looked into: {error}"
    if not done.stdout.startswith(BEGUN):
        raise SessionError(f"{arguments[0]}: {why_not_begun(done.stderr)}")
    try:
        table: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        return f"{arguments[0]}: reading it ended with {done.returncode}: it is damaged"
    return table


def _main() -> None:
    say_begun()
    try:
        with Session(Path(sys.argv[1]), *sys.argv[2:]) as session:
            for name in ("announcements", "estimates", "decisions"):
                session.table(name)
            for segment in session.segments:
                segment.records_held  # noqa: B018  read for what it may raise
            print(
                json.dumps(
                    {
                        "problem": "",
                        "frames": len(session.places),
                        "drops": len(session.table("estimates")),
                        "station": str(session.attribute("station") or ""),
                    }
                )
            )
    except SessionError as error:
        print(json.dumps({"problem": str(error)}))


if __name__ == "__main__":
    _main()
