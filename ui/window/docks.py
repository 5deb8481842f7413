"""All panels of a window over one run, made once and wired to each other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QSettings

from magis_calib.domain.camera import VIEWS
from magis_calib.state.snapshot import Snapshot
from ui.models.background import BackgroundTask
from ui.models.image_history import ImageHistory
from ui.models.levels import CommonLevels
from ui.models.plot import Plot
from ui.panels.alarms.panel import AlarmsPanel
from ui.panels.fringe.panel import FringePanel
from ui.panels.image.history_bar import HistoryBar
from ui.panels.image.level_strip import LevelStrip
from ui.panels.image.panel import ImagePanel
from ui.panels.ledger.panel import LedgerPanel
from ui.panels.ledger.why import WhyPanel
from ui.panels.loop.panel import LoopPanel
from ui.panels.matrix.panel import MatrixPanel
from ui.panels.procedures.panel import ProceduresPanel
from ui.panels.settings.panel import SettingsPanel
from ui.panels.statistics.panel import StatisticsPanel
from ui.panels.targets.panel import TargetsPanel
from ui.panels.trends.panel import TrendsPanel
from ui.panels.what_if.panel import WhatIfPanel
from ui.run import Run
from ui.window.panel_guard import Panel, PanelGuard
from ui.window.state_line import StateLine

COSTLY = ("view x", "view y", "fringe", "trends")
"""Panels that take ten milliseconds or more for a new drop."""


class Panels:
    """Every panel by name, each in a guard that shows its failure. The GUI thread uses it."""

    def __init__(self, run: Run, settings: QSettings) -> None:
        """`settings` keep what a panel wants to remember."""
        self.drawing = ThreadPoolExecutor(1, "draw")
        self.recalls = ThreadPoolExecutor(1, "recall")
        self.image_history = ImageHistory(self.recalls)
        self.levels = CommonLevels()
        self.images = {
            view: ImagePanel(view, self.drawing, self.image_history, self.levels) for view in VIEWS
        }
        self.level_strip = LevelStrip(self.levels)
        self.history = HistoryBar(self.image_history)
        for panel in self.images.values():
            panel.fixed_levels_wanted.connect(self.level_strip.ask)
        self.state_line = StateLine()
        self.loop = LoopPanel(run.submit)
        self.ledger = LedgerPanel(run.submit)
        self.fringe = FringePanel(self.drawing, self.image_history)
        self.trends = TrendsPanel(settings)
        self.why = WhyPanel(self.image_history, self.history.step, self.history.follow)
        self.alarms = AlarmsPanel(run.submit)
        self.procedures = ProceduresPanel(run.submit)
        self.statistics = StatisticsPanel(self.drawing, self.trends)
        self.settings = SettingsPanel(run.submit, self.drawing)
        self.targets = TargetsPanel(run.submit)
        self.matrix = MatrixPanel(run.submit)
        self.what_if = WhatIfPanel(run.submit)
        self.guards: dict[str, PanelGuard] = {}
        docked: dict[str, Panel] = {
            "Loop": self.loop,
            "Fringe": self.fringe,
            "Trends": self.trends,
            "Ledger": self.ledger,
            "Why": self.why,
            "Alarms": self.alarms,
            "Procedures": self.procedures,
            "Statistics": self.statistics,
            "Settings": self.settings,
            "Targets": self.targets,
            "Matrix": self.matrix,
            "What if": self.what_if,
        }
        self.docked = {name: self.guarded(name.lower(), panel) for name, panel in docked.items()}

    def guarded(self, name: str, panel: Panel) -> PanelGuard:
        """Put a panel into a guard and have it refreshed from now on."""
        self.guards[name] = PanelGuard(name, panel)
        return self.guards[name]

    def prepare(self, snapshot: Snapshot) -> None:
        """Begin what is made ready aside; cheap."""
        self.image_history.see(snapshot)
        for panel in self.images.values():
            panel.prepare(snapshot)
        self.fringe.prepare(snapshot)

    def settle(self) -> None:
        """Wait for what is being made ready aside."""
        images = [
            background
            for panel in self.images.values()
            for background in (panel.background, panel.marks.background)
        ]
        backgrounds: list[BackgroundTask[Any, Any]] = [
            *images,
            self.fringe.background,
            self.statistics.background,
            self.settings.background,
        ]
        for background in backgrounds:
            background.settle()

    def plots(self) -> list[Plot]:
        """Return every plot that can be seen now."""
        images = [plot for panel in self.images.values() for plot in panel.plots()]
        docked = [
            plot
            for one in (self.fringe, self.trends, self.statistics, self.procedures)
            for plot in one.plots()
        ]
        return [plot for plot in (*images, *docked) if plot.in_sight]

    def shut_down(self) -> None:
        """End the threads."""
        self.drawing.shutdown()
        self.recalls.shutdown(cancel_futures=True)
