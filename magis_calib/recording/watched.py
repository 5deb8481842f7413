"""Whether the files of a session that is being written are still as they were written."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from magis_calib.domain.camera import View
from magis_calib.domain.errors import SessionError
from magis_calib.recording.files import segments_in
from magis_calib.recording.segments.open_segment import Footprint, OpenSegment


class TouchedError(SessionError):
    """Somebody else changed a file that is being written."""


class FolderGoneError(TouchedError):
    """The whole folder of a session is not where it was."""


@dataclass(slots=True)
class _Held:
    """The frames of a segment that drivers were told to be stored, as far as they are named."""

    drops: dict[View, tuple[int, int]] = field(default_factory=dict)
    """First and last of each view."""
    frames: int = 0

    def add(self, view: View, drop_id: int) -> None:
        first, last = self.drops.get(view, (drop_id, drop_id))
        self.drops[view] = min(first, drop_id), max(last, drop_id)
        self.frames += 1

    def in_words(self) -> str:
        spans = (f"{view}/{first} to {view}/{last}" for view, (first, last) in self.drops.items())
        return f"{self.frames} frames were told to be stored in it: {', '.join(sorted(spans))}"


class WatchedFolder:
    """Looks at a session's folder and files. The thread that writes them uses it."""

    def __init__(self, folder: Path) -> None:
        """Know what is there now. Raises `OSError`."""
        self._folder = folder
        status = folder.stat()
        self._identity = status.st_dev, status.st_ino
        self._ended = {one: Footprint.of(one.stat()) for one in segments_in(folder)}
        self._held = dict.fromkeys(self._ended, "what an earlier run recorded was in it")
        self._now = _Held()
        self._waiting: list[tuple[View, int]] = []
        self.gone: tuple[str, ...] = ()
        """What was told to be stored and is not as it was, in words."""

    def holds(self, view: View, drop_id: int) -> None:
        """Note a frame that was appended to the open segment."""
        self._waiting.append((view, drop_id))

    def committed(self) -> None:
        """Note that all of those are about to be told stored."""
        for view, drop_id in self._waiting:
            self._now.add(view, drop_id)
        self._waiting = []

    def left(self, path: Path) -> None:
        """Note that a segment is written no more."""
        held = self._now
        self._now = _Held()
        self._waiting = []
        if not held.frames or any(str(path) in one for one in self.gone):
            return
        with contextlib.suppress(OSError):
            self._ended[path] = Footprint.of(path.stat())
            self._held[path] = held.in_words()

    def look(self, segment: OpenSegment | None) -> None:
        """See what became of the files since the last look.

        Raises `TouchedError` where the open segment is not as it was, or the folder is gone.
        """
        if not self._is_there():
            self.gone += (f"{self._folder} was moved or deleted; {self._all_held()}",)
            raise FolderGoneError(self.gone[-1])
        for path, footprint in list(self._ended.items()):
            if other := footprint.other(path):
                self.gone += (f"{path} {other}; {self._held[path]}",)
                del self._ended[path]
        other = segment.touched() if segment is not None else ""
        if segment is not None and other:
            words = f"{segment.path} {other}"
            if self._now.frames:
                self.gone += (f"{words}; {self._now.in_words()}",)
            raise TouchedError(words)

    def _is_there(self) -> bool:
        try:
            status = os.stat(self._folder)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._identity

    def _all_held(self) -> str:
        held = [words for path, words in self._held.items() if path in self._ended]
        now = [self._now.in_words()] if self._now.frames else []
        return "; ".join([*held, *now]) or "nothing was told to be stored in it"
