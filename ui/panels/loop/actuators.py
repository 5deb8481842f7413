"""Setpoints against read-backs and limits, moved by hand while the loop is open."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from magis_calib.domain.devices import ActuatorState
from magis_calib.domain.limits import broken_limit
from magis_calib.domain.quantities import Quantity
from magis_calib.state.commands import Command, SetActuator
from magis_calib.state.snapshot import Snapshot
from ui.models.live import goes_on
from ui.models.series import by_hand_last, steered
from ui.panels.loop.actuator_row import ActuatorRow
from ui.style.colours import DIM, INFO
from ui.style.format import age, minus, why_no_drops
from ui.widgets.boxes import in_column
from ui.widgets.confirm import ConfirmBar
from ui.widgets.label import ElidedLabel

LINES = 3
"""Of the grid for each actuator: setpoint, read-back, and the question when there is one."""


HOW = "type a setpoint and press Return"


class ActuatorsPanel(QWidget):
    """All actuators that the controllers describe; a typed setpoint is confirmed in place.

    Emits `question_shown` with the question, so that whoever scrolls can bring it into sight.
    """

    question_shown = Signal(QWidget)

    def __init__(self, submit: Callable[[Command], None]) -> None:
        """`submit` hands a command to the run."""
        super().__init__()
        self._submit = submit
        self._rows: dict[str, ActuatorRow] = {}
        self._pending: SetActuator | None = None
        self._title = ElidedLabel(grows=True)
        self._empty = QLabel()
        self._empty.setWordWrap(True)
        self._empty.setStyleSheet(f"color: {DIM};")
        self.question = ConfirmBar("Apply", "Cancel", upright=True)
        self.question.accepted.connect(self._apply)
        self.question.rejected.connect(self._give_up)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(4)
        self._grid.setVerticalSpacing(0)
        self._grid.setColumnStretch(0, 1)
        self._grid.addWidget(self._title, 0, 0, 1, 4)
        self._grid.addWidget(self.question, LINES, 0, 1, 4)
        in_column(self._grid, self._empty, on=self, margins_px=(0, 0, 0, 0), spacing_px=3)

    @property
    def rows(self) -> dict[str, ActuatorRow]:
        """The rows by actuator name."""
        return self._rows

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Show the newest states."""
        live = goes_on(snapshot)
        by_hand = bool(snapshot.actuators) and live and snapshot.loop == "open"
        self._say_title(snapshot, by_hand, now_s)
        self._say_empty(snapshot)
        loop = steered(snapshot.records)
        states = by_hand_last(snapshot.actuators, loop)
        for state in states:
            if state.name not in self._rows:
                self._add(state)
            self._rows[state.name].show_state(state, by_hand, state.name in loop)
        self._order([state.name for state in states])
        if self._pending is not None and not by_hand:
            self._give_up()

    def _say_title(self, snapshot: Snapshot, by_hand: bool, now_s: float) -> None:
        known = f" · {age(now_s - snapshot.time_s)} ago" if snapshot.actuators else ""
        if by_hand:
            self._title.say(f"✎ {HOW}{known}", INFO, HOW)
        else:
            hover = "open the loop to move one by hand"
            self._title.say(f"setpoints and read-backs{known}", DIM, hover)

    def _say_empty(self, snapshot: Snapshot) -> None:
        self._empty.setVisible(not snapshot.actuators)
        if not snapshot.actuators:
            nothing = "No controller has described its actuators yet"
            self._empty.setText("\n\n".join([nothing, *why_no_drops(snapshot)]))

    def _order(self, names: list[str]) -> None:
        """Keep those that the loop moves on top.

        The order changes once, when that is first known.
        """
        if names != list(self._rows) and set(names) == set(self._rows):
            self._rows = {name: self._rows[name] for name in names}
            for number, row in enumerate(self._rows.values()):
                row.place(self._grid, 1 + LINES * number)

    def _add(self, state: ActuatorState) -> None:
        row = self._rows[state.name] = ActuatorRow(
            self._grid, 1 + LINES * len(self._rows), state.name
        )
        row.edit.returnPressed.connect(lambda: self._ask_to_set(row))
        row.edit.textEdited.connect(lambda: self._forget())
        row.edit.given_up.connect(self._give_up)
        row.edit.left.connect(lambda: self._leave(row))

    def _ask_to_set(self, row: ActuatorRow) -> None:
        if row.edit.isReadOnly() or row.state is None:
            return
        for other in self._rows.values():
            if other is not row:
                other.put_back()
        value = row.typed()
        refusal = why_not_sent(value, row.state, row.quantity)
        self._pending = None if value is None or refusal else SetActuator(row.name, value)
        text = request(value, row.state, row.quantity, refusal)
        self._show_below(row, text, allowed=not refusal)

    def _show_below(self, row: ActuatorRow, text: str, *, allowed: bool) -> None:
        line = LINES * (list(self._rows).index(row.name) + 1)
        self._grid.addWidget(self.question, line, 0, 1, 4)
        self.question.show_question(text, allowed=allowed)
        self.question_shown.emit(self.question)

    def _apply(self) -> None:
        if self._pending is not None:
            self._submit(self._pending)
        self._give_up()

    def _leave(self, row: ActuatorRow) -> None:
        """Put back what was typed but never asked about: it would look like the setpoint."""
        if not self.question.isVisible():
            row.put_back()

    def _forget(self) -> None:
        """Drop the question: it was about another number than the one that stands there now."""
        self._pending = None
        self.question.hide()

    def _give_up(self) -> None:
        self._forget()
        for row in self._rows.values():
            row.put_back()


def why_not_sent(value: float | None, state: ActuatorState, quantity: Quantity) -> str:
    """Say why this setpoint (SI; None: no number) must not be sent; empty when it may."""
    if value is None:
        return "this is not a number"
    broken = broken_limit(state.name, value, {state.name: state}, state.setpoint)
    if broken is None:
        return ""
    unit = f" {quantity.shown_unit}".rstrip()
    if broken.code != "step":
        return f"outside {quantity.shown(state.minimum)} … {quantity.shown(state.maximum)}{unit}"
    return (
        f"a step of {quantity.shown(abs(value - state.setpoint))}{unit} is larger than the "
        f"{quantity.shown(state.step_limit)}{unit} that the controller takes in one write"
    )


def request(value: float | None, state: ActuatorState, quantity: Quantity, refusal: str) -> str:
    """Write what would be done with `value` (SI; None: no number), or why it is not."""
    unit = f" {quantity.shown_unit}".rstrip()
    wanted = "?" if value is None else quantity.shown(value)
    change = f"set {quantity.label} {quantity.shown(state.setpoint)} → {wanted}{unit}"
    if refusal:
        return minus(f"▲ cannot {change}: {refusal}")
    return minus(f"{change}, inside {_inside(state, quantity)}")


def _inside(state: ActuatorState, quantity: Quantity) -> str:
    """Write the range of an actuator."""
    most = quantity.shown(state.maximum)
    symmetric = math.isclose(state.minimum, -state.maximum)
    return f"±{most}" if symmetric else f"{quantity.shown(state.minimum)} … {most}"
