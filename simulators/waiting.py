"""Says what the first drop waits for: a station that does nothing must not do so in silence."""

from __future__ import annotations

from collections.abc import Callable

GRACE_S = 3.0
"""Both sides may be started in either order: so long nothing is said of who is not there yet."""
AGAIN_S = 60.0


class Waiting:
    """Says each cause once it has lasted, and again each minute. Times: monotonic clock."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._words = ""
        self._due_s = 0.0

    def look(self, now_s: float, words: str) -> None:
        """Take in what is waited for; empty for nothing."""
        if words != self._words:
            self._words = words
            self._due_s = now_s + GRACE_S
        elif words and now_s >= self._due_s:
            self._due_s = now_s + AGAIN_S
            self._say(words)
