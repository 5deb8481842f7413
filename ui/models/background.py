"""Work beside the GUI thread: pictures and profiles are made ready there."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Generic, TypeVar

Wanted = TypeVar("Wanted")
Made = TypeVar("Made")


class BackgroundTask(Generic[Wanted, Made]):
    """Makes one thing ready again and again. The GUI thread asks and never waits.

    What failed is raised there, once.
    """

    def __init__(self, executor: Executor, make: Callable[[Wanted], Made]) -> None:
        """`make` makes what is wanted in a thread of `executor`; nothing is ready at first."""
        self._executor = executor
        self._make = make
        self._begun: tuple[Wanted, Future[Made]] | None = None
        self._ready: tuple[Wanted, Made] | None = None

    def newest(self, wanted: Wanted) -> tuple[Wanted, Made] | None:
        """Return what was made last, and of what.

        Begin to make what is wanted where that is something else.
        """
        if self._begun is not None and self._begun[1].done():
            of, future = self._begun
            self._begun = None
            self._ready = of, future.result()
        self.begin(wanted)
        return self._ready

    def begin(self, wanted: Wanted) -> None:
        """Begin to make this, unless it is ready or something is on its way."""
        if self._begun is None and (self._ready is None or self._ready[0] != wanted):
            self._begun = wanted, self._executor.submit(self._make, wanted)

    def settle(self) -> None:
        """Wait for what is on its way: for whoever draws once and for all."""
        if self._begun is not None:
            self._begun[1].exception()
