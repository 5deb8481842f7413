"""The recording thread's work: every frame and record to disk, then the sender is told.

Next on the path of a pair: `magis_calib/estimation/pair.py`.
"""

from __future__ import annotations

import logging
import time
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from magis_calib.domain.camera import CameraFacts, DropAnnouncement, Frame, View
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import SessionError, WireError
from magis_calib.host.disk import Disk
from magis_calib.recording.certificate import write_certificate
from magis_calib.recording.probe import ask_child
from magis_calib.recording.segments.rows import TooLongError
from magis_calib.recording.watched import FolderGoneError
from magis_calib.recording.writer import SessionWriter
from magis_calib.state.snapshot import RecordingState

log = logging.getLogger(__name__)

TOGETHER = 2
"""Frames, as many as a drop has, that are brought onto the disk together while more are waiting."""

OWED_MOST = 4000
"""Announcements and records that wait for a disk which cannot be written; some 20 kB each."""

FAILURE_SHOWN_S = 3.0
"""A failure stays to be seen for so long after recording goes on."""


@dataclass(frozen=True, slots=True)
class CameraNews:
    """A camera joined, or changed what it sends."""

    view: View
    facts: CameraFacts


Recordable = Frame | DropRecord | CameraNews | DropAnnouncement


class StoredFrames:
    """Which frames of a session are stored, with their checksums, in 12 bytes each."""

    def __init__(self, known: Mapping[tuple[int, View], str]) -> None:
        """Begin with those that an earlier run stored."""
        self._drops: dict[View, array[int]] = {}
        self._sums: dict[View, array[int]] = {}
        for (drop_id, view), checksum in sorted(known.items()):
            self._insert(view, drop_id, int(checksum, 16))

    def add(self, frame: Frame) -> None:
        """Know this one, too."""
        header = frame.header
        self._insert(header.view, header.drop_id, int(header.checksum, 16))

    def checksum(self, view: View, drop_id: int) -> str | None:
        """Return the checksum of the frame that is stored; None for none."""
        drops = self._drops.get(view, _NONE)
        at = bisect_left(drops, drop_id)
        there = at < len(drops) and drops[at] == drop_id
        return f"{self._sums[view][at]:08x}" if there else None

    def _insert(self, view: View, drop_id: int, checksum: int) -> None:
        drops = self._drops.setdefault(view, array("q"))
        at = bisect_left(drops, drop_id)
        drops.insert(at, drop_id)
        self._sums.setdefault(view, array("I")).insert(at, checksum)


def _certify(session: Path, *, touched: bool) -> None:
    """Write the certificate; from a child where a segment was touched, for that may hang.

    Raises `SessionError`, `OSError`.
    """
    if not touched:
        write_certificate(session)
        return
    answer = ask_child("magis_calib.recording.certificate", [str(session)], CERTIFIED_S)
    if isinstance(answer, str):
        log.warning("no certificate: %s", answer)


CERTIFIED_S = 10.0

_NONE: array[int] = array("q")


class Recorder:
    """Writes what it is given. Used by the recording thread only; `state` is read by all."""

    def __init__(
        self,
        open_writer: Callable[[], SessionWriter],
        stored: Callable[[Frame], None],
        not_stored: Callable[[Frame, str], None],
        refused: Callable[[Frame, WireError], None],
        known: Mapping[tuple[int, View], str] | None = None,
    ) -> None:
        """Open the session, or remember why it cannot be: the run goes on, and says so.

        `known`: checksums of the frames that the session holds from an earlier run.
        """
        self._open_writer = open_writer
        self._stored = stored
        self._not_stored = not_stored
        self._refused = refused
        self._on_disk = StoredFrames(known or {})
        self._failed_s = float("-inf")
        self._writer: SessionWriter | None = None
        self._cameras: dict[View, CameraFacts] = {}
        self._appended: list[Frame] = []
        self._committed = True
        self._owed: deque[DropRecord | DropAnnouncement] = deque(maxlen=OWED_MOST)
        self._behind = False
        self._gone: tuple[str, ...] = ()
        """Of sessions whose folder is gone."""
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
        if isinstance(item, Frame) and self._is_there(item):
            return
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
            self._failed(item, error)
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
            self._give_up(error)
            return
        frames = self._appended
        self._appended = []
        self._committed = True
        self._owed.clear()
        self.state = replace(
            self.state,
            stored=self.state.stored + len(frames),
            problem="",
            gone=self._gone + self._writer.gone,
        )
        for frame in frames:
            self._on_disk.add(frame)
            self._stored(frame)

    def measure(self, waiting_bytes: int) -> None:
        """Tell how much waits to be written, and how long the disk lasts."""
        if self._writer is not None:
            self._disk.measure(self._writer.path.parent, self._writer.bytes_written)
        over = not self.state.problem and time.monotonic() - self._failed_s > FAILURE_SHOWN_S
        self.state = replace(
            self.state,
            waiting_bytes=waiting_bytes,
            free_bytes=self._disk.free_bytes,
            hours_left=self._disk.hours_left,
            failure="" if over else self.state.failure,
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
            self.path = str(self._writer.path) if self._writer.segments else ""
            if self.path:
                _certify(Path(self.path), touched=bool(self._writer.gone))
        except (SessionError, OSError) as error:
            self.state = replace(self.state, problem=str(error))
        self.state = replace(self.state, gone=self._gone + self._writer.gone)

    def _is_there(self, frame: Frame) -> bool:
        """Whether a frame of this drop and view is stored already, and tell its sender."""
        header = frame.header
        known = self._on_disk.checksum(header.view, header.drop_id)
        if known is None:
            return False
        if known == header.checksum:
            self.state = replace(self.state, duplicate=self.state.duplicate + 1)
            self._stored(frame)
            return True
        self.state = replace(self.state, refused=self.state.refused + 1)
        words = f"drop {header.drop_id}, view {header.view}: other pixels are stored"
        error = WireError("conflict", words, wanted=known, got=header.checksum)
        log.error("%s; where numbers begin again, so must the session: --new-session", error)
        self._refused(frame, error)
        return True

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

    def _failed(self, item: Recordable, error: SessionError) -> None:
        """Give up the segment.

        What was appended to it and not yet on the disk counts as not stored, too.
        """
        if isinstance(item, CameraNews):
            self._cameras[item.view] = item.facts
        if isinstance(item, Frame):
            self._appended.append(item)
        self._give_up(error)

    def _give_up(self, error: SessionError) -> None:
        reason = str(error)
        frames = self._appended
        self._appended = []
        self._committed = True
        self._behind = True
        self._failed_s = time.monotonic()
        self.state = replace(
            self.state,
            not_stored=self.state.not_stored + len(frames),
            problem=reason,
            failure=reason,
        )
        for frame in frames:
            self._not_stored(frame, reason)
        if self._writer is not None:
            self._writer.abandon()
            self.state = replace(self.state, gone=self._gone + self._writer.gone)
        if isinstance(error, FolderGoneError):
            self._leave()

    def _leave(self) -> None:
        """Begin another session with what comes next: the folder of this one is gone."""
        self._gone = self.state.gone
        self._writer = None
