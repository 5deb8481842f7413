"""One observable of a what-if: recorded and supposed target and gain, and what each gave."""

from __future__ import annotations

import math
from typing import Literal

from PySide6.QtWidgets import QGridLayout

from magis_calib.domain.quantities import Quantity
from magis_calib.state.what_if import Beside, Spread
from ui.models.editable_settings import Item, Number
from ui.style.colours import LOOK, SHADOW, TEXT
from ui.style.format import minus
from ui.widgets.label import RIGHT, ElidedLabel
from ui.widgets.setpoint_edit import SetpointEdit, setpoint_edit

HEADS = (
    ("what if", ""),
    ("target", "in force at the drop that is played"),
    ("supposed", "another target, over the whole recording; empty: as recorded"),
    ("gain", "in force at the drop that is played"),
    ("supposed", "another gain, over the whole recording: auto, or a number; empty: as recorded"),
    ("mean", "error from the target in force, over the usable interferometer drops"),
    ("r.m.s.", "about the target in force"),
    ("mean", "error from the supposed target"),
    ("r.m.s.", "about the supposed target"),
)
GROUPS = {"as it happened": 5, "predicted": 7}
"""Words above two columns each, and the first of these."""
SettingKind = Literal["target", "gain"]


class WhatIfRow:
    """The widgets of one observable, laid into a line of a grid that others share."""

    def __init__(self, grid: QGridLayout, line: int, quantity: Quantity) -> None:
        """Lay the row into `line` of `grid`; `quantity`: the observable."""
        self.quantity = quantity
        self.refusal = ""
        self._items: dict[SettingKind, Item] = {}
        self.edits: dict[SettingKind, SetpointEdit] = {
            "target": _edit(quantity, "target"),
            "gain": _edit(quantity, "gain"),
        }
        self._now: dict[SettingKind, ElidedLabel] = {
            "target": ElidedLabel("12345.6", align=RIGHT),
            "gain": ElidedLabel("auto", align=RIGHT),
        }
        self._happened = _pair()
        self._predicted = _pair()
        numbers = [part for kind in self.edits for part in (self._now[kind], self.edits[kind])]
        parts = (_name(quantity), *numbers, *self._happened, *self._predicted)
        for column, part in enumerate(parts):
            grid.addWidget(part, line, column)

    def show_items(self, target: Item, gain: Item, *, editable: bool) -> None:
        """Show what was in force, and refuse what cannot be of what is typed."""
        self._items = {"target": target, "gain": gain}
        refusals = []
        for kind, item in self._items.items():
            self._now[kind].say(item.shown(item.current), TEXT, item.si(item.current))
            edit = self.edits[kind]
            edit.setEnabled(editable)
            _, refusal = item.read(edit.text())
            refusals += [f"{kind}: {refusal}"] if refusal else []
            edit.setToolTip(
                refusal
                or f"{kind} over the whole recording: {item.range_in_words()}\nEscape clears it"
            )
        self.refusal = "; ".join(refusals)

    def show_spread(self, found: Beside | None) -> None:
        """Show how the observable lay about its target; nothing before that is known."""
        for words, spread, colour in (
            (self._happened, found.happened if found else None, TEXT),
            (self._predicted, found.predicted if found else None, SHADOW),
        ):
            for one, value in zip(words, _numbers(spread), strict=True):
                if value is None:
                    one.say("")
                    continue
                text = minus(self.quantity.shown(value))
                one.say(text, colour if math.isfinite(value) else LOOK, f"{value:.6g} (SI)")

    def value(self, kind: SettingKind) -> Number | None:
        """Return what is supposed instead (SI, or a word); None for nothing."""
        if kind not in self._items:
            return None
        value, refusal = self._items[kind].read(self.edits[kind].text())
        return None if refusal else value

    def clear(self) -> None:
        """Suppose nothing."""
        for edit in self.edits.values():
            edit.clear()


def _name(quantity: Quantity) -> ElidedLabel:
    name = ElidedLabel(whole=True)
    hover = f"{quantity.name}, SI unit {quantity.unit}"
    name.say(f"{quantity.label} ({quantity.shown_unit})", TEXT, hover)
    return name


def _edit(quantity: Quantity, kind: SettingKind) -> SetpointEdit:
    edit = setpoint_edit("−2000.00", f"supposed {kind} of {quantity.label}")
    edit.given_up.connect(edit.clear)
    return edit


def _pair() -> tuple[ElidedLabel, ElidedLabel]:
    return ElidedLabel("−1234.5", align=RIGHT), ElidedLabel("1234.5", align=RIGHT)


def _numbers(spread: Spread | None) -> tuple[float | None, float | None]:
    return (None, None) if spread is None else (spread.mean, spread.deviation)
