"""What can be changed of the loop in a run, number by number: what is saved, in force, allowed and
typed. No Qt.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from magis_calib.config.loop import GAIN_ABOVE, GAIN_BELOW
from magis_calib.domain.control import gain_in_words
from magis_calib.domain.devices import ActuatorState
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES, Quantity
from magis_calib.state.commands import Command, SetGain, SetLimits, SetTarget
from magis_calib.state.snapshot import Snapshot

SettingKind = Literal["target", "gain", "minimum", "maximum", "step_cap", "excursion"]
Key = tuple[SettingKind, str]
"""What it is, and of which observable or actuator."""
Number = float | str
"""In SI, or the word that may stand instead."""

GAIN = Quantity("gain", "gain", "1", "", 1.0, 3)
WORDS: Mapping[str, str] = {"gain": "auto", "excursion": "range"}
SHORT: Mapping[SettingKind, str] = {
    "minimum": "min",
    "maximum": "max",
    "step_cap": "step cap",
    "excursion": "excursion",
}
LIMIT_KINDS: tuple[SettingKind, ...] = ("minimum", "maximum", "step_cap", "excursion")
FOR_THIS_RUN = "for this run; the configuration file says what the next run begins with"


@dataclass(frozen=True, slots=True)
class Item:
    """One number that can be changed."""

    key: Key
    label: str
    quantity: Quantity
    saved: Number
    current: Number
    low: float
    high: float
    """What may be entered (SI), both ends included.

    Infinite where there is no end, NaN while it is not known.
    """

    @property
    def word(self) -> str:
        """What may stand instead of a number; empty for nothing."""
        return WORDS.get(self.key[0], "")

    def shown(self, value: Number) -> str:
        """Write a value in shown units."""
        if isinstance(value, str):
            return value
        if self.key[0] == "target":
            return self.quantity.shown(value).replace("-", "−")
        return gain_in_words(value) if self.key[0] == "gain" else _short(self.quantity, value, 6)

    def si(self, value: Number) -> str:
        """Write a value in full, in SI."""
        unit = "" if self.quantity.unit == "1" else f" {self.quantity.unit}"
        return value if isinstance(value, str) else f"{value:.9g}{unit}"

    def typed(self, value: Number) -> str:
        """Write a value so that `read` gives it back."""
        return value if isinstance(value, str) else _short(self.quantity, value, 10)

    def range_in_words(self) -> str:
        """Write what may be entered."""
        kind = self.key[0]
        if kind == "gain":
            return f"auto, {GAIN_ABOVE:g} < g < {GAIN_BELOW:g}"
        if math.isnan(self.low):
            return "not known yet"
        if kind == "excursion":
            return "range, or > 0"
        if kind == "step_cap":
            return f"0 < … {_short(self.quantity, self.high, 6)}"
        return " … ".join(
            _short(self.quantity, end, 6) for end in _rounded(self.low, self.high, self.quantity)
        )

    def read(self, text: str) -> tuple[Number | None, str]:
        """Return what was typed (SI), and why it cannot be.

        None for nothing typed or no number at all.
        """
        text = text.strip()
        if not text:
            return None, ""
        if self.word and text.lower() == self.word:
            return self.word, ""
        try:
            value = float(text.replace("−", "-").replace(",", ".")) / self.quantity.shown_scale
        except ValueError:
            value = math.nan
        unit = f" {self.quantity.shown_unit}".rstrip()
        if not math.isfinite(value):
            return None, f"wanted {f'“{self.word}” or ' if self.word else ''}a number, got “{text}”"
        if math.isnan(self.low):
            return None, "its controller has not described it yet"
        for known in (self.current, self.saved):  # but for what is lost in shown units
            if not isinstance(known, str) and math.isclose(
                value, known, rel_tol=1e-9, abs_tol=1e-12
            ):
                value = known
        inside = self.low <= value <= self.high
        return value, "" if inside else f"wanted {self.range_in_words()}{unit}, got {text}{unit}"


@dataclass(frozen=True, slots=True)
class Change:
    """One number as it shall be."""

    item: Item
    value: Number

    def in_words(self) -> str:
        """Write from what to what."""
        kind, name = self.item.key
        subject = (OBSERVABLES if kind in ("target", "gain") else ACTUATORS)[name].label
        before = self.item.shown(self.item.current)
        after = self.item.shown(self.value)
        return (
            f"{kind.replace('_', ' ')} of {subject} {before} → {after} "
            f"{self.item.quantity.shown_unit}"
        ).rstrip()


def items_of(snapshot: Snapshot) -> dict[Key, Item]:
    """Return everything that can be changed, in the order in which it is shown.

    Empty before it is known.
    """
    saved = snapshot.saved
    if saved is None:
        return {}
    found: list[Item] = []
    for name, shown in OBSERVABLES.items():
        low, high = snapshot.reach.get(name, (math.nan, math.nan))
        found.append(
            Item(
                ("target", name),
                shown.label,
                shown,
                saved.targets[name],
                snapshot.targets[name],
                low,
                high,
            )
        )
    for name, shown in OBSERVABLES.items():
        found.append(
            Item(
                ("gain", name),
                shown.label,
                GAIN,
                saved.gains[name],
                snapshot.gains[name],
                math.nextafter(GAIN_ABOVE, 1.0),
                math.nextafter(GAIN_BELOW, 1.0),
            )
        )
    states = {one.name: one for one in snapshot.actuators}
    for name, was in saved.limits.items():
        now = snapshot.limits[name]
        shown = ACTUATORS[name]
        for kind, (low, high) in _ends(states.get(name), saved.nominal[name]).items():
            found.append(
                Item(
                    (kind, name),
                    f"{shown.label} {SHORT[kind]}",
                    shown,
                    getattr(was, kind),
                    getattr(now, kind),
                    low,
                    high,
                )
            )
    return {one.key: one for one in found}


def commands(changes: Mapping[Key, Change], snapshot: Snapshot) -> list[Command]:
    """Return what to ask of the run: limits first, for a target may need them."""
    wanted: dict[str, dict[str, Any]] = {}
    for (kind, name), change in changes.items():
        if kind in LIMIT_KINDS:
            wanted.setdefault(name, {})[kind] = change.value
    asked: list[Command] = [
        SetLimits(name, replace(snapshot.limits[name], **one)) for name, one in wanted.items()
    ]
    for (kind, name), change in changes.items():
        if kind == "gain":
            asked.append(SetGain(name, "auto" if isinstance(change.value, str) else change.value))
        elif kind == "target" and not isinstance(change.value, str):
            asked.append(SetTarget(name, change.value))
    return asked


def why_read_only(snapshot: Snapshot) -> str:
    """Say why nothing can be changed now; empty where it can."""
    if snapshot.mode == "replay":
        return (
            "a recording is played: what was in force at each drop is shown, nothing can be changed"
        )
    if snapshot.finished:
        return "the run has ended: nothing can be changed any more"
    if snapshot.saved is None:
        return "nothing is known of the loop yet"
    return ""


def _ends(state: ActuatorState | None, nominal: float) -> dict[SettingKind, tuple[float, float]]:
    """Return what each limit may be: within the controller's, about the nominal and the present
    setpoint.
    """
    if state is None:
        return dict.fromkeys(LIMIT_KINDS, (math.nan, math.nan))
    stands = state.setpoint if math.isfinite(state.setpoint) else nominal
    inside = {"minimum": min(nominal, stands), "maximum": max(nominal, stands)}
    return {
        "minimum": (state.minimum, max(state.minimum, inside["minimum"])),
        "maximum": (min(state.maximum, inside["maximum"]), state.maximum),
        "step_cap": (math.nextafter(0.0, 1.0), state.step_limit),
        "excursion": (math.nextafter(0.0, 1.0), math.inf),
    }


def _short(quantity: Quantity, value: float, figures: int) -> str:
    return f"{value * quantity.shown_scale:.{figures}g}".replace("-", "−")


def _rounded(least: float, most: float, shown: Quantity) -> tuple[float, float]:
    """Round a range inwards to three figures: it follows the drift, and a number that is read must
    not tremble.
    """
    low, high = least * shown.shown_scale, most * shown.shown_scale
    if not 0.0 < high - low < math.inf:
        return least, most
    step = 10.0 ** (math.floor(math.log10(high - low)) - 2)
    return math.ceil(low / step) * step / shown.shown_scale, math.floor(
        high / step
    ) * step / shown.shown_scale
