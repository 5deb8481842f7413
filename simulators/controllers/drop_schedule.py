"""When the next drop starts, by the clock or by the last outcome, and what it is for."""

from __future__ import annotations

import math

from magis_calib.domain.camera import SequenceType


class DropSchedule:
    """Counts the drops. Times are of the monotonic clock."""

    def __init__(self, interval_s: float, drops: int | None, first_drop: int = 1) -> None:
        self._interval_s = interval_s
        self._first_drop = first_drop
        self._last_drop = None if drops is None else first_drop + drops - 1
        self._due_s: float | None = None
        self._finished = True
        self._told: bytes | None = None
        self._counted_again = False
        self.next_drop = first_drop
        self.sequence_type: SequenceType = "interferometer"
        """What all drops are for that have not started."""

    @property
    def over(self) -> bool:
        """All drops that were asked for have been started."""
        return self._last_drop is not None and self.next_drop > self._last_drop

    @property
    def begun(self) -> bool:
        """At least one drop was started."""
        return self.next_drop > self._first_drop

    def due(self, now_s: float, ready: bool) -> bool:
        """Say whether the next drop starts now; `ready`: all have joined, for the first one."""
        if self.over:
            return False
        if self._interval_s <= 0:
            return self._finished and ready
        return ready if self._due_s is None else now_s >= self._due_s

    def start(self, now_s: float, told: bytes | None) -> int:
        """Start the next drop and return its id; `told` is who may say when it is done."""
        drop_id = self.next_drop
        self.next_drop += 1
        self._finished = False
        self._told = told
        if self._interval_s > 0:
            self._due_s = self._after(now_s if self._due_s is None else self._due_s, now_s)
        return drop_id

    def count_again(self) -> None:
        """Go on with the number of the first drop, as after a restart without a memory; once."""
        if not self._counted_again:
            self._counted_again = True
            self.next_drop = self._first_drop

    def done(self, drop_id: int) -> None:
        """Take note that the outcome of a drop is known."""
        if drop_id >= self.next_drop - 1:
            self._finished = True

    def make(self, sequence_type: SequenceType) -> int:
        """Make all drops that have not started for this; return the first of them."""
        self.sequence_type = sequence_type
        return self.next_drop

    def restarted(self) -> None:
        """Begin a new schedule after a power cycle: the next drop waits for an application."""
        self._due_s = None

    def left(self, identity: bytes) -> None:
        """Take note that an application is gone: if it was told of the drop, that is over."""
        if self._told in (None, identity):
            self._finished = True

    def _after(self, due_s: float, now_s: float) -> float:
        """Return the next time of the schedule that is not past; missed ones are skipped."""
        missed = math.floor((now_s - due_s) / self._interval_s)
        return due_s + (missed + 1) * self._interval_s

    def waiting_s(self, now_s: float) -> float:
        """Return how long nothing is due, at most a second."""
        if self._due_s is None or self.over:
            return 1.0
        return min(1.0, max(0.0, self._due_s - now_s))
