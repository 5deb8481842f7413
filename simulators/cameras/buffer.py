"""Frames that the application has not stored yet, bounded in bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class SpooledFrame:
    """One frame as it is sent."""

    drop_id: int
    sequence: int
    header: bytes
    payload: memoryview

    @property
    def size(self) -> int:
        """Bytes held in memory."""
        return len(self.header) + self.payload.nbytes


class FrameBuffer:
    """Keeps frames in the order of their drops; the oldest leave when the bytes run out."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._frames: dict[int, SpooledFrame] = {}
        self._waiting: dict[int, None] = {}
        self._tries: dict[int, int] = {}
        self._received: set[int] = set()
        self.bytes_held = 0
        self.lost = 0
        """Frames dropped because the buffer was full."""

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, frame: SpooledFrame) -> list[SpooledFrame]:
        """Keep a frame; return those that had to leave for it."""
        self._frames[frame.drop_id] = frame
        self._waiting[frame.drop_id] = None
        self.bytes_held += frame.size
        lost = []
        while self.bytes_held > self._limit_bytes and len(self._frames) > 1:
            oldest = next(iter(self._frames.values()))
            self.forget(oldest.drop_id)
            lost.append(oldest)
        self.lost += len(lost)
        return lost

    def next_to_send(self) -> SpooledFrame | None:
        """Return the oldest frame that waits for being sent."""
        drop_id = next(iter(self._waiting), None)
        return None if drop_id is None else self._frames[drop_id]

    def sent(self, frame: SpooledFrame) -> None:
        """Take note that this frame is on its way."""
        self._waiting.pop(frame.drop_id, None)
        self._tries[frame.drop_id] = self._tries.get(frame.drop_id, 0) + 1

    def send_again(self, drop_id: int, tries: int) -> bool:
        """Let this frame wait for being sent again.

        False when it is unknown or was tried often enough.
        """
        if drop_id not in self._frames or self._tries.get(drop_id, 0) >= tries:
            return False
        self._waiting[drop_id] = None
        return True

    def received(self, drop_id: int) -> None:
        """Take note that the application has this frame in its memory."""
        if drop_id in self._frames:
            self._received.add(drop_id)

    def send_all_again(self, *, same_application: bool) -> int:
        """Let all frames wait for being sent that this application does not have.

        Return how many.
        """
        if not same_application:
            self._received.clear()
        self._waiting = {drop_id: None for drop_id in self._frames if drop_id not in self._received}
        self._tries.clear()
        return len(self._waiting)

    def clear(self) -> list[int]:
        """Let go of everything; return which drops' frames these were."""
        return [drop_id for drop_id in list(self._frames) if self.forget(drop_id)]

    def forget(self, drop_id: int) -> bool:
        """Let go of this frame; False when it is not held."""
        frame = self._frames.pop(drop_id, None)
        if frame is None:
            return False
        self._waiting.pop(drop_id, None)
        self._tries.pop(drop_id, None)
        self._received.discard(drop_id)
        self.bytes_held -= frame.size
        return True
