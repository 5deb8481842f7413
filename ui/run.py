"""What the window asks of a run: a picture to look at and a slot for commands."""

from __future__ import annotations

from typing import Protocol

from magis_calib.state.commands import Command
from magis_calib.state.snapshot import Snapshot


class Run(Protocol):
    """The engine as the window sees it."""

    @property
    def snapshot(self) -> Snapshot:
        """The newest picture of the run; replaced by other threads, never changed."""

    def submit(self, command: Command) -> None:
        """Hand over an operator's command without waiting.

        The answer is seen in a later snapshot.
        """
