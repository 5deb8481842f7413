"""One actuator: setpoint, read-back, unit, verdict and its place in the range.

The setpoint can be typed by hand.
"""

from __future__ import annotations

import math

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout

from magis_calib.domain.devices import ActuatorState
from magis_calib.domain.quantities import ACTUATORS, Quantity
from ui.style.colours import DIM, LOOK, TEXT
from ui.style.format import minus, raw, typed_number
from ui.widgets.bars import LimitBar, is_near_limit
from ui.widgets.label import RIGHT, ElidedLabel
from ui.widgets.setpoint_edit import setpoint_edit

OPEN, CLOSED = "type a new one and press Return", "can be typed while the loop is open"


class ActuatorRow:
    """One actuator in two lines of a grid that others share: setpoint above read-back."""

    def __init__(self, grid: QGridLayout, line: int, name: str) -> None:
        """Lay the row into two lines of `grid` from `line` on; `name`: of the actuator."""
        self.name = name
        self.quantity = ACTUATORS.get(name, Quantity(name, name.replace("_", " "), "1", "", 1.0, 4))
        self.edit = setpoint_edit("−10000.000", f"setpoint of {self.quantity.label}")
        self._readback = ElidedLabel(align=RIGHT)
        self._verdict = ElidedLabel("▲ limit")
        self._label = ElidedLabel("timing asymmetry", grows=True)
        self._unit = ElidedLabel("µrad/s")
        self._bar = LimitBar()
        self._unit.say(self.quantity.shown_unit, DIM, f"SI unit {self.quantity.unit}")
        self._state: ActuatorState | None = None
        self._upper = (self._label, _tag("set", "setpoint"), self.edit, self._unit)
        self._lower = (
            self._bar,
            _tag("read", "what the controller reads back"),
            self._readback,
            self._verdict,
        )
        self._readback.setContentsMargins(0, 0, 5, 0)
        self.place(grid, line)

    @property
    def state(self) -> ActuatorState | None:
        """The actuator as it was last shown."""
        return self._state

    def place(self, grid: QGridLayout, line: int) -> None:
        """Lay the widgets into this and the next line."""
        for column, (upper, lower) in enumerate(zip(self._upper, self._lower, strict=True)):
            grid.addWidget(upper, line, column)
            grid.addWidget(lower, line + 1, column)

    def show_state(self, state: ActuatorState, by_hand: bool, steered: bool) -> None:
        """Show the newest state; the edit opens while the operator may move it.

        Being near a limit matters only for an actuator that the loop moves.
        """
        editing = by_hand and self.edit.isModified()
        self._state = state
        controller = state.controller.replace("_", " ")
        hover = f"{state.name}, moved by the {controller} controller"
        self._label.say(self.quantity.label, TEXT, hover)
        self._follow_mode(by_hand)
        if not editing:
            self.put_back()
        self._say_readback(state, steered)
        self._bar.show_state(state, steered, _range_in_words(state, self.quantity))

    def _say_readback(self, state: ActuatorState, steered: bool) -> None:
        shown = minus(self.quantity.shown(state.readback))
        self._readback.say(shown, TEXT, "read back: " + raw(self.quantity, state.readback))
        near_limit = steered and is_near_limit(state)
        self._verdict.say(*_verdict(state, self.quantity, near_limit))

    def put_back(self) -> None:
        """Write the present setpoint into the edit."""
        setpoint = math.nan if self._state is None else self._state.setpoint
        text = minus(self.quantity.shown(setpoint))
        if text != self.edit.text() or self.edit.isModified():
            self.edit.setText(text)
            self.edit.setModified(False)
        if self._state is not None:
            how = CLOSED if self.edit.isReadOnly() else OPEN
            self.edit.setToolTip(f"setpoint: {raw(self.quantity, setpoint)}\n{how}")

    def typed(self) -> float | None:
        """Return the typed setpoint in SI; None when it is no finite number."""
        shown = typed_number(self.edit.text())
        return shown / self.quantity.shown_scale if math.isfinite(shown) else None

    def _follow_mode(self, by_hand: bool) -> None:
        if self.edit.isReadOnly() != by_hand and self.edit.property("moves") == by_hand:
            return
        self.edit.setReadOnly(not by_hand)
        self.edit.setFocusPolicy(Qt.FocusPolicy.StrongFocus if by_hand else Qt.FocusPolicy.NoFocus)
        self.edit.setProperty("moves", by_hand)
        self.edit.style().unpolish(self.edit)
        self.edit.style().polish(self.edit)


def _tag(text: str, hover: str) -> ElidedLabel:
    """Return a small word in front of a number."""
    tag = ElidedLabel("read", align=RIGHT, larger_pt=-1.0)
    tag.say(text, DIM, hover)
    return tag


def _verdict(state: ActuatorState, quantity: Quantity, near_limit: bool) -> tuple[str, str, str]:
    """Return text, colour and hover of the last column."""
    if not math.isfinite(state.readback):
        return "▲ none", LOOK, "no read-back: nobody knows where this actuator is"
    off = state.readback - state.setpoint
    if abs(off) > state.readback_tolerance:
        return "▲ off", LOOK, _how_far_off(off, state.readback_tolerance, quantity)
    if near_limit:
        return "▲ limit", LOOK, "the setpoint is within 5 % of an end of its range"
    return "✓ ok", DIM, "read-back agrees with the setpoint"


def _how_far_off(off: float, tolerance: float, quantity: Quantity) -> str:
    """Write a deviation and what is allowed of it (SI)."""
    away, room = quantity.shown(off), quantity.shown(tolerance)
    return f"read-back is off by {away} {quantity.shown_unit}, tolerance {room}"


def _range_in_words(state: ActuatorState, quantity: Quantity) -> str:
    unit = f" {quantity.shown_unit}".rstrip()
    ends = f"{quantity.shown(state.minimum)} … {quantity.shown(state.maximum)}{unit}"
    return f"range {ends}\ntriangle: setpoint · bar: read-back"
