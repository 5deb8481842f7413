"""Make a killed, truncated or damaged session readable.

The originals are kept, and what was lost is said by name.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from magis_calib.domain.errors import SessionError
from magis_calib.domain.serial import to_json
from magis_calib.recording.continuation import SessionLock
from magis_calib.recording.probe import ask_child
from magis_calib.recording.reader import segment_paths
from magis_calib.recording.salvage import Salvaged
from magis_calib.recording.writer import write_text

ORIGINALS = "originals"
REPORT = "repair.json"
PATIENCE_S, BYTES_PER_S = 7.0, 20e6
"""A child may take so long, and longer by the size of what it reads."""


@dataclass(frozen=True, slots=True)
class SegmentRepair:
    """What became of one segment."""

    name: str
    whole: bool
    """Everything in it is as it was written: it is left as it is."""
    salvaged: Salvaged

    def in_words(self) -> str:
        """Say it in one line."""
        found = self.salvaged
        if self.whole:
            return f"{self.name}: whole, {found.frames} frames, {found.drops} drops; left as it is"
        if found.problem:
            return (
                f"{self.name}: nothing could be recovered: {found.problem}; moved to {ORIGINALS}/"
            )
        return (
            f"{self.name}: recovered {found.frames} frames, {found.drops} drops{self._lost()}; "
            f"the original is in {ORIGINALS}/"
        )

    @property
    def loses_something(self) -> bool:
        """Whether a part of what was recorded could not be recovered."""
        found = self.salvaged
        return bool(found.problem or found.lost_frames or found.lost_records)

    def _lost(self) -> str:
        found = self.salvaged
        frames = f"; {len(found.lost_frames)} frames lost: {', '.join(found.lost_frames[:20])}"
        records = f"; {found.lost_records} records lost"
        lost = (frames if found.lost_frames else "") + (records if found.lost_records else "")
        return lost or "; nothing lost"


def repair(path: Path) -> list[SegmentRepair]:
    """Repair every segment of a session that needs it.

    Raises `SessionError` where there is none, or it is in use.
    """
    segments = segment_paths(path)
    lock = SessionLock(path)
    try:
        done = [_repaired(segment) for segment in segments]
        write_text(path / REPORT, to_json(done))
    except OSError as error:
        raise SessionError(f"{path}: cannot be repaired: {error}") from error
    finally:
        lock.release()
    return done


def patience_s(*files: Path) -> float:
    """Return how long a child may take to read these files."""
    return PATIENCE_S + sum(file.stat().st_size for file in files) / BYTES_PER_S


def _repaired(segment: Path) -> SegmentRepair:
    with tempfile.TemporaryDirectory(prefix=".repair-", dir=segment.parent) as folder:
        new = Path(folder) / segment.name
        answer = ask_child(
            "magis_calib.recording.salvage", [str(segment), str(new)], patience_s(segment)
        )
        found = Salvaged(problem=answer) if isinstance(answer, str) else Salvaged(**answer)
        damaged = found.problem or found.lost_frames or found.lost_records or _unreadable(segment)
        if not damaged:
            return SegmentRepair(segment.name, True, found)
        originals = segment.parent / ORIGINALS
        originals.mkdir(exist_ok=True)
        os.replace(segment, _free_name(originals / segment.name))
        if new.exists() and not found.problem:
            os.replace(new, segment)
    return SegmentRepair(segment.name, False, found)


def _unreadable(segment: Path) -> bool:
    """Whether a segment cannot be read as it stands although everything could be taken out of a
    copy.
    """
    answer = ask_child(
        "magis_calib.recording.probe", [str(segment.parent), segment.name], PATIENCE_S
    )
    return isinstance(answer, str) or bool(answer["problem"])


def _free_name(wanted: Path) -> Path:
    """Return a name that nothing has: an original is never written over."""
    number = 1
    name = wanted
    while name.exists():
        number, name = number + 1, wanted.with_name(f"{wanted.stem}.{number}{wanted.suffix}")
    return name
