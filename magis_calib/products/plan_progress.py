"""How far a run plan has come, on disk after each step: an interrupted plan resumes there."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from magis_calib.domain.errors import SessionError
from magis_calib.domain.json_text import json_table
from magis_calib.domain.serial import plain
from magis_calib.host.files import open_to_append, read_text

SCHEMA = 1


class Progress:
    """One file: a first line about the plan, then a line for each step that has ended.

    Lines are flushed and synced.
    """

    def __init__(self, path: Path) -> None:
        """Use `begin` or `resume`."""
        self.path = path

    @classmethod
    def begin(cls, folder: Path, station: str, plan: Mapping[str, Any]) -> Progress:
        """Start a new file. Raises `OSError`."""
        folder.mkdir(parents=True, exist_ok=True)
        moment = datetime.fromtimestamp(time.time(), UTC).strftime("%Y%m%dT%H%M%S%fZ")
        progress = cls(folder / f"{moment}_{station}.plan.jsonl")
        progress._append({"schema": SCHEMA, "station": station, "plan": plain(plan)})
        return progress

    def note(self, step: Any) -> None:
        """Add one step that has ended (a dataclass). Raises `OSError`."""
        self._append(
            plain(asdict(step) if is_dataclass(step) and not isinstance(step, type) else step)
        )

    def _append(self, line: Any) -> None:
        with os.fdopen(open_to_append(self.path), "a", encoding="utf-8") as file:
            file.write(json.dumps(line, allow_nan=False) + "\n")
            file.flush()
            os.fsync(file.fileno())


def read_progress(path: Path) -> tuple[str, Mapping[str, Any], Sequence[Mapping[str, Any]]]:
    """Return station, plan and the steps that have ended; a last line that was cut off is left out.

    Raises `SessionError` where it is no such file.
    """
    try:
        lines = read_text(path).splitlines()
        head = json_table(lines[0])
        if head.get("schema") != SCHEMA:
            raise SessionError(f"{path}: schema: wanted {SCHEMA}, got {head.get('schema')!r}")
        return str(head["station"]), head["plan"], list(_whole(lines[1:]))
    except (OSError, ValueError, IndexError, KeyError, AttributeError) as error:
        raise SessionError(f"{path}: not the progress of a plan: {error}") from error


def _whole(lines: Sequence[str]) -> list[Mapping[str, Any]]:
    steps: list[Mapping[str, Any]] = []
    for line in lines:
        try:
            steps.append(json_table(line))
        except ValueError:
            break
    return steps
