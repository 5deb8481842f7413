"""The recording thread's work: every frame and record to disk, then the sender is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from magis_calib.domain.camera import CameraFacts, Frame, View
from magis_calib.domain.errors import SessionError
from magis_calib.domain.snapshot import DropRecord
from magis_calib.recording.writer import SessionWriter


@dataclass(frozen=True, slots=True)
class CameraNews:
    """A camera joined, or changed what it sends."""

    view: View
    facts: CameraFacts


Recordable = Frame | DropRecord | CameraNews


@dataclass(frozen=True, slots=True)
class RecordingState:
    """What was recorded so far, and what is wrong with it now."""

    stored: int = 0
    not_stored: int = 0
    problem: str = ""


class Recorder:
    """Writes what it is given. Used by the recording thread only; `state` is read by all."""

    def __init__(
        self,
        open_writer: Callable[[], SessionWriter],
        stored: Callable[[Frame], None],
        not_stored: Callable[[Frame, str], None],
    ) -> None:
        """Open the session, or remember why it cannot be: the run goes on, and says so."""
        self._open_writer, self._stored, self._not_stored = open_writer, stored, not_stored
        self._writer: SessionWriter | None = None
        self._cameras: dict[View, CameraFacts] = {}
        self.state = RecordingState()
        self.path = ""
        try:
            self._ready()
        except SessionError as error:
            self.state = RecordingState(problem=str(error))

    def take(self, item: Recordable) -> None:
        """Record one thing. Never raises on a failing disk: the sender is told, and `state` says why."""
        try:
            writer = self._ready()
            if isinstance(item, CameraNews):
                self._cameras[item.view] = item.facts
                writer.camera(item.view, item.facts)
            elif isinstance(item, Frame):
                writer.frame(item)
                self.state = RecordingState(self.state.stored + 1, self.state.not_stored, "")
                self._stored(item)
            else:
                writer.record(item)
        except SessionError as error:
            self._failed(item, str(error))

    def close(self, final: Mapping[str, Any]) -> None:
        """Write the final state and close the session."""
        if self._writer is None:
            return
        try:
            self._writer.close(final)
            self.path = str(self._writer.path) if self._writer.path.exists() else ""
        except SessionError as error:
            self.state = RecordingState(self.state.stored, self.state.not_stored, str(error))

    def _ready(self) -> SessionWriter:
        if self._writer is None:
            self._writer = self._open_writer()
            self.path = str(self._writer.path)
            for view, facts in self._cameras.items():
                self._writer.camera(view, facts)
        return self._writer

    def _failed(self, item: Recordable, reason: str) -> None:
        missed = int(isinstance(item, Frame))
        self.state = RecordingState(self.state.stored, self.state.not_stored + missed, reason)
        if isinstance(item, CameraNews):
            self._cameras[item.view] = item.facts
        if isinstance(item, Frame):
            self._not_stored(item, reason)
        if self._writer is not None:
            self._writer.abandon()
