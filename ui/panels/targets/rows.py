"""Rows of what can be changed of the loop: saved, current, range, and a field for the new value."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from ui.models.editable_settings import FOR_THIS_RUN, SHORT, Change, Item, Key, SettingKind
from ui.style.colours import DIM, INFO, LOOK, TEXT
from ui.widgets.label import RIGHT, ElidedLabel
from ui.widgets.setpoint_edit import SetpointEdit

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
        kind = item.key[0].replace("_", " ")
        number = NUMBERS[item.key[0]]
        self.item = item
        self.refusal = ""
        self.edit = SetpointEdit()
        self.edit.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.edit.setFixedWidth(self.edit.fontMetrics().horizontalAdvance("−2000.000") + 10)
        self.edit.setAccessibleName(
            f"new {kind} of {item.label.removesuffix(SHORT.get(item.key[0], '')).strip()}"
        )
        self._name = ElidedLabel(whole=True)
        self._unit = ElidedLabel(whole=True)
        self._saved = ElidedLabel(number, align=RIGHT)
        self._current = ElidedLabel(f"≠ {number}", align=RIGHT)
        self._range = ElidedLabel(RANGES[item.key[0]], align=RIGHT)
        self._mark = ElidedLabel("✎ new")
        self._name.say(item.label, TEXT, f"{item.key[1]}: {kind}")
        self._unit.say(item.quantity.shown_unit, DIM, f"SI unit {item.quantity.unit}")
        for column, part in enumerate(
            (self._name, self._saved, self._current, self._range, self.edit, self._unit, self._mark)
        ):
            grid.addWidget(part, line, column)

    def show_item(self, item: Item, editable: bool) -> None:
        """Show what is saved and in force now, and judge what is typed anew."""
        self.item = item
        other = item.current != item.saved
        self._saved.say(item.shown(item.saved), DIM, f"saved: {item.si(item.saved)}")
        self._current.say(
            f"{'≠ ' if other else ''}{item.shown(item.current)}",
            INFO if other else TEXT,
            f"in force: {item.si(item.current)}" + ("\nnot as saved" if other else ""),
        )
        self._range.say(item.range_in_words(), DIM, f"{item.si(item.low)} … {item.si(item.high)}")
        if self.edit.isReadOnly() == editable:
            self.edit.setReadOnly(not editable)
            self.edit.setFocusPolicy(
                Qt.FocusPolicy.StrongFocus if editable else Qt.FocusPolicy.NoFocus
            )
        self.edit.setPlaceholderText(item.shown(item.current) if editable else "")
        self.judge()

    def judge(self) -> None:
        """Mark what is typed: as a change, or as what cannot be, with the reason on hover."""
        value, self.refusal = self.item.read(self.edit.text())
        if self.refusal:
            self._mark.say("▲ no", LOOK, self.refusal)
        elif value is not None and value != self.item.current:
            self._mark.say("✎ new", INFO, f"{self.item.si(value)}, not applied yet")
        else:
            self._mark.say("", DIM)
        hover = self.refusal or f"a new value, {FOR_THIS_RUN}\nEscape clears it"
        if hover != self.edit.toolTip():
            self.edit.setToolTip(hover)
            self.edit.setAccessibleDescription(hover)

    def change(self) -> Change | None:
        """Return what shall change; None for nothing, or where it cannot."""
        value, refusal = self.item.read(self.edit.text())
        same = value is None or refusal or value == self.item.current
        return None if same or value is None else Change(self.item, value)

    def write(self, text: str) -> None:
        """Type this for the operator."""
        if text != self.edit.text():
            self.edit.setText(text)
        self.judge()


class TargetsBlock(QWidget):
    """A grid of rows under one head.

    Emits `edited` when something is typed, `asked` with Return.
    """

    edited = Signal()
    asked = Signal()

    def __init__(self, title: str) -> None:
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
        row.edit.returnPressed.connect(self.asked)
        row.edit.given_up.connect(lambda: row.write(""))
        row.edit.given_up.connect(self.edited)
        self._grid.setRowStretch(len(self.rows), 0)
        self._grid.setRowStretch(1 + len(self.rows), 1)
        self._grid.setColumnStretch(len(HEADS) + 2, 1)
