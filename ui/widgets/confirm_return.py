"""Going back to the setpoints that an earlier drop saw: asked in place before anything moves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from magis_calib.actuators.moves import moves_in_words
from magis_calib.domain.control import Setpoints
from magis_calib.domain.drop_record import DropRecord
from magis_calib.state.commands import Command, ReturnTo
from magis_calib.state.snapshot import Snapshot
from ui.models.live import why_over
from ui.widgets.confirm import ConfirmBar

ALLOWED = ("open", "held", "shadow")


class ReturnQuestion(ConfirmBar):
    """Says what would move, or why nothing may; a yes sends the command."""

    def __init__(self, submit: Callable[[Command], None]) -> None:
        """`submit` hands a command to the run."""
        super().__init__("Return", "Cancel")
        self._submit = submit
        self._pending: ReturnTo | None = None
        self.accepted.connect(self._go)
        self.rejected.connect(self._forget)

    def refresh(self, snapshot: Snapshot) -> None:
        """Give up where the answer could no longer be obeyed."""
        if self._pending is not None and why_no_return(snapshot):
            self._forget()
            self.hide()

    def ask_about(self, record: DropRecord, snapshot: Snapshot) -> None:
        """Ask whether to go back to what the atoms of this drop saw."""
        self.ask_to(record.in_force, f"the setpoints of drop {record.drop_id}", snapshot)

    def ask_to(self, goal: Setpoints, label: str, snapshot: Snapshot) -> None:
        """Ask whether to go to these setpoints; `label` names them."""
        moves = moves_in_words(goal, snapshot.actuators)
        if refusal := why_no_return(snapshot) or _why_not_there(goal, moves):
            self._forget()
            self.show_question(f"▲ cannot return to {label}: {refusal}", allowed=False)
            return
        self._pending = ReturnTo(goal, label)
        self.show_question(
            f"return to {label}, in steps that the controllers allow? {', '.join(moves)}"
        )

    def _go(self) -> None:
        if self._pending is not None:
            self._submit(self._pending)
        self._forget()

    def _forget(self) -> None:
        self._pending = None


def _why_not_there(goal: Setpoints, moves: Sequence[str]) -> str:
    """Say why there is no way to these setpoints; empty where there is one."""
    if not goal:
        return "they are not known"
    return "" if moves else "every actuator stands there already"


def why_no_return(snapshot: Snapshot) -> str:
    """Say why the operator may not move setpoints now; empty where he may."""
    if over := why_over(snapshot):
        return over
    if snapshot.procedure is not None and snapshot.procedure.running:
        return f"{snapshot.procedure.name} is running, cancel it first"
    return "" if snapshot.loop in ALLOWED else "open, hold or shadow the loop first"
