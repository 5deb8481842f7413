"""The recording thread's work: every frame and record to disk, then the sender is told.

Next on the path of a pair: `magis_calib/estimation/pair.py`.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from magis_calib.domain.camera import CameraFacts, DropAnnouncement, Frame, View
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import SessionError
from magis_calib.recording.certificate import write_certificate
from magis_calib.recording.disk import Disk
from magis_calib.recording.writer import SessionWriter, TooLongError
from magis_calib.state.snapshot import RecordingState

log = logging.getLogger(__name__)

TOGETHER = 2
"""Frames, as many as a drop has, that are brought onto the disk together while more are waiting."""

OWED_MOST = 4000
"""Announcements and records that wait for a disk which cannot be written; some 20 kB each."""


@dataclass(frozen=True, slots=True)
class CameraNews:
    """A camera joined, or changed what it sends."""

    view: View
    facts: CameraFacts


Recordable = Frame | DropRecord | CameraNews | DropAnnouncement


class Recorder:
    """Writes what it is given. Used by the recording thread only; `state` is read by all."""

    def __init__(
        self,
        open_writer: Callable[[], SessionWriter],
        stored: Callable[[Frame], None],
        not_stored: Callable[[Frame, str], None],
    ) -> None:
        """Open the session, or remember why it cannot be: the run goes on, and says so."""
        self._open_writer = open_writer
        self._stored = stored
        self._not_stored = not_stored
        self._writer: SessionWriter | None = None
        self._cameras: dict[View, CameraFacts] = {}
        self._appended: list[Frame] = []
        self._committed = True
        self._owed: deque[DropRecord | DropAnnouncement] = deque(maxlen=OWED_MOST)
        self._behind = False
        self._disk = Disk()
        self.state = RecordingState()
        self.path = ""
        try:
            self._ready()
        except SessionError as error:
            self.state = RecordingState(problem=str(error))

    @property
    def settled(self) -> bool:
        """Whether everything that was taken is on the disk."""
        return self._committed

    def take(self, item: Recordable) -> None:
        """Append one thing.

        Never raises on a failing disk: the sender is told, and `state` says why.

        A frame is then not stored, and its driver knows; what is said of drops is kept, and written
        when it can be.
        """
        if isinstance(item, DropRecord | DropAnnouncement):
            self._owed.append(item)
        try:
            writer = self._ready()
            if isinstance(item, CameraNews):
                self._cameras[item.view] = item.facts
                writer.camera(item.view, item.facts)
                return
            if isinstance(item, Frame):
                writer.frame(item)
                self._appended.append(item)
            self._write_owed(writer, item)
            self._committed = False
        except SessionError as error:
            self._failed(item, str(error))
        if len(self._appended) >= TOGETHER:
            self.settle()

    def settle(self) -> None:
        """Bring what was appended onto the disk, then tell the senders.

        Never raises on a failing disk.
        """
        if self._committed or self._writer is None:
            return
        try:
            self._writer.commit()
        except SessionError as error:
            self._give_up(str(error))
            return
        frames = self._appended
        self._appended = []
        self._committed = True
        self._owed.clear()
        self.state = replace(self.state, stored=self.state.stored + len(frames), problem="")
        for frame in frames:
            self._stored(frame)

    def measure(self, waiting_bytes: int) -> None:
        """Tell how much waits to be written, and how long the disk lasts."""
        if self._writer is not None:
            self._disk.measure(self._writer.path.parent, self._writer.bytes_written)
        self.state = replace(
            self.state,
            waiting_bytes=waiting_bytes,
            free_bytes=self._disk.free_bytes,
            hours_left=self._disk.hours_left,
        )

    def close(self, final: Mapping[str, Any]) -> None:
        """Write the final state and close the session."""
        if self._writer is None:
            return
        self.settle()
        try:
            if self._behind:
                self._write_owed(self._writer)
            self._writer.close(final)
            if self._writer.path.exists():
                write_certificate(self._writer.path)
            self.path = str(self._writer.path) if self._writer.path.exists() else ""
        except (SessionError, OSError) as error:
            self.state = replace(self.state, problem=str(error))

    def _ready(self) -> SessionWriter:
        if self._writer is None:
            self._writer = self._open_writer()
            self.path = str(self._writer.path)
            for view, facts in self._cameras.items():
                self._writer.camera(view, facts)
        return self._writer

    def _write_owed(self, writer: SessionWriter, newest: Recordable | None = None) -> None:
        """Append the newest thing said of a drop.

        All that is owed, where a segment was given up since.
        """
        new = [newest] if isinstance(newest, DropRecord | DropAnnouncement) else []
        for one in list(self._owed) if self._behind else new:
            try:
                if isinstance(one, DropAnnouncement):
                    writer.announcement(one)
                else:
                    writer.record(one)
            except TooLongError as error:
                log.error("drop %d is not recorded: %s", one.drop_id, error)
        self._behind = False

    def _failed(self, item: Recordable, reason: str) -> None:
        """Give up the segment.

        What was appended to it and not yet on the disk counts as not stored, too.
        """
        if isinstance(item, CameraNews):
            self._cameras[item.view] = item.facts
        if isinstance(item, Frame):
            self._appended.append(item)
        self._give_up(reason)

    def _give_up(self, reason: str) -> None:
        frames = self._appended
        self._appended = []
        self._committed = True
        self._behind = True
        self.state = replace(
            self.state, not_stored=self.state.not_stored + len(frames), problem=reason
        )
        for frame in frames:
            self._not_stored(frame, reason)
        if self._writer is not None:
            self._writer.abandon()
