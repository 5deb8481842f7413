"""Which targets can be reached: where actuators would stand for them, within range."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from magis_calib.domain.control import ParameterFacts, Setpoints
from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES, wrap_error
from magis_calib.feedback.loop import Loop

SLACK = 1e-9
"""Of a range: what rounding may add to a setpoint that the present targets need as well."""


def out_of_reach(
    name: str, value: float, loop: Loop, commanded: Setpoints, facts: Mapping[str, ParameterFacts]
) -> str:
    """Say why an observable cannot be brought to this value; empty where it can.

    Only what the new target asks for beyond the present ones counts: a range that the drift has
    already used up is not this target's fault.
    """
    if not math.isfinite(value):
        return f"{name} = {value}: wanted a finite number"
    start = _start(loop, commanded)
    asked = {**loop.targets, name: value}
    present = loop.targets
    needed, before = _needed(asked, loop, start), _needed(present, loop, start)
    words = []
    for column, (actuator, (low, high)) in enumerate(_ranges(loop, facts).items()):
        slack = SLACK * (high - low)
        shown = ACTUATORS[actuator]
        goal, now = float(needed[column]), float(before[column])
        if goal > max(high, now) + slack or goal < min(low, now) - slack:
            words.append(
                f"{shown.label} would have to go to {shown.shown(goal)}, its range is "
                f"[{shown.shown(low)}, {shown.shown(high)}] {shown.shown_unit}".rstrip()
            )
    return f"{OBSERVABLES[name].label} out of reach: {'; '.join(words)}" if words else ""


def reach(
    loop: Loop, commanded: Setpoints, facts: Mapping[str, ParameterFacts]
) -> dict[str, tuple[float, float]]:
    """Return between which targets each observable can be brought, all others kept at theirs.

    A phase is given within half a turn of its target, where all of that can be reached.
    """
    before = _needed(loop.targets, loop, _start(loop, commanded))
    low, high = np.array(list(_ranges(loop, facts).values())).T
    down, up = np.minimum(low - before, 0.0), np.maximum(high - before, 0.0)
    moves = np.linalg.inv(loop.response.matrix)
    found = {}
    for row, name in enumerate(OBSERVABLES):
        needs = moves[:, row][moves[:, row] != 0.0]
        ends = np.sort(np.stack([down, up])[:, moves[:, row] != 0.0] / needs, axis=0)
        lower, upper = float(ends[0].max()), float(ends[1].min())
        if name == "phase_rad":
            lower = max(lower, -math.pi)
            upper = min(upper, math.pi)
        found[name] = loop.targets[name] + lower, loop.targets[name] + upper
    return found


def _start(loop: Loop, commanded: Setpoints) -> Setpoints:
    """Return the setpoints commanded last, or the nominal ones while they are not known."""
    return dict(commanded) or {name: one.nominal for name, one in loop.config.actuators.items()}


def _ranges(loop: Loop, facts: Mapping[str, ParameterFacts]) -> dict[str, tuple[float, float]]:
    """Return where each actuator may stand: the narrower of both ranges."""
    found = {}
    for name in loop.response.actuators:
        own = loop.config.actuators[name]
        device = facts.get(name)
        low = own.minimum if device is None else max(own.minimum, device.minimum)
        found[name] = low, own.maximum if device is None else min(own.maximum, device.maximum)
    return found


def _needed(targets: Mapping[str, float], loop: Loop, commanded: Setpoints) -> Array:
    """Return setpoints for these targets, in the order of the response's actuators."""
    expected = loop.expected(commanded)
    errors = np.array(
        [wrap_error(one, targets[one] - expected[row]) for row, one in enumerate(OBSERVABLES)]
    )
    needed: Array = loop.response.vector(commanded) + np.linalg.solve(loop.response.matrix, errors)
    return needed
