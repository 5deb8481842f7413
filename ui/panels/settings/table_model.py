"""The setpoint vectors of a run as a Qt table: newest first, with what each gave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from magis_calib.actuators.moves import moves_in_words
from magis_calib.domain.devices import ActuatorState
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.feedback.setpoint_history import Setting
from ui.style.colours import DIM, LOOK, TEXT
from ui.style.format import minus, raw
from ui.widgets.table import HeadedModel, Index, Role

HEADS = {
    "drops": "the first and the last drop whose atoms saw these setpoints",
    "usable": "drops that were measured with them",
    "result": "✓ good: every mean error is within its tolerance · ▲ off: not so · – none: nothing "
    "was measured",
    **{
        f"{one.label} {one.shown_unit}": f"mean of measured minus target ({one.shown_unit}), with "
        f"its standard error"
        for one in OBSERVABLES.values()
    },
    "to go there from now": "the way of each actuator from its read-back; nothing where it stands "
    "there already",
}
RESULTS = {"good": ("✓ good", TEXT), "off": ("▲ off", LOOK), "none": ("– none", DIM)}

_COLUMNS = dict(zip(list(HEADS)[3:-1], OBSERVABLES, strict=True))


class SettingsModel(HeadedModel[Setting]):
    """A cell is written when it is looked at."""

    def __init__(self) -> None:
        super().__init__(HEADS)
        self._actuators: tuple[ActuatorState, ...] = ()

    def follow(self, settings: Sequence[Setting], actuators: tuple[ActuatorState, ...]) -> None:
        """Show these, oldest first as they come, over where the actuators are now."""
        self.beginResetModel()
        self._rows = list(reversed(settings))
        self._actuators = actuators
        self.endResetModel()

    def row_of(self, drop_id: int) -> int | None:
        """The row whose setpoints this drop saw."""
        rows = (
            row for row, one in enumerate(self._rows) if one.first_drop <= drop_id <= one.last_drop
        )
        return next(rows, None)

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:  # noqa: D102
        one = self.row(index.row())
        head = list(HEADS)[index.column()]
        if one is None:
            return None
        if role == Role.DisplayRole:
            return self._text(one, head)
        if role == Role.ToolTipRole:
            return "\n".join([*_facts(one), *moves_in_words(one.setpoints, self._actuators)])
        if role == Role.TextAlignmentRole and head not in ("result", list(HEADS)[-1]):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Role.ForegroundRole and head == "result":
            return QColor(RESULTS[_result(one)][1])
        return None

    def _text(self, one: Setting, head: str) -> str:
        if head == "drops":
            return _drops(one)
        if head == "usable":
            return str(one.usable)
        if head == "result":
            return RESULTS[_result(one)][0]
        if head in _COLUMNS:
            return _deviation(one, _COLUMNS[head])
        return ", ".join(moves_in_words(one.setpoints, self._actuators)) or "there already"


def _drops(one: Setting) -> str:
    first, last = one.first_drop, one.last_drop
    return str(first) if first == last else f"{first} – {last}"


def _deviation(one: Setting, observable: str) -> str:
    found = one.deviations.get(observable)
    if found is None:
        return "–"
    return minus(OBSERVABLES[observable].with_error(found.mean, found.stderr))


def _result(one: Setting) -> str:
    return "good" if one.good else "off" if one.usable else "none"


def _facts(one: Setting) -> list[str]:
    """Write the mean errors in SI."""
    return [
        f"mean error {raw(OBSERVABLES[name], found.mean, found.stderr)}"
        for name, found in one.deviations.items()
    ]
