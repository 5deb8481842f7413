"""All panels of a window over one run, made once and wired to each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar, runtime_checkable

from PySide6.QtCore import QSettings

from magis_calib.domain.camera import VIEWS, View
from magis_calib.state.snapshot import Snapshot
from ui.models.image_history import ImageHistory
from ui.models.levels import CommonLevels
from ui.models.plot import Plot
from ui.panels.image.history_bar import HistoryBar
from ui.panels.image.level_strip import LevelStrip
from ui.panels.image.panel import ImagePanel
from ui.run import Run
from ui.window.panel_guard import Panel, PanelGuard
from ui.window.state_line import StateLine

PanelType = TypeVar("PanelType")


@runtime_checkable
class Prepared(Protocol):
    """A panel of which something is made ready aside."""

    def prepare(self, snapshot: Snapshot) -> None:
        """Begin to make it ready; cheap."""


@runtime_checkable
class Settled(Protocol):
    """A panel that can wait for what is made ready aside."""

    def settle(self) -> None:
        """Wait for it."""


@runtime_checkable
class Plotted(Protocol):
    """A panel with plots that can be exported."""

    def plots(self) -> list[Plot]:
        """Return those that are drawn."""


class MadePanel(Protocol):
    """How one panel is made: a line of the table of docks."""

    @property
    def name(self) -> str:
        """Of its dock."""

    @property
    def make(self) -> Callable[[Panels], Panel]:
        """Makes it from what all panels share, and the panels of earlier lines."""

    @property
    def costly(self) -> bool:
        """Whether it takes ten milliseconds or more for a new drop."""


class Panels:
    """Every panel, each in a guard that shows its failure. The GUI thread uses it."""

    def __init__(self, run: Run, settings: QSettings, docks: Sequence[MadePanel]) -> None:
        """Show `run` in one panel for each of `docks`; `settings` keep what panels remember."""
        self.submit = run.submit
        self.settings = settings
        self.drawing = ThreadPoolExecutor(1, "draw")
        self.recalls = ThreadPoolExecutor(1, "recall")
        self.image_history = ImageHistory(self.recalls)
        self.levels = CommonLevels()
        self.level_strip = LevelStrip(self.levels)
        self.history = HistoryBar(self.image_history)
        self.state_line = StateLine()
        self.guards: dict[str, PanelGuard] = {}
        self.docked: dict[str, PanelGuard] = {}
        for dock in docks:
            made = self._guarded(dock.name.lower(), dock.make(self), dock.costly)
            self.docked[dock.name] = made
        self.images = {view: self._image(view) for view in VIEWS}
        self._guarded("history", self.history)
        self._guarded("state line", self.state_line)
        self._all = [guard.panel for guard in self.guards.values()]
        self._prepared = [one for one in self._all if isinstance(one, Prepared)]

    def of(self, kind: type[PanelType]) -> PanelType:
        """Return the panel of this class."""
        guards = self.guards.values()
        return next(one.panel for one in guards if isinstance(one.panel, kind))

    def prepare(self, snapshot: Snapshot) -> None:
        """Begin what is made ready aside; cheap."""
        self.image_history.see(snapshot)
        for panel in self._prepared:
            panel.prepare(snapshot)

    def settle(self) -> None:
        """Wait for what is being made ready aside."""
        for panel in self._all:
            if isinstance(panel, Settled):
                panel.settle()

    def plots(self) -> list[Plot]:
        """Return every plot that can be seen now."""
        plotted = [one for one in self._all if isinstance(one, Plotted)]
        return [plot for panel in plotted for plot in panel.plots() if plot.in_sight]

    def shut_down(self) -> None:
        """End the threads."""
        self.drawing.shutdown()
        self.recalls.shutdown(cancel_futures=True)

    def _guarded(self, name: str, panel: Panel, costly: bool = False) -> PanelGuard:
        """Put a panel into a guard and have it refreshed from now on."""
        self.guards[name] = PanelGuard(name, panel, costly)
        return self.guards[name]

    def _image(self, view: View) -> ImagePanel:
        panel = ImagePanel(view, self.drawing, self.image_history, self.levels)
        panel.fixed_levels_wanted.connect(self.level_strip.ask_levels)
        self._guarded(f"view {view}", panel, True)
        return panel
