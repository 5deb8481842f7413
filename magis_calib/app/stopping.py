"""A run that was asked to stop: what it waits for is said, and a second signal leaves it behind."""

from __future__ import annotations

import os
import threading
from typing import Protocol

from magis_calib.host.terminal import remark
from magis_calib.state.commands import Command, StopRun
from magis_calib.state.snapshot import Snapshot

SAY_S = 2.0
LEFT_BEHIND = 1
"""Exit code of a run that was left before everything was stored."""


class Stoppable(Protocol):
    """A run as far as stopping goes."""

    @property
    def snapshot(self) -> Snapshot:
        """The newest picture of the run."""

    def submit(self, command: Command) -> None:
        """Hand over a command."""

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the run has ended; return whether it has."""


class Stopping:
    """Answers signals: the first stops the run, the second ends the program. For one thread."""

    def __init__(self, run: Stoppable) -> None:
        """Stop this run."""
        self._run = run
        self._saying: threading.Thread | None = None

    def heard(self) -> None:
        """Answer a signal."""
        if self._saying is not None:
            remark(f"left behind: {backlog(self._run.snapshot)}")
            os._exit(LEFT_BEHIND)
        self._run.submit(StopRun())
        self._saying = threading.Thread(target=self._say, name="stopping", daemon=True)
        self._saying.start()

    def ended(self) -> None:
        """Have nothing more said: the run has ended."""
        if self._saying is not None:
            self._saying.join()

    def _say(self) -> None:
        while not self._run.wait(SAY_S):
            remark(f"stopping: {backlog(self._run.snapshot)}; once more leaves them behind")


def backlog(snapshot: Snapshot) -> str:
    """Say what is not done yet."""
    counts = snapshot.counters
    told = counts.stored + counts.not_stored + counts.duplicate
    drops = counts.expected - counts.complete - counts.incomplete
    newest = f" after drop {snapshot.latest.drop_id}" if snapshot.latest is not None else ""
    frames = max(0, counts.received - told)
    return f"{frames} frames are not stored yet and {max(0, drops)} drops{newest} have no outcome"
