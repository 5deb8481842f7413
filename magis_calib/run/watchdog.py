"""Notices that the worker is silent: stuck in a fit, or gone."""

from __future__ import annotations

import threading
import time


class Watchdog:
    """The worker feeds it, another thread asks it."""

    def __init__(self, patience_s: float) -> None:
        """Be fed from now on."""
        self._patience_s = patience_s
        self._fed_s = time.monotonic()
        self._doing = ""
        self._off = threading.Event()

    def feed(self, doing: str = "") -> None:
        """Hear that the worker is alive, and what it is about to do."""
        self._fed_s = time.monotonic()
        self._doing = doing

    def dismiss(self) -> None:
        """Hear that the worker has ended as it should."""
        self._off.set()

    def silence(self) -> str:
        """Say since when the worker is silent; empty while it is not for too long."""
        silent_s = time.monotonic() - self._fed_s
        if self._off.is_set() or silent_s < self._patience_s:
            return ""
        return (
            f"the worker is silent{f', {self._doing}' if self._doing else ''}, for more than "
            f"{self._patience_s:g} s"
        )
