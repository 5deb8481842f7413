"""What menus, panels and keys ask of the window: bring a panel up, and ask there."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from ui.window.docks import Panels


class Actions:
    """What menus, panels and keys ask of the window: bring a panel up, and ask there."""

    def __init__(self, panels: Panels, bring_up: Callable[[str], QWidget]) -> None:
        """`bring_up` shows the dock of this name before all others."""
        self._panels = panels
        self._bring_up = bring_up
        panels.ledger.chosen.connect(self.explain)
        panels.trends.chosen.connect(self.explain)
        panels.trends.statistics_wanted.connect(self.show_statistics)
        panels.state_line.alarms_wanted.connect(lambda: bring_up("Alarms"))

    def explain(self, drop_id: int) -> None:
        """Show the images of this drop, and tell why that was decided which was."""
        self._panels.image_history.choose(drop_id)
        self._bring_up("Why")

    def show_statistics(self, name: str = "") -> None:
        """Bring up the statistics, of this quantity where one is named."""
        if name:
            self._panels.statistics.choose(name)
        self._bring_up("Statistics")

    def show_settings(self) -> None:
        """Bring up the settings of the run and give them the keyboard."""
        self._bring_up("Settings")
        self._panels.settings.take_focus()

    def ask_return(self) -> None:
        """Ask in the ledger whether to go back to the setpoints of its selected drop."""
        self._bring_up("Ledger")
        self._panels.ledger.ask_return()

    def show_procedures(self) -> None:
        """Bring up the procedures and give them the keyboard."""
        self._bring_up("Procedures")
        self._panels.procedures.take_focus()

    def ask_procedure(self, name: str) -> None:
        """Ask among the procedures whether this one shall begin."""
        self._bring_up("Procedures")
        self._panels.procedures.ask(name)

    def ask_cancel(self) -> None:
        """Ask among the procedures whether the one that runs shall end."""
        self._bring_up("Procedures")
        self._panels.procedures.ask_cancel()

    def ask_promotion(self) -> None:
        """Ask beside the matrices whether the measured one shall be in force."""
        self._bring_up("Matrix")
        self._panels.matrix.ask_promotion()

    def edit_targets(self) -> None:
        """Bring up targets, gains and limits and give the keyboard to the first field."""
        self._bring_up("Targets")
        self._panels.targets.take_focus()

    def suppose(self) -> None:
        """Bring up the what-if and give the keyboard to its first field."""
        self._bring_up("What if")
        self._panels.what_if.take_focus()
