"""From the errors expected to new absolute setpoints, inside step caps and ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.optimize

from magis_calib.domain.config import Loop
from magis_calib.domain.control import ParameterFacts, Setpoints
from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import ACTUATORS, CLOSING_ORDER, OBSERVABLES
from magis_calib.feedback.response import Response


@dataclass(frozen=True, slots=True)
class Move:
    """New setpoints as wanted, and inside the limits."""

    proposed: Setpoints
    limited: Setpoints
    limits: tuple[str, ...]


def correcting_move(
    errors: Mapping[str, float],
    commanded: Setpoints,
    response: Response,
    loop: Loop,
    facts: Mapping[str, ParameterFacts],
) -> Move:
    """Return the move that takes away the errors expected of the observables given.

    Each observable is served by its main actuator, and the couplings among those are undone by the inverse of their
    block. Where a cap or range bites, the steps are chosen again in the closing order, each stage by bounded least
    squares on the errors that it leaves, in units of each observable's noise, after the motion of the stages before: so
    no actuator compensates a motion that did not happen, and no position is spoilt for a phase.
    """
    used = list(errors)
    actuators = [loop.observables[name].actuator for name in used]
    block = response.block(used, actuators)
    unit = np.array([response.unit[response.actuators.index(name)] for name in actuators])
    noise = np.array([response.noise[list(OBSERVABLES).index(name)] for name in used])
    scaled = block * unit[None, :] / noise[:, None]
    wanted = -np.linalg.solve(scaled, np.array(list(errors.values())) / noise)
    lower, upper, words = _room(actuators, commanded, loop, facts)
    stages = [[used.index(name) for name in stage if name in used] for stage in CLOSING_ORDER]
    bounded = _bounded(scaled, wanted, lower / unit, upper / unit, stages)
    limits = tuple(
        word
        for word, want, low, high in zip(words, wanted * unit, lower, upper, strict=True)
        if not low <= want <= high
    )
    return Move(
        _moved(commanded, actuators, wanted * unit),
        _moved(commanded, actuators, np.clip(bounded * unit, lower, upper)),
        limits,
    )


def _room(
    actuators: Sequence[str], commanded: Setpoints, loop: Loop, facts: Mapping[str, ParameterFacts]
) -> tuple[Array, Array, list[str]]:
    """Return the least and largest step of each actuator, and words for when one of them bites."""
    lower, upper, words = [], [], []
    for name in actuators:
        own, device, now = loop.actuators[name], facts[name], commanded[name]
        cap = min(own.step_cap, device.sure_step)
        low, high = max(own.minimum, device.minimum), min(own.maximum, device.maximum)
        lower.append(min(0.0, max(-cap, low - now)))
        upper.append(max(0.0, min(cap, high - now)))
        shown = ACTUATORS[name]
        words.append(f"{shown.label}: step cap {shown.shown(cap)} or range [{shown.shown(low)}, {shown.shown(high)}] "
                     f"{shown.shown_unit}")  # fmt: skip
    return np.array(lower), np.array(upper), words


def _bounded(scaled: Array, wanted: Array, lower: Array, upper: Array, stages: Sequence[Sequence[int]]) -> Array:
    """Return the step inside the bounds whose effect is nearest to that of the wanted one, stage by stage."""
    if np.all(wanted >= lower) and np.all(wanted <= upper):
        return wanted
    step = np.zeros_like(wanted)
    for stage in stages:
        missing = (scaled @ (wanted - step))[list(stage)]
        free = [at for at in stage if upper[at] > lower[at]]
        if free:
            block = scaled[np.ix_(list(stage), free)]
            step[free] = scipy.optimize.lsq_linear(
                block, missing, (lower[free], upper[free]), method="bvls", tol=1e-12
            ).x
    return step


def _moved(commanded: Setpoints, actuators: Sequence[str], steps: Array) -> Setpoints:
    moved = dict(commanded)
    for name, step in zip(actuators, steps, strict=True):
        moved[name] = commanded[name] + float(step)
    return moved
