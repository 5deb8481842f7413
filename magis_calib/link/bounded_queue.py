"""The bounded hand-over between threads: a queue that counts bytes and makes the giver wait."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class BoundedQueue(Generic[Item]):
    """First in, first out. `put` waits while the bytes inside would exceed the bound.

    One item always fits.
    """

    def __init__(self, limit_bytes: int) -> None:
        """Hold at most this many bytes."""
        self.limit_bytes = limit_bytes
        self._items: deque[tuple[Item, int]] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, item: Item, size_bytes: int = 0) -> bool:
        """Add an item, waiting for room; return False where the queue was closed instead."""
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._closed or not self._items or self._bytes + size_bytes <= self.limit_bytes
                )
            )
            if self._closed:
                return False
            self._items.append((item, size_bytes))
            self._bytes += size_bytes
            self._changed.notify_all()
            return True

    def get(self, timeout_s: float) -> Item | None:
        """Take the oldest item; None after the timeout, or at once when closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, timeout_s)
            if not self._items:
                return None
            item, size_bytes = self._items.popleft()
            self._bytes -= size_bytes
            self._changed.notify_all()
            return item

    def close(self) -> None:
        """Take nothing more; what is inside can still be taken out."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def bytes_held(self) -> int:
        """How many bytes wait inside."""
        return self._bytes

    @property
    def drained(self) -> bool:
        """Whether it is closed and empty."""
        with self._changed:
            return self._closed and not self._items
