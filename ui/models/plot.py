"""A plot of the window as whoever exports it sees it: its name, where it is drawn, and its numbers.

No Qt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy.typing as npt

from magis_calib.state.snapshot import Snapshot

Drops = tuple[int, int]
"""First and last."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The numbers behind a plot: columns of equal length, SI, by name.

    A standard error is named `…_stderr`.
    """

    columns: Mapping[str, npt.NDArray[Any]]
    units: Mapping[str, str]
    """Of the columns that have one."""
    notes: tuple[str, ...] = ()
    """What a reader must know of them, a line each."""


@dataclass(frozen=True, slots=True, eq=False)
class Plot:
    """One plot that is drawn now. `view` is the pyqtgraph view that shows it alone."""

    name: str
    """For people, in menus and over the picture."""
    key: str
    """For the name of a file."""
    view: Any
    drops: Drops
    table: Callable[[], Table]
    notes: tuple[str, ...] = field(default=())
    """Words over an exported picture that the window writes beside the plot."""

    @property
    def in_sight(self) -> bool:
        """Whether some of it can be seen: a dock behind others counts as visible for Qt."""
        return not self.view.viewport().visibleRegion().isEmpty()


@dataclass(frozen=True, slots=True)
class Origin:
    """The run that a plot comes from."""

    station: str
    session: str
    """Its name; empty where nothing is recorded."""
    folder: Path
    """Where an exported plot goes unless the operator says otherwise."""
    replay: bool = False

    @classmethod
    def of(cls, snapshot: Snapshot) -> Origin:
        """Return the origin of what a snapshot shows."""
        path = Path(snapshot.session)
        folder = path if snapshot.session and path.is_dir() else Path.home()
        return cls(snapshot.title or snapshot.station, path.name, folder, snapshot.mode == "replay")

    def identity(self, drops: Drops) -> str:
        """Name the session and the drops: what stands on every plot."""
        session = self.session or "not recorded"
        return f"{'replay of ' if self.replay else ''}{session} · {drops_in_words(drops)}"

    def file_name(self, plot: Plot) -> str:
        """Propose a name without suffix: session, drop, quantity."""
        first, last = plot.drops
        drop = f"drop{last}" if first == last else f"drop{first}-{last}"
        return "-".join(part for part in (self.session, drop, plot.key) if part)


def drops_in_words(drops: Drops) -> str:
    """Name one drop, or the first and the last of many."""
    first, last = drops
    return f"drop {last}" if first == last else f"drops {first} – {last}"
