"""Rows of what can be changed of the loop: saved, current, range, and a field for the new value."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from ui.models.editable_settings import FOR_THIS_RUN, SHORT, Change, Item, Key, Number, SettingKind
from ui.style.colours import DIM, INFO, LOOK, TEXT
from ui.widgets.label import RIGHT, ElidedLabel
from ui.widgets.setpoint_edit import setpoint_edit

HEADS = {
    "saved": "what the configuration file says",
    "current": "in force in this run",
    "range": "what may be entered",
    "new": "what shall be in force; nothing happens before it is applied",
}


RANGES: dict[SettingKind, str] = {
    "target": "−32900 … 39000",
    "gain": "auto, 0 < g < 2",
    "minimum": "−1000 … −49",
    "maximum": "−49 … 1000",
    "step_cap": "0 < … 1000",
    "excursion": "range, or > 0",
}
NUMBERS: dict[SettingKind, str] = {
    "target": "−12345.6",
    "gain": "0.123",
    "minimum": "−2000.0",
    "maximum": "−2000.0",
    "step_cap": "2000.0",
    "excursion": "2000.0",
}
"""The longest usual texts."""


class TargetRow:
    """The widgets of one number, laid into a line of a grid that others share."""

    def __init__(self, grid: QGridLayout, line: int, item: Item) -> None:
        """Lay the row into `line` of `grid`; `item`: the number as it is first known."""
        kind = item.key[0].replace("_", " ")
        number = NUMBERS[item.key[0]]
        self.item = item
        self.refusal = ""
        self.label = f"{kind} of {item.label.removesuffix(SHORT.get(item.key[0], '')).strip()}"
        self.edit = setpoint_edit("−2000.000", f"new {self.label}")
        self._saved = ElidedLabel(number, align=RIGHT)
        self._current = ElidedLabel(f"≠ {number}", align=RIGHT)
        self._range = ElidedLabel(RANGES[item.key[0]], align=RIGHT)
        self._mark = ElidedLabel("✎ new")
        name = _said(item.label, TEXT, f"{item.key[1]}: {kind}")
        self._unit = _said(item.quantity.shown_unit, DIM, f"SI unit {item.quantity.unit}")
        parts = (name, self._saved, self._current, self._range, self.edit, self._unit, self._mark)
        for column, part in enumerate(parts):
            grid.addWidget(part, line, column)

    def show_item(self, item: Item, editable: bool) -> None:
        """Show what is saved and in force now, and mark what is typed anew."""
        self.item = item
        self._saved.say(item.shown(item.saved), DIM, f"saved: {item.si(item.saved)}")
        self._current.say(*_current(item))
        self._range.say(item.range_in_words(), DIM, f"{item.si(item.low)} … {item.si(item.high)}")
        self._open(editable)
        self.edit.setPlaceholderText(item.shown(item.current) if editable else "")
        self.mark_typed()

    def _open(self, editable: bool) -> None:
        """Let the keyboard into the edit, or keep it out."""
        if self.edit.isReadOnly() == editable:
            self.edit.setReadOnly(not editable)
            policy = Qt.FocusPolicy.StrongFocus if editable else Qt.FocusPolicy.NoFocus
            self.edit.setFocusPolicy(policy)

    def mark_typed(self) -> None:
        """Mark what is typed: as a change, or as what cannot be, with the reason on hover."""
        value, self.refusal = self.item.read(self.edit.text())
        self._mark.say(*self._mark_of(value))
        self._explain(self.refusal or f"a new value, {FOR_THIS_RUN}\nEscape clears it")

    def _explain(self, hover: str) -> None:
        if hover != self.edit.toolTip():
            self.edit.setToolTip(hover)
            self.edit.setAccessibleDescription(hover)

    def _mark_of(self, value: Number | None) -> tuple[str, str, str]:
        if self.refusal:
            return "▲ no", LOOK, self.refusal
        if value is None or value == self.item.current:
            return "", DIM, ""
        return "✎ new", INFO, f"{self.item.si(value)}, not applied yet"

    def change(self) -> Change | None:
        """Return what shall change; None for nothing, or where it cannot."""
        value, refusal = self.item.read(self.edit.text())
        same = value is None or refusal or value == self.item.current
        return None if same or value is None else Change(self.item, value)

    def write_saved(self) -> None:
        """Type what is saved, where something else is in force."""
        item = self.item
        self.write(item.typed(item.saved) if item.saved != item.current else "")

    def write(self, text: str) -> None:
        """Type this for the operator."""
        if text != self.edit.text():
            self.edit.setText(text)
        self.mark_typed()


def _said(text: str, colour: str, hover: str) -> ElidedLabel:
    label = ElidedLabel(whole=True)
    label.say(text, colour, hover)
    return label


def _current(item: Item) -> tuple[str, str, str]:
    """Write what is in force: text, colour and hover."""
    shown = item.shown(item.current)
    full = f"in force: {item.si(item.current)}"
    if item.current == item.saved:
        return shown, TEXT, full
    return f"≠ {shown}", INFO, f"{full}\nnot as saved"


class TargetsBlock(QWidget):
    """A grid of rows under one head.

    Emits `edited` when something is typed, `apply_wanted` with Return.
    """

    edited = Signal()
    apply_wanted = Signal()

    def __init__(self, title: str) -> None:
        """`title`: over the names of the rows."""
        super().__init__()
        self.rows: dict[Key, TargetRow] = {}
        self._title = title
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(4, 2, 2, 2)
        self._grid.setHorizontalSpacing(4)
        self._grid.setVerticalSpacing(0)

    def show_items(self, items: Iterable[Item], editable: bool) -> None:
        """Show the newest state of these items; the rows are made when they are first known."""
        if not self.rows:
            self._add_heads()
        for item in items:
            if item.key not in self.rows:
                self._add(item)
            self.rows[item.key].show_item(item, editable)

    def _add_heads(self) -> None:
        for column, (text, hover) in enumerate({self._title: "", **HEADS}.items()):
            head = ElidedLabel(align=RIGHT) if column else ElidedLabel(bold=True)
            head.say(text, DIM, hover)
            self._grid.addWidget(head, 0, column)

    def _add(self, item: Item) -> None:
        row = self.rows[item.key] = TargetRow(self._grid, 1 + len(self.rows), item)
        row.edit.textEdited.connect(self.edited)
        row.edit.returnPressed.connect(self.apply_wanted)
        row.edit.given_up.connect(lambda: row.write(""))
        row.edit.given_up.connect(self.edited)
        self._grid.setRowStretch(len(self.rows), 0)
        self._grid.setRowStretch(1 + len(self.rows), 1)
        self._grid.setColumnStretch(len(HEADS) + 2, 1)
