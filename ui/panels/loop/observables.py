"""The numbers of the newest drop: value, error, unit, tolerance and verdict."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.estimate import Value
from magis_calib.domain.quantities import DIAGNOSTICS, OBSERVABLES, Quantity, wrap_error
from magis_calib.state.health import EXPLAINED, HEALTH, health_of
from magis_calib.state.snapshot import Snapshot
from ui.style.colours import DIM, LOOK, TEXT
from ui.style.format import OUTCOME_SHAPES, age, is_stale, latest_age, minus, raw, why_unusable
from ui.widgets.bars import DeviationBar
from ui.widgets.label import RIGHT, ElidedLabel
from ui.widgets.or_words import write

HEALTH_LINES = (
    ("atoms", "contrast", "port_fraction"),
    ("residual_x", "residual_y", "port_phase_difference_rad"),
    ("roll_x_rad", "roll_y_rad"),
    ("width_x_m", "width_y_m", "width_z_m"),
)
"""What goes wrong first on top."""


class ObservablesPanel(QWidget):
    """On top, three to a line, what says whether the station is well.

    Then the six controlled observables.
    """

    def __init__(self) -> None:
        super().__init__()
        self._title = ElidedLabel(grows=True)
        self._values: dict[str, ElidedLabel] = {}
        self._states: dict[str, ElidedLabel] = {}
        self._bars: dict[str, DeviationBar] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(5)
        self._grid.setVerticalSpacing(1)
        self._grid.addWidget(self._title, 0, 0, 1, 5)
        self._grid.addWidget(self._health(), 1, 0, 1, 5)
        for row, quantity in enumerate(OBSERVABLES.values(), start=2):
            self._add_observable(row, quantity)
        self._grid.setColumnStretch(3, 1)
        self._verdict = _two_lines()
        self._grid.addWidget(self._verdict, len(OBSERVABLES) + 2, 0, 1, 5)

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Write the newest drop's numbers; an old number is never shown for a new drop."""
        latest = snapshot.latest
        self._title.say(*_title(snapshot, now_s))
        self._say_verdict(latest)
        for quantity in OBSERVABLES.values():
            self._say_observable(quantity, latest, snapshot)
        for quantity in DIAGNOSTICS.values():
            self._say_value(quantity, latest)
        self._say_health(latest)

    def _say_verdict(self, latest: DropRecord | None) -> None:
        """Say in two lines what cannot be used and why, else what was done with the numbers."""
        text, colour = ("", DIM) if latest is None else verdict(latest)
        write(self._verdict, text, colour)
        self._verdict.setToolTip(text)

    def _say_observable(
        self, quantity: Quantity, latest: DropRecord | None, snapshot: Snapshot
    ) -> None:
        value = self._say_value(quantity, latest)
        name = quantity.name
        target, tolerance = snapshot.targets.get(name), snapshot.tolerances.get(name)
        share = math.nan
        if target is not None and tolerance and math.isfinite(value):
            share = wrap_error(name, value - target) / tolerance
        self._bars[name].show_share(share, _target_words(quantity, target, tolerance))
        state = self._states[name]
        if math.isfinite(value):
            state.say(*_in_tolerance(share))
        elif latest is None:
            state.say("–", DIM)
        else:
            state.say("▲ –", LOOK, why_unusable(latest, name))

    def _say_value(self, quantity: Quantity, latest: DropRecord | None) -> float:
        """Write one value and return it."""
        words = self._values[quantity.name]
        name = quantity.name
        if latest is None:
            words.say("–", DIM, "no drop yet")
            return math.nan
        value, stderr = latest.estimate.values[name], latest.estimate.stderr[name]
        if math.isfinite(value):
            text = minus(quantity.with_error(value, stderr))
            words.say(text, TEXT, raw(quantity, value, stderr))
        else:
            words.say("–", LOOK, why_unusable(latest, name))
        return value

    def _say_health(self, latest: DropRecord | None) -> None:
        """Write what the fits say about the instrument.

        A look is wanted where a view cannot be used.
        """
        found = health_of(latest.estimate) if latest is not None else {}
        for name, quantity in HEALTH.items():
            self._values[name].say(*_health_words(quantity, found.get(name)))

    def _add_observable(self, row: int, quantity: Quantity) -> None:
        name, unit = ElidedLabel("κx"), ElidedLabel("rad/m")
        name.say(quantity.label, hover=f"{quantity.name}, SI unit {quantity.unit}")
        unit.say(quantity.shown_unit, DIM, f"SI unit {quantity.unit}")
        value = self._values[quantity.name] = ElidedLabel("−1234.56(78)", align=RIGHT, bold=True)
        bar = self._bars[quantity.name] = DeviationBar()
        state = self._states[quantity.name] = ElidedLabel("▲ off")
        for column, widget in enumerate((name, value, unit, bar, state)):
            self._grid.addWidget(widget, row, column)

    def _health(self) -> QWidget:
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 4)
        grid.setHorizontalSpacing(5)
        grid.setVerticalSpacing(0)
        for line, names in enumerate(HEALTH_LINES):
            for column, name in enumerate(names):
                self._add_health(grid, 2 * line, column, (DIAGNOSTICS | HEALTH)[name])
        return holder

    def _add_health(self, grid: QGridLayout, line: int, column: int, quantity: Quantity) -> None:
        """Put a name into this line of a grid, and its value into the next."""
        name = ElidedLabel(larger_pt=-1.0, align=RIGHT)
        unit = f" ({quantity.shown_unit})" if quantity.shown_unit else ""
        hover = EXPLAINED.get(quantity.name, f"{quantity.name}, SI unit {quantity.unit}")
        name.say(quantity.label + unit, DIM, f"{hover}; reported, not controlled")
        value = self._values[quantity.name] = ElidedLabel("12.34567(89)", align=RIGHT)
        grid.addWidget(name, line, column)
        grid.addWidget(value, line + 1, column)
        grid.setColumnStretch(column, 1)


