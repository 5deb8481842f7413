"""What can be changed of the loop: saved, in force, allowed and typed. No Qt."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from magis_calib.config.loop import GAIN_ABOVE, GAIN_BELOW
from magis_calib.config.settings import LoopSettings
from magis_calib.domain.control import gain_in_words
from magis_calib.domain.devices import ActuatorState
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES, Quantity
from magis_calib.state.commands import Command, SetGain, SetLimits, SetTarget
from magis_calib.state.snapshot import Snapshot
from ui.style.format import minus, typed_number

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
SMALLEST = math.nextafter(0.0, 1.0)
"""Above nothing."""
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
            return minus(self.quantity.shown(value))
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
        value = typed_number(text) / self.quantity.shown_scale
        if not math.isfinite(value):
            return None, f"wanted {f'“{self.word}” or ' if self.word else ''}a number, got “{text}”"
        if math.isnan(self.low):
            return None, "its controller has not described it yet"
        return self._as_known(value), self._why_outside(value, text)

    def _as_known(self, value: float) -> float:
        """Return the value itself, but for what was lost in shown units."""
        for known in (self.saved, self.current):
            if not isinstance(known, str) and _is_same(value, known):
                return known
        return value

    def _why_outside(self, value: float, text: str) -> str:
        unit = f" {self.quantity.shown_unit}".rstrip()
        if self.low <= self._as_known(value) <= self.high:
            return ""
        return f"wanted {self.range_in_words()}{unit}, got {text}{unit}"


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
    if snapshot.saved is None:
        return {}
    saved = snapshot.saved
    found = [*_targets(snapshot, saved), *_gains(snapshot, saved), *_limits(snapshot, saved)]
    return {one.key: one for one in found}


def _targets(snapshot: Snapshot, saved: LoopSettings) -> Iterator[Item]:
    unknown = (math.nan, math.nan)
    for name, shown in OBSERVABLES.items():
        was = saved.targets[name]
        now = snapshot.targets[name]
        ends = snapshot.reach
        yield Item(("target", name), shown.label, shown, was, now, *ends.get(name, unknown))


def _gains(snapshot: Snapshot, saved: LoopSettings) -> Iterator[Item]:
    ends = (math.nextafter(GAIN_ABOVE, 1.0), math.nextafter(GAIN_BELOW, 1.0))
    for name, shown in OBSERVABLES.items():
        was, now = saved.gains[name], snapshot.gains[name]
        yield Item(("gain", name), shown.label, GAIN, was, now, *ends)


def _limits(snapshot: Snapshot, saved: LoopSettings) -> Iterator[Item]:
    states = {one.name: one for one in snapshot.actuators}
    for name, was in saved.limits.items():
        now = snapshot.limits[name]
        shown = ACTUATORS[name]
        for kind, ends in _ends(states.get(name), saved.nominal[name]).items():
            label = f"{shown.label} {SHORT[kind]}"
            values = (getattr(was, kind), getattr(now, kind))
            yield Item((kind, name), label, shown, *values, *ends)


def commands(changes: Mapping[Key, Change], snapshot: Snapshot) -> list[Command]:
    """Return what to ask of the run: limits first, for a target may need them."""
    others = [_command(name, kind, change.value) for (kind, name), change in changes.items()]
    return [*_of_limits(changes, snapshot), *(one for one in others if one is not None)]


def _of_limits(changes: Mapping[Key, Change], snapshot: Snapshot) -> list[Command]:
    """Return a command for each actuator of which limits shall be others."""
    wanted: dict[str, dict[str, Any]] = {}
    for (kind, name), change in changes.items():
        if kind in LIMIT_KINDS:
            wanted.setdefault(name, {})[kind] = change.value
    limits = snapshot.limits
    return [SetLimits(name, replace(limits[name], **one)) for name, one in wanted.items()]


def _command(name: str, kind: SettingKind, value: Number) -> Command | None:
    """Return what asks for a target or a gain; None for a limit."""
    if kind == "gain":
        return SetGain(name, "auto" if isinstance(value, str) else value)
    return SetTarget(name, value) if kind == "target" and not isinstance(value, str) else None


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
    """Return what each limit may be: within the controller's, about nominal and setpoint."""
    if state is None:
        return dict.fromkeys(LIMIT_KINDS, (math.nan, math.nan))
    stands = state.setpoint if math.isfinite(state.setpoint) else nominal
    least, most = sorted((nominal, stands))
    return {
        "minimum": (state.minimum, max(state.minimum, least)),
        "maximum": (min(state.maximum, most), state.maximum),
        "step_cap": (SMALLEST, state.step_limit),
        "excursion": (SMALLEST, math.inf),
    }


def _short(quantity: Quantity, value: float, figures: int) -> str:
    return minus(f"{value * quantity.shown_scale:.{figures}g}")


def _rounded(least: float, most: float, shown: Quantity) -> tuple[float, float]:
    """Round a drifting range inwards to three figures: what is read must not tremble."""
    low, high = least * shown.shown_scale, most * shown.shown_scale
    if not 0.0 < high - low < math.inf:
        return least, most
    step = 10.0 ** (math.floor(math.log10(high - low)) - 2)
    inside = math.ceil(low / step) * step, math.floor(high / step) * step
    return inside[0] / shown.shown_scale, inside[1] / shown.shown_scale


def _is_same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
