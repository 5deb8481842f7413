"""What menus, panels and keys ask of the window: bring a panel up, and ask there."""

from __future__ import annotations

from typing import Protocol

from ui.panels.alarms.panel import AlarmsPanel
from ui.panels.ledger.panel import LedgerPanel
from ui.panels.ledger.why import WhyPanel
from ui.panels.matrix.panel import MatrixPanel
from ui.panels.procedures.panel import ProceduresPanel
from ui.panels.settings.panel import SettingsPanel
from ui.panels.statistics.panel import StatisticsPanel
from ui.panels.targets.panel import TargetsPanel
from ui.panels.trends.panel import TrendsPanel
from ui.panels.what_if.panel import WhatIfPanel
from ui.window.panels import Panels, PanelType


class BringUp(Protocol):
    """Show the dock of this kind of panel before all others."""

    def __call__(self, kind: type[PanelType]) -> PanelType:
        """Return the panel."""


class Actions:
    """What menus, panels and keys ask of the window: bring a panel up, and ask there."""

    def __init__(self, panels: Panels, bring_up: BringUp) -> None:
        """`bring_up` shows the dock of one kind of `panels` before all others, and returns it."""
        self._panels = panels
        self._bring_up = bring_up
        trends = panels.of(TrendsPanel)
        panels.of(LedgerPanel).chosen.connect(self.explain)
        trends.chosen.connect(self.explain)
        trends.statistics_wanted.connect(self.show_statistics)
        panels.state_line.alarms_wanted.connect(lambda: bring_up(AlarmsPanel))

    def explain(self, drop_id: int) -> None:
        """Show the images of this drop, and tell why that was decided which was."""
        self._panels.image_history.choose(drop_id)
        self._bring_up(WhyPanel)

    def show_statistics(self, name: str = "") -> None:
        """Bring up the statistics, of this quantity where one is named."""
        if name:
            self._panels.of(StatisticsPanel).choose(name)
        self._bring_up(StatisticsPanel)

    def show_settings(self) -> None:
        """Bring up the settings of the run and give them the keyboard."""
        self._bring_up(SettingsPanel).take_focus()

    def ask_return(self) -> None:
        """Ask in the ledger whether to go back to the setpoints of its selected drop."""
        self._bring_up(LedgerPanel).ask_return()

    def show_procedures(self) -> None:
        """Bring up the procedures and give them the keyboard."""
        self._bring_up(ProceduresPanel).take_focus()

    def ask_procedure(self, name: str) -> None:
        """Ask among the procedures whether this one shall begin."""
        self._bring_up(ProceduresPanel).ask_begin(name)

    def ask_cancel(self) -> None:
        """Ask among the procedures whether the one that runs shall end."""
        self._bring_up(ProceduresPanel).ask_cancel()

    def ask_promotion(self) -> None:
        """Ask beside the matrices whether the measured one shall be in force."""
        self._bring_up(MatrixPanel).ask_promotion()

    def edit_targets(self) -> None:
        """Bring up targets, gains and limits and give the keyboard to the first field."""
        self._bring_up(TargetsPanel).take_focus()

    def suppose(self) -> None:
        """Bring up the what-if and give the keyboard to its first field."""
        self._bring_up(WhatIfPanel).take_focus()
