"""A recording as a frame source: plays its drops at any speed, step by step, from any drop on."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

from magis_calib.domain.camera import (
    VIEWS,
    CameraFacts,
    DropAnnouncement,
    Frame,
    IncompleteDrop,
    View,
)
from magis_calib.domain.devices import CameraJoined, LinkState, SourceEnded, SourceEvent
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import SessionError, WireError
from magis_calib.recording.reader import Session
from magis_calib.replay.recorded_decisions import waited_s

log = logging.getLogger(__name__)
LONGEST_PAUSE_S = 60.0
"""A gap between two recorded drops is waited for at most this long at real time."""
NO_GAP_S = 86_400.0
"""Times further apart are of clocks that were wrong: nobody waits for that."""
AHEAD = 1
"""Drops that are read while the one before is in work: a pause shall not have to wait for more."""


class ReplaySource:
    """Plays a session in the order in which it was recorded.

    One thread receives, any other may turn the speed.
    """

    def __init__(self, session: Session, speed: float, first: int = 0, stays: bool = False) -> None:
        """Begin with the record at place `first`, which waits for nothing.

        `speed`: times real time, infinity for as fast as possible, 0 for pause. `stays`: say
        nothing at the end of the recording, where else the source ends.
        """
        self._session = session
        self._records = session.records
        self._at = first
        self._first = first
        self._stays = stays
        self._speed = speed
        self._steps = 0
        self._wait_s = 0.0
        self._in_work = 0
        self._changed = threading.Condition()
        self._facts: dict[View, CameraFacts] = {}
        self._events: deque[SourceEvent] = deque()

    @property
    def speed(self) -> float:
        """Times real time."""
        return self._speed

    def set_speed(self, factor: float) -> None:
        """Play this many times real time from now on; steps that were asked for are forgotten."""
        with self._changed:
            self._speed = factor
            self._steps = 0
            self._changed.notify_all()

    def step(self) -> None:
        """Pause, but let one more drop come."""
        with self._changed:
            self._speed = 0.0
            self._steps = self._steps + 1
            self._changed.notify_all()

    def drop_done(self) -> None:
        """Take note that a drop has its outcome."""
        with self._changed:
            self._in_work -= 1
            self._changed.notify_all()

    def receive(self, timeout_s: float) -> SourceEvent | None:
        """Return the next event when its time has come."""
        if not self._events:
            if not self._time_has_come(timeout_s):
                return None
            self._events.extend(self._next_drop())
        return self._events.popleft()

    def stored(self, frame: Frame) -> None:
        """Nobody waits for this."""

    def not_stored(self, frame: Frame, reason: str) -> None:
        """Nobody waits for this."""

    def refused(self, frame: Frame, error: WireError) -> None:
        """Nobody waits for this."""

    def links(self) -> Sequence[LinkState]:
        """Say that the recording is there."""
        return [LinkState("recording", True, 0.0, str(self._session.path))]

    def close(self) -> None:
        """Keep the recording open: whoever opened it closes it."""

    def _time_has_come(self, timeout_s: float) -> bool:
        """Wait at most this long for the next drop's time; return whether it has come."""
        with self._changed:
            if self._in_work > AHEAD or (self._stays and self._at >= len(self._records)):
                self._changed.wait(timeout_s)
                return False
            if not self._due():
                speed = self._speed
                since_s = time.monotonic()
                self._changed.wait(
                    timeout_s if speed <= 0 else min(timeout_s, self._wait_s / speed)
                )
                self._wait_s -= (time.monotonic() - since_s) * speed
                if not self._due():
                    return False
            self._steps = max(0, self._steps - 1)
            self._in_work += 1
            return True

    def _due(self) -> bool:
        if self._at in (self._first, len(self._records)) or self._steps or self._speed == math.inf:
            return True
        return self._speed > 0 and self._wait_s <= 0

    def _next_drop(self) -> Iterator[SourceEvent]:
        """Yield the events of the next drop, and work out how long the one after it has to wait."""
        if self._at >= len(self._records):
            yield SourceEnded()
            return
        record = self._records[self._at]
        self._at += 1
        if self._at < len(self._records):
            gap_s = (self._records[self._at].time_ns - record.time_ns) / 1e9
            self._wait_s = min(LONGEST_PAUSE_S, gap_s) if 0.0 < gap_s < NO_GAP_S else 0.0
        found = {view: self._frame(record.drop_id, view) for view in VIEWS}
        yield from self._told(
            record, {view: frame for view, frame in found.items() if frame is not None}
        )

    def _frame(self, drop_id: int, view: View) -> Frame | None:
        """Return one frame; None where there is none that can be read."""
        try:
            return self._session.frame(drop_id, view)
        except SessionError as error:
            log.error("drop %d, view %s: %s", drop_id, view, error)
            return None

    def _told(self, record: DropRecord, frames: dict[View, Frame]) -> Iterator[SourceEvent]:
        yield DropAnnouncement(record.drop_id, record.sequence_type, time.time_ns())
        for view, frame in frames.items():
            if self._facts.get(view) != frame.facts:
                self._facts[view] = frame.facts
                yield CameraJoined(view, frame.header.camera, frame.header.session, frame.facts)
        if record.complete and len(frames) == len(VIEWS):
            received_s = time.monotonic() - waited_s(record)
            yield from (replace(frame, received_s=received_s) for frame in frames.values())
        else:
            reason = "; ".join(record.estimate.reasons) or "the recording lacks a frame"
            yield IncompleteDrop(record.drop_id, reason, frames)
