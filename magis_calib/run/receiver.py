"""The receiving thread: every frame to the recorder, every whole or given-up drop to the worker.

Next on the path of a pair: `magis_calib/link/pairing.py`.
"""

from __future__ import annotations

import logging
import math
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from magis_calib.domain.camera import DropAnnouncement, Frame, ImagePair, IncompleteDrop
from magis_calib.domain.devices import (
    BadMessage,
    CameraJoined,
    SourceEnded,
    SourceEvent,
)
from magis_calib.domain.errors import WireError
from magis_calib.link.bounded_queue import BoundedQueue
from magis_calib.link.pairing import Arrival, Pairing
from magis_calib.recording.continuation import Earlier
from magis_calib.recording.recorder import CameraNews, Recordable
from magis_calib.run.components import Components

log = logging.getLogger(__name__)

Work = ImagePair | IncompleteDrop

ANNOUNCED_WITHIN_S = 0.5
"""So long a whole drop waits for its announcement, where drops are announced."""
CONTRADICTING = frozenset({"conflict", "second_driver"})
"""Refusals after which somebody must act: two sources say different things of one picture."""


@dataclass(frozen=True, slots=True)
class ReceiverState:
    """What came in so far."""

    expected: int = 0
    received: int = 0
    duplicate: int = 0
    lost: int = 0
    late: int = 0
    """Frames that came after they had been given up for lost."""
    refused: int = 0
    """Frames that were answered with an error."""
    malformed: Mapping[str, int] = field(default_factory=dict)
    latest_error: str = ""
    contradiction: str = ""
    """The newest refusal of a frame or driver that says otherwise than another one."""
    contradiction_s: float = float("-inf")
    latest_error_s: float = float("-inf")
    latest_frame_s: Mapping[str, float] = field(default_factory=dict)
    doubts: Mapping[str, str] = field(default_factory=dict)
    """What speaks against the newest picture of each view, in words; empty for nothing."""
    numbers: str = ""
    """Why drop numbers say nothing any more; empty while they do."""
    ended: bool = False
    """The source has no more drops."""


