"""What if a recording had been run with other targets or gains: typed here, predicted beside the
replay.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.state.commands import Command, Suppose
from magis_calib.state.snapshot import Snapshot
from magis_calib.state.what_if import WhatIfState
from ui.models.editable_settings import items_of
from ui.panels.what_if.row import GROUPS, HEADS, WhatIfRow
from ui.style.colours import DIM, LOOK, SHADOW, TEXT
from ui.widgets.label import RIGHT, ElidedLabel

IDLE = (
    "type other targets or gains, then predict: the whole recording is worked out anew, nothing "
    "is moved"
)
ELSEWHERE = "for recordings only: `magis-calib replay SESSION` opens one"


class WhatIfPanel(QWidget):
    """One row for each observable: as recorded, as supposed, and how it lay about its target in
    either case.
    """

    def __init__(self, submit: Callable[[Command], None]) -> None:
        super().__init__()
        self._submit = submit
        self._state = ElidedLabel(grows=True)
        self._shown = False
        self.predict = _button(
            "Predict", "work out the whole recording with what is typed (Return)"
        )
        self.forget = _button("Forget it", "clear what is typed and what was predicted")
        self.predict.clicked.connect(self.ask)
        self.forget.clicked.connect(self.clear)
        self.rows: dict[str, WhatIfRow] = {}
        self._lay_out()

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Show what was in force at the drop that is played, and what is predicted so far."""
        replay = snapshot.replay
        items = items_of(snapshot)
        supposed = replay.supposed if replay is not None else None
        for name, row in self.rows.items():
            if items:
                row.show_items(
                    items["target", name], items["gain", name], editable=replay is not None
                )
            row.show_spread(
                next((one for one in supposed.spreads if one.name == name), None)
                if supposed
                else None
            )
        refused = [
            f"{OBSERVABLES[name].label}: {row.refusal}"
            for name, row in self.rows.items()
            if row.refusal
        ]
        self.predict.setEnabled(replay is not None and self._wish() != Suppose() and not refused)
        typed = any(edit.text() for row in self.rows.values() for edit in row.edits.values())
        self.forget.setEnabled(replay is not None and (supposed is not None or typed))
        if replay is None:
            self._state.say(f"■ {ELSEWHERE}", DIM)
        elif refused:
            self._state.say(f"▲ {refused[0]}", LOOK, "\n".join(refused[1:]))
        elif supposed is None:
            problem = snapshot.note if snapshot.note.startswith("not predicted: ") else ""
            self._state.say(f"▲ {problem}" if problem else IDLE, LOOK if problem else DIM)
        else:
            self._state.say(*_progress(supposed))

    def ask(self) -> None:
        """Have the recording predicted with what is typed."""
        wish = self._wish()
        if wish != Suppose() and not any(row.refusal for row in self.rows.values()):
            self._submit(wish)

    def clear(self) -> None:
        """Forget what is typed and what was predicted."""
        for row in self.rows.values():
            row.clear()
        self._submit(Suppose())

    def take_focus(self) -> None:
        """Give the keyboard to the first field, or where nothing can be typed to the table."""
        first = next(iter(self.rows.values())).edits["target"]
        (first if first.isEnabled() else self._area).setFocus()

    def _wish(self) -> Suppose:
        typed = {
            (kind, name): row.value(kind) for name, row in self.rows.items() for kind in row.edits
        }
        targets = {
            name: value
            for (kind, name), value in typed.items()
            if kind == "target" and value is not None
        }
        gains = {
            name: value
            for (kind, name), value in typed.items()
            if kind == "gain" and value is not None
        }
        return Suppose(targets, gains)  # type: ignore[arg-type]  # a target is read as a number, a gain may be a word

    def _lay_out(self) -> None:
        inside = QWidget()
        column = QVBoxLayout(self)
        line = QHBoxLayout()
        grid = QGridLayout(inside)
        grid.setContentsMargins(4, 0, 4, 0)
        grid.setHorizontalSpacing(7)
        grid.setVerticalSpacing(0)
        for place, (text, hover) in enumerate(HEADS):
            head = ElidedLabel(align=RIGHT) if place else ElidedLabel(bold=True)
            head.say(text, DIM, hover)
            grid.addWidget(head, 1, place)
        for text, place in GROUPS.items():
            group = ElidedLabel(align=RIGHT)
            group.say(text, DIM, "of each observable about its target")
            grid.addWidget(group, 0, place, 1, 2)
        for number, name in enumerate(OBSERVABLES, start=2):
            row = self.rows[name] = WhatIfRow(grid, number, OBSERVABLES[name])
            for edit in row.edits.values():
                edit.returnPressed.connect(self.ask)
        grid.setColumnStretch(len(HEADS), 1)
        grid.setRowStretch(len(OBSERVABLES) + 2, 1)
        area = self._area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setAccessibleName(
            "targets and gains that are supposed, and what they would have given"
        )
        line.addWidget(self._state, 1)
        line.addWidget(self.forget)
        line.addWidget(self.predict)
        column.setContentsMargins(6, 2, 6, 2)
        column.setSpacing(2)
        column.addLayout(line)
        column.addWidget(area, 1)


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


def _button(text: str, hover: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(hover)
    button.setAccessibleName(f"{text}: {hover}")
    return button
