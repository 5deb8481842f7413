"""What sessions there are: size, age and what they hold."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from magis_calib.host.disk import bytes_on_disk
from magis_calib.recording.files import FINAL, segments_in
from magis_calib.recording.probe import look_into


@dataclass(frozen=True, slots=True)
class Listed:
    """One session in a folder."""

    path: Path
    size_bytes: int
    age_s: float
    """Since it was written to last."""
    closed: bool
    drops: int
    frames: int
    problem: str

    def in_words(self) -> str:
        """Say it in one line."""
        held = self.problem or f"{self.drops} drops, {self.frames} frames" + (
            "" if self.closed else ", not closed"
        )
        return (
            f"{self.path.name}  {self.size_bytes / 1e6:9.1f} MB  {self.age_s / 86400.0:6.1f} "
            f"days old  {held}"
        )


def sessions_in(folder: Path) -> list[Path]:
    """Return every session folder, oldest first by name. Raises `OSError`."""
    return sorted(one for one in folder.iterdir() if is_session(one))


def is_session(path: Path) -> bool:
    """Return whether a folder holds a session, whole or not. Raises `OSError`."""
    return path.is_dir() and bool(segments_in(path))


def age_s(path: Path) -> float:
    """Return how long ago a session was written to last. Raises `OSError`."""
    return max(0.0, time.time() - max(one.stat().st_mtime for one in segments_in(path)))


def listed(path: Path) -> Listed:
    """Look into one session. One that cannot be read is listed with the reason."""
    seen = look_into(path)
    return Listed(
        path,
        bytes_on_disk(path),
        age_s(path),
        (path / FINAL).exists(),
        seen.drops,
        seen.frames,
        seen.problem,
    )
