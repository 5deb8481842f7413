"""The table of docks: a panel is one module of `ui.panels` and one line here."""

from __future__ import annotations

from ui.panels.alarms.panel import AlarmsPanel
from ui.panels.fringe.panel import FringePanel
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
from ui.window.dock import Dock

DOCKS = (
    Dock("Loop", lambda given: LoopPanel(given.submit), "Ctrl+Alt+1", "side"),
    Dock(
        "Fringe",
        lambda given: FringePanel(given.drawing, given.image_history),
        "Ctrl+Alt+2",
        "left",
        costly=True,
    ),
    Dock("Trends", lambda given: TrendsPanel(given.settings), "Ctrl+Alt+3", "right", costly=True),
    Dock("Ledger", lambda given: LedgerPanel(given.submit), "Ctrl+Alt+4"),
    Dock(
        "Why",
        lambda given: WhyPanel(given.image_history, given.history.step, given.history.follow),
        "Ctrl+Alt+5",
    ),
    Dock("Alarms", lambda given: AlarmsPanel(given.submit), "Ctrl+Alt+6", absent=("replay",)),
    Dock(
        "Procedures",
        lambda given: ProceduresPanel(given.submit),
        "Ctrl+Alt+7",
        absent=("replay",),
        front=("commission",),
    ),
    Dock(
        "Statistics",
        lambda given: StatisticsPanel(given.drawing, given.of(TrendsPanel)),
        "Ctrl+Alt+8",
    ),
    Dock("Settings", lambda given: SettingsPanel(given.submit, given.drawing), "Ctrl+Alt+9"),
    Dock("Targets", lambda given: TargetsPanel(given.submit), "Ctrl+Alt+0"),
    Dock("Matrix", lambda given: MatrixPanel(given.submit), "Ctrl+Alt+-"),
    Dock(
        "What if",
        lambda given: WhatIfPanel(given.submit),
        "Ctrl+Alt+=",
        absent=("run", "commission"),
    ),
)
