"""A what-if in numbers: observables about their targets, actuators' motion, before and after."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from magis_calib.domain.quantities import OBSERVABLES, wrap_error
from magis_calib.replay.what_if import Otherwise
from magis_calib.state.what_if import Beside, Spread


@dataclass(frozen=True, slots=True)
class Motion:
    """Root mean square of an actuator's steps from drop to drop (SI)."""

    name: str
    happened: float
    predicted: float


def spreads(drops: Sequence[Otherwise]) -> list[Beside]:
    """Return how each observable lay about its target, over the usable interferometer drops."""
    used = [
        one
        for one in drops
        if one.record.sequence_type == "interferometer" and one.record.estimate.usable
    ]
    found = []
    for name in OBSERVABLES:
        happened = [
            one.record.estimate.values[name] - one.record.targets.get(name, one.targets[name])
            for one in used
        ]
        predicted = [one.estimate.values[name] - one.targets[name] for one in used]
        found.append(Beside(name, _spread(name, happened), _spread(name, predicted)))
    return found


def motions(drops: Sequence[Otherwise], actuators: Sequence[str]) -> list[Motion]:
    """Return how much each actuator moved."""
    return [
        Motion(
            name,
            _rms([one.record.in_force[name] for one in drops]),
            _rms([one.in_force[name] for one in drops]),
        )
        for name in actuators
    ]


def held_in_words(drops: Sequence[Otherwise]) -> str:
    """Say after how many drops nothing would have been sent although something was, and why.

    Empty for none.
    """
    held = [one for one in drops if one.hold]
    if not held:
        return ""
    return (
        f"after {len(held)} drops that were corrected nothing would have been sent, first after "
        f"drop {held[0].record.drop_id}: {held[0].hold}"
    )


def _spread(name: str, errors: Sequence[float]) -> Spread:
    known = np.array([wrap_error(name, one) for one in errors if math.isfinite(one)])
    if not known.size:
        return Spread(math.nan, math.nan)
    return Spread(float(known.mean()), float(np.sqrt(np.mean(known**2))))


def _rms(values: Sequence[float]) -> float:
    steps = np.diff(np.array(values))
    return float(np.sqrt(np.mean(steps**2))) if steps.size else 0.0