def _two_lines() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setAlignment(Qt.AlignmentFlag.AlignTop)
    label.setFixedHeight(2 * label.fontMetrics().lineSpacing() + 2)
    return label


def _title(snapshot: Snapshot, now_s: float) -> tuple[str, str]:
    if snapshot.latest is None:
        return "no numbers yet: no drop was evaluated", DIM
    drop = f"drop {snapshot.latest.drop_id}, {age(latest_age(snapshot, now_s))} ago"
    if is_stale(snapshot, now_s):
        return f"▲ {drop}, the next is late", LOOK
    return f"measured in {drop}", DIM


def _in_tolerance(share: float) -> tuple[str, str, str]:
    """Say whether a deviation in tolerances is fine: text, colour and hover; NaN for no target."""
    if not math.isfinite(share):
        return "", DIM, ""
    hover = f"{share:+.2f} tolerances from the target"
    return ("✓ ok", DIM, hover) if abs(share) <= 1.0 else ("▲ off", LOOK, hover)


def _health_words(quantity: Quantity, found: Value | None) -> tuple[str, str, str]:
    """Write what the fits say about the instrument: text, colour and hover."""
    explained = EXPLAINED[quantity.name]
    if found is None or not math.isfinite(found.value):
        return "–", DIM, f"{explained}\nthe fit of this drop says nothing of it"
    text = minus(quantity.with_error(found.value, found.stderr))
    return text, TEXT, f"{explained}\n{raw(quantity, found.value, found.stderr)}"


def verdict(record: DropRecord) -> tuple[str, str]:
    """Return what cannot be used of a drop and why, or what was done, and its colour."""
    missing: dict[str, list[str]] = {}
    for name, quantity in OBSERVABLES.items():
        if not math.isfinite(record.estimate.values[name]):
            missing.setdefault(why_unusable(record, name), []).append(quantity.label)
    if missing:
        parts = (
            f"{'all' if len(labels) == len(OBSERVABLES) else ' '.join(labels)} unusable: {reason}"
            for reason, labels in missing.items()
        )
        return "▲ " + "; ".join(parts), LOOK
    shape, colour = OUTCOME_SHAPES[record.decision.outcome]
    return f"{shape} {record.decision.in_words()}", DIM if colour == TEXT else colour


def _target_words(quantity: Quantity, target: float | None, tolerance: float | None) -> str:
    if target is None:
        return "not controlled"
    within = f" ± {quantity.shown(tolerance)}" if tolerance is not None else ""
    return (
        f"target {quantity.shown(target)}{within} {quantity.shown_unit}\nmiddle line: target · "
        f"band: tolerance"
    )