class Receiver:
    """Used by the receiving thread only; `state` is read by all."""

    def __init__(
        self,
        components: Components,
        pairing: Pairing,
        work: BoundedQueue[Work],
        record: BoundedQueue[Recordable] | None,
    ) -> None:
        """Take in what the components bring. `record` None: nothing is recorded."""
        self._source = components.source
        self._drop_system = components.drop_system
        self._pairing = pairing
        self._work = work
        self._record = record
        self._limit = components.drops
        self._checks = components.checks
        self._errors: Counter[str] = Counter()
        self._whole: deque[tuple[float, Work]] = deque()
        self._earlier = components.earlier
        self.state = ReceiverState()

    def step(self, timeout_s: float) -> None:
        """Handle what was announced, one event of the source, and the drops whose wait is over."""
        if self._earlier is not None:
            earlier = self._earlier
            self._earlier = None
            self._go_on(earlier)
        event = self._source.receive(timeout_s)
        if event is not None and not isinstance(event, Frame):
            self._handle(event)  # a camera joins before a drop that waits for it is announced
        if self._drop_system is not None:
            for announcement in self._drop_system.announcements():
                self._announced(announcement)
        if isinstance(event, Frame):
            self._handle(event)  # a drop is announced before its frames
        self._pass_on(time.monotonic())
        self._give_up(self._pairing.expire(time.monotonic()))
        self._give_up(self._pairing.shed(self._work.limit_bytes))

    def _go_on(self, earlier: Earlier) -> None:
        """Know what is stored, and bring the drops that have no outcome to one."""
        self._pairing.recall(earlier.checksums, earlier.decided)
        now_s = time.monotonic()
        for drop in earlier.owed:
            self._pairing.owe(drop.drop_id, now_s)
        self.state = replace(self.state, expected=len(earlier.owed))
        for frame in earlier.frames:
            self._pair(replace(frame, received_s=now_s))

    def finish(self) -> None:
        """Give up what still waits: nothing more will be taken in.

        Its frames are not lost: the drivers keep them.

        A replay that is cut off says nothing of the drop that it was at.
        """
        live = self._record is not None
        self._pass_on(math.inf)
        for drop in self._pairing.flush() if live or self.state.ended else ():
            self._work.put(replace(drop, reason="the run ended before its frames had come"))
        self._work.close()

    def _handle(self, event: SourceEvent) -> None:
        match event:
            case Frame():
                self._frame(event)
            case CameraJoined():
                if self._record is not None:
                    self._record.put(CameraNews(event.view, event.facts))
            case BadMessage():
                self._malformed(event.error, event.of_frame)
            case DropAnnouncement():
                self._announced(event)
            case IncompleteDrop():
                self._pairing.forget(event.drop_id)
                self._give_up([event])
            case SourceEnded():
                self.state = replace(self.state, ended=True)

    def _announced(self, announcement: DropAnnouncement) -> None:
        self._checks.announced(announcement)
        self._told_of_numbers()
        if self._full(announcement.drop_id):
            return
        planned_in_s = (announcement.planned_time_ns - time.time_ns()) / 1e9
        if self._pairing.announce(announcement.drop_id, min(planned_in_s, 60.0), time.monotonic()):
            self.state = replace(self.state, expected=self.state.expected + 1)
            if self._record is not None:
                self._record.put(announcement)
        elif self._drop_system is not None and self._checks.again:
            self._drop_system.done(announcement.drop_id)  # it has its outcome: the first one

    def _frame(self, frame: Frame) -> None:
        drop_id = frame.header.drop_id
        if self._full(drop_id):
            return
        if not self._pairing.knows(drop_id):
            self.state = replace(self.state, expected=self.state.expected + 1)
        try:
            result = self._pair(frame)
        except WireError as error:
            self._malformed(error, True)
            self._source.refused(frame, error)
            return
        if result == "duplicate":
            self.state = replace(self.state, duplicate=self.state.duplicate + 1)
            self._source.stored(frame)
        else:
            self._count(frame, came_late=result == "late")
            if self._record is not None:
                self._record.put(frame, frame.counts.nbytes)

    def _told_of_numbers(self) -> None:
        """Say, once, that numbers come again."""
        if self._checks.again != self.state.numbers:
            log.warning("%s", self._checks.again)
            self.state = replace(self.state, numbers=self._checks.again)

    def _count(self, frame: Frame, came_late: bool) -> None:
        """Count a frame that came; one that was given up for lost is lost no longer."""
        state = self.state
        late = int(came_late and state.lost > 0)
        self.state = replace(
            state,
            received=state.received + 1,
            lost=state.lost - late,
            late=state.late + late,
            latest_frame_s={**state.latest_frame_s, frame.header.view: frame.received_s},
        )

    def _pair(self, frame: Frame) -> Arrival:
        """Give a frame to its drop, and the drop to the worker where it is whole.

        Raises `WireError` conflict.
        """
        result, whole = self._pairing.add(frame, time.monotonic())
        if result == "new":
            self._checks.take(frame, time.time_ns())
        if whole is not None:
            self._whole.append((time.monotonic() + ANNOUNCED_WITHIN_S, whole))
            self._pass_on(time.monotonic())
        return result

    def _pass_on(self, now_s: float) -> None:
        """Give whole drops to the worker, in order, once they were announced or should have been.

        Announcements come another way than frames: they may be a moment later.
        """
        while self._whole:
            until_s, drop = self._whole[0]
            if now_s < until_s and self._checks.awaits(drop.drop_id):
                return
            self._whole.popleft()
            if isinstance(drop, ImagePair):
                drop = replace(drop, doubts=self._checks.doubts(drop))
                doubts: dict[str, str] = {
                    view: drop.doubts.get(f"view {view}", "") for view in drop.frames
                }
                self.state = replace(self.state, doubts=doubts)
            self._work.put(drop, sum(one.counts.nbytes for one in drop.frames.values()))

    def _full(self, drop_id: int) -> bool:
        """Whether this drop comes after the last one that the run was asked for."""
        return (
            self._limit is not None
            and self.state.expected >= self._limit
            and not self._pairing.knows(drop_id)
        )

    def _give_up(self, drops: list[IncompleteDrop]) -> None:
        for drop in drops:
            log.warning("drop %d incomplete: %s", drop.drop_id, drop.reason)
            self.state = replace(self.state, lost=self.state.lost + 2 - len(drop.frames))
            self._work.put(drop)

    def _malformed(self, error: WireError, of_frame: bool) -> None:
        if error.code in CONTRADICTING:
            now_s = time.monotonic()
            self.state = replace(self.state, contradiction=str(error), contradiction_s=now_s)
        self._errors[error.code] += 1
        if self._errors[error.code] == 1:
            log.warning("refused a message (%s): %s", error.code, error)
        self.state = replace(
            self.state,
            refused=self.state.refused + of_frame,
            malformed=dict(self._errors),
            latest_error=str(error),
            latest_error_s=time.monotonic(),
        )
