"""Make a killed, truncated or damaged session readable.

The originals are kept, and what was lost is said by name.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from magis_calib.domain.errors import SessionError
from magis_calib.recording.files import PART, read_sealed, sync_folder, write_sealed
from magis_calib.recording.lock import SessionLock
from magis_calib.recording.probe import ask_child
from magis_calib.recording.reader import segment_paths
from magis_calib.recording.salvage import Salvaged

ORIGINALS = "originals"
REPORT = "repair.json"
WORKING = ".repair-"
"""How the name of a folder begins that a repair is working in."""
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
        return found.loses_something

    def _lost(self) -> str:
        found = self.salvaged
        frames = f"; {len(found.lost_frames)} frames lost: {', '.join(found.lost_frames[:20])}"
        records = f"; {found.lost_records} records lost"
        told = f"; {found.lost_announcements} announcements lost"
        doubted = "; its attributes, configuration or axes are not as they were written"
        lost = (frames if found.lost_frames else "") + (records if found.lost_records else "")
        lost += told if found.lost_announcements else ""
        return (lost or "; nothing lost") + (doubted if found.about_doubted else "")


def repair(path: Path) -> list[SegmentRepair]:
    """Repair every segment of a session that needs it.

    Whatever moment it is ended at, each segment is the old or the new one, and what the new one
    lacks stands in the report before it is put in place: another call goes on from there. Raises
    `SessionError` where there is no session, or it is in use.
    """
    segments = segment_paths(path)
    lock = SessionLock(path)
    try:
        _clear_up(path)
        done = _reported(path)
        for segment in segments:
            _repaired(segment, done)
        write_sealed(path / REPORT, {"segments": list(done.values())})
    except OSError as error:
        raise SessionError(f"{path}: cannot be repaired: {error}") from error
    finally:
        lock.release()
    return [done[one.name] for one in segments]


def _clear_up(path: Path) -> None:
    """Remove what a call before this one was working on when it was killed."""
    for left in path.glob(f"{WORKING}*"):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)


def _reported(path: Path) -> dict[str, SegmentRepair]:
    """Return what earlier calls did, by segment: as long as it is whole since, that stands."""
    try:
        told = read_sealed(path / REPORT, sealed=True)["segments"]
        return {
            one["name"]: SegmentRepair(one["name"], one["whole"], Salvaged(**one["salvaged"]))
            for one in told
        }
    except (SessionError, KeyError, TypeError):
        return {}


def patience_s(*files: Path) -> float:
    """Return how long a child may take to read these files."""
    return PATIENCE_S + sum(file.stat().st_size for file in files) / BYTES_PER_S


def _repaired(segment: Path, done: dict[str, SegmentRepair]) -> None:
    """Repair one segment, where it needs it, and add what became of it to what is done."""
    with tempfile.TemporaryDirectory(prefix=WORKING, dir=segment.parent) as folder:
        new = Path(folder) / segment.name
        answer = ask_child(
            "magis_calib.recording.salvage", [str(segment), str(new)], patience_s(segment)
        )
        found = Salvaged(problem=answer) if isinstance(answer, str) else Salvaged(**answer)
        if not (found.loses_something or found.mended or _unreadable(segment)):
            before = done.get(segment.name)
            if before is None or before.whole:
                done[segment.name] = SegmentRepair(segment.name, True, found)
            return
        done[segment.name] = SegmentRepair(segment.name, False, found)
        write_sealed(segment.parent / REPORT, {"segments": list(done.values())})
        _keep_original(segment)
        if new.exists() and not found.problem:
            os.replace(new, segment)
        else:
            segment.unlink()
        sync_folder(segment.parent)


def _keep_original(segment: Path) -> None:
    """Give a segment a second name among the originals; its own stays for now. Raises `OSError`."""
    originals = segment.parent / ORIGINALS
    originals.mkdir(exist_ok=True)
    if any(one.samefile(segment) for one in originals.iterdir()):
        return
    name = _free_name(originals / segment.name)
    try:
        os.link(segment, name)
    except OSError:  # a file system without second names
        copy = name.with_name(name.name + PART)
        shutil.copy2(segment, copy)
        os.replace(copy, name)
    sync_folder(originals)


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
