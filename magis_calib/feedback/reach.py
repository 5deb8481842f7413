"""Whether a target can be reached: where the actuators would have to stand for it, against their ranges."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from magis_calib.domain.config import Station
from magis_calib.domain.control import ParameterFacts, Setpoints
from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES, wrap_error
from magis_calib.feedback.loop import Loop

SLACK = 1e-9
"""Of a range: what rounding may add to a setpoint that the present targets need as well."""


def out_of_reach(
    name: str, value: float, loop: Loop, station: Station, commanded: Setpoints, facts: Mapping[str, ParameterFacts]
) -> str:
    """Say why this observable cannot be brought to this value, all others kept at their targets; empty where it can.

    Only what the new target asks for beyond the present ones counts: a range that the drift has already used up is
    not this target's fault.
    """
    if not math.isfinite(value):
        return f"{name} = {value}: wanted a finite number"
    start = dict(commanded) or {one: config.nominal for one, config in station.loop.actuators.items()}
    asked, present = {**loop.targets, name: value}, loop.targets
    needed, before = _needed(asked, loop, start), _needed(present, loop, start)
    words = []
    for column, actuator in enumerate(loop.response.actuators):
        own, device, shown = station.loop.actuators[actuator], facts.get(actuator), ACTUATORS[actuator]
        low = own.minimum if device is None else max(own.minimum, device.minimum)
        high = own.maximum if device is None else min(own.maximum, device.maximum)
        slack = SLACK * (high - low)
        goal, now = float(needed[column]), float(before[column])
        if goal > max(high, now) + slack or goal < min(low, now) - slack:
            words.append(f"{shown.label} would have to go to {shown.shown(goal)}, its range is "
                         f"[{shown.shown(low)}, {shown.shown(high)}] {shown.shown_unit}".rstrip())  # fmt: skip
    return f"{OBSERVABLES[name].label} out of reach: {'; '.join(words)}" if words else ""


def _needed(targets: Mapping[str, float], loop: Loop, commanded: Setpoints) -> Array:
    """Return the setpoints that should give these targets, in the order of the response's actuators."""
    expected = loop.expected(commanded)
    errors = np.array([wrap_error(one, targets[one] - expected[row]) for row, one in enumerate(OBSERVABLES)])
    needed: Array = loop.response.vector(commanded) + np.linalg.solve(loop.response.matrix, errors)
    return needed
