"""The way to setpoints further off than one write may go, judged before the first step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from magis_calib.domain.control import ParameterFacts, Setpoints
from magis_calib.domain.devices import ActuatorState
from magis_calib.domain.limits import broken_limit
from magis_calib.domain.quantities import quantity_of

MOST_STEPS = 200


@dataclass(frozen=True, slots=True)
class MoveResult:
    """Whether the actuators came to where they were sent, and what became of it in words."""

    there: bool
    words: str


def still_away(
    goal: Setpoints, readback: Setpoints, facts: Mapping[str, ParameterFacts]
) -> dict[str, float]:
    """Return the part of the goal that is off by more than a read-back may be."""
    return {
        name: value
        for name, value in goal.items()
        if name not in facts
        or not abs(value - readback.get(name, math.nan)) <= facts[name].readback_tolerance
    }


def unreachable(goal: Setpoints, readback: Setpoints, facts: Mapping[str, ParameterFacts]) -> str:
    """Say why this goal must not even be walked towards; empty where it may."""
    wrong = []
    for name, value in goal.items():
        broken = broken_limit(name, value, facts, before=math.nan)
        if broken is not None:
            wrong.append(str(broken))
        elif not math.isfinite(readback.get(name, math.nan)):
            wrong.append(f"{name} has no read-back to step from")
    return "; ".join(wrong)


def next_step(
    goal: Setpoints, readback: Setpoints, facts: Mapping[str, ParameterFacts]
) -> dict[str, float]:
    """Return the setpoints to write next: the goal, or as far towards it as surely is taken."""
    return {
        name: _towards(value, readback[name], facts[name].sure_step) for name, value in goal.items()
    }


def _towards(goal: float, now: float, cap: float) -> float:
    return goal if abs(goal - now) <= cap else now + math.copysign(cap, goal - now)


def moves_in_words(goal: Setpoints, states: Sequence[ActuatorState]) -> list[str]:
    """Write the way of each actuator that stands off its goal by more than its tolerance."""
    words = []
    for state in states:
        wanted = goal.get(state.name)
        if wanted is not None and not abs(wanted - state.readback) <= state.readback_tolerance:
            shown = quantity_of(state.name)
            way = f"{shown.shown(state.readback)} → {shown.shown(wanted)}".replace("-", "−")
            words.append(f"{shown.label} {way} {shown.shown_unit}".rstrip())
    return words
