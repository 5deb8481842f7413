"""What if a recording had been run with other targets or gains: typed and predicted here."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import (
    QGridLayout,
    QScrollArea,
    QWidget,
)

from magis_calib.domain.quantities import OBSERVABLES, Quantity
from magis_calib.state.answer import Answer
from magis_calib.state.commands import Command, Suppose
from magis_calib.state.snapshot import Snapshot
from magis_calib.state.what_if import WhatIfState
from ui.models.editable_settings import Number, items_of
from ui.panels.what_if.row import GROUPS, HEADS, SettingKind, WhatIfRow
from ui.style.colours import DIM, LOOK, SHADOW, TEXT
from ui.widgets.boxes import in_column, in_row, scroll
from ui.widgets.buttons import push_button
from ui.widgets.label import RIGHT, ElidedLabel

IDLE = (
    "type other targets or gains, then predict: the whole recording is worked out anew, nothing "
    "is moved"
)
ELSEWHERE = "for recordings only: `magis-calib replay SESSION` opens one"


OF_PREDICT = "work out the whole recording with what is typed (Return)"
OF_FORGET = "clear what is typed and what was predicted"


class WhatIfPanel(QWidget):
    """One row for each observable: as recorded, as supposed, and how it lay in either case."""

    def __init__(self, submit: Callable[[Command], None]) -> None:
        """`submit` hands a command to the run."""
        super().__init__()
        self._submit = submit
        self._state = ElidedLabel(grows=True)
        self._area = QScrollArea()
        self.predict_button = push_button("Predict", OF_PREDICT, self.predict)
        self.forget_button = push_button("Forget it", OF_FORGET, self.clear)
        self.rows: dict[str, WhatIfRow] = {}
        self._lay_out()

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Show what was in force at the drop that is played, and what is predicted so far."""
        replay = snapshot.replay
        supposed = replay.supposed if replay is not None else None
        self._show_rows(snapshot, supposed)
        refused = self._refused()
        can_predict = self._request() != Suppose() and not refused
        self.predict_button.setEnabled(replay is not None and can_predict)
        self.forget_button.setEnabled(
            replay is not None and (supposed is not None or self._is_typed())
        )
        if replay is None:
            self._state.say(f"■ {ELSEWHERE}", DIM)
        elif refused:
            self._state.say(f"▲ {refused[0]}", LOOK, "\n".join(refused[1:]))
        elif supposed is None:
            self._state.say(*_idle(snapshot.answer))
        else:
            self._state.say(*_progress(supposed))

    def _show_rows(self, snapshot: Snapshot, supposed: WhatIfState | None) -> None:
        items = items_of(snapshot)
        spreads = {one.name: one for one in supposed.spreads} if supposed else {}
        editable = snapshot.replay is not None
        for name, row in self.rows.items():
            if items:
                row.show_items(items["target", name], items["gain", name], editable=editable)
            row.show_spread(spreads.get(name))

    def _refused(self) -> list[str]:
        rows = self.rows.items()
        return [f"{OBSERVABLES[name].label}: {row.refusal}" for name, row in rows if row.refusal]

    def _is_typed(self) -> bool:
        return any(edit.text() for row in self.rows.values() for edit in row.edits.values())

    def predict(self) -> None:
        """Have the recording predicted with what is typed."""
        request = self._request()
        if request != Suppose() and not any(row.refusal for row in self.rows.values()):
            self._submit(request)

    def clear(self) -> None:
        """Forget what is typed and what was predicted."""
        for row in self.rows.values():
            row.clear()
        self._submit(Suppose())

    def take_focus(self) -> None:
        """Give the keyboard to the first field, or where nothing can be typed to the table."""
        first = next(iter(self.rows.values())).edits["target"]
        (first if first.isEnabled() else self._area).setFocus()

    def _request(self) -> Suppose:
        # a target is read as a number, a gain may be a word
        return Suppose(self._typed("target"), self._typed("gain"))  # type: ignore[arg-type]

    def _typed(self, kind: SettingKind) -> dict[str, Number]:
        rows = self.rows.items()
        return {name: one for name, row in rows if (one := row.value(kind)) is not None}

    def _lay_out(self) -> None:
        scroll(self._area, self._grid())
        self._area.setAccessibleName(
            "targets and gains that are supposed, and what they would have given"
        )
        in_column(
            in_row((self._state, 1), self.forget_button, self.predict_button),
            (self._area, 1),
            on=self,
            margins_px=(6, 2, 6, 2),
            spacing_px=2,
        )

    def _grid(self) -> QWidget:
        """Return the table with its heads and a row for each observable."""
        inside = QWidget()
        grid = QGridLayout(inside)
        grid.setContentsMargins(4, 0, 4, 0)
        grid.setHorizontalSpacing(7)
        grid.setVerticalSpacing(0)
        _add_heads(grid)
        for number, quantity in enumerate(OBSERVABLES.values(), start=2):
            self._add_row(grid, number, quantity)
        grid.setColumnStretch(len(HEADS), 1)
        grid.setRowStretch(len(OBSERVABLES) + 2, 1)
        return inside

    def _add_row(self, grid: QGridLayout, line: int, quantity: Quantity) -> None:
        row = self.rows[quantity.name] = WhatIfRow(grid, line, quantity)
        for edit in row.edits.values():
            edit.returnPressed.connect(self.predict)


def _add_heads(grid: QGridLayout) -> None:
    for place, (text, hover) in enumerate(HEADS):
        head = ElidedLabel(align=RIGHT) if place else ElidedLabel(bold=True)
        head.say(text, DIM, hover)
        grid.addWidget(head, 1, place)
    for text, place in GROUPS.items():
        group = ElidedLabel(align=RIGHT)
        group.say(text, DIM, "of each observable about its target")
        grid.addWidget(group, 0, place, 1, 2)


def _idle(answer: Answer | None) -> tuple[str, str]:
    """Say what can be done here, or why what was asked last was not predicted."""
    refused = answer is not None and answer.refused and answer.to == Suppose.__name__
    return (f"▲ {answer.words}", LOOK) if refused and answer is not None else (IDLE, DIM)


def _progress(supposed: WhatIfState) -> tuple[str, str, str]:
    """Say how far the prediction is, or what it is of."""
    if supposed.problem:
        return f"▲ {supposed.problem}", LOOK, supposed.words
    if not len(supposed.rows):
        return (
            f"… predicting, {supposed.done} of {supposed.planned} drops: {supposed.words}",
            TEXT,
            "",
        )
    if supposed.held:
        return f"╌ {supposed.words} · ▲ {supposed.held}", LOOK, "dashed in the trends"
    return (
        f"╌ {supposed.words}: dashed in the trends, {supposed.done} drops",
        SHADOW,
        "predicted, not measured",
    )
