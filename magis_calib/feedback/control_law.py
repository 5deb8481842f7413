"""From errors to new absolute setpoints, inside step caps, ranges and excursion."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.optimize

from magis_calib.config.loop import LoopConfig
from magis_calib.domain.control import ParameterFacts, Proposal, Setpoints
from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import ACTUATORS, CLOSING_ORDER, OBSERVABLES
from magis_calib.feedback.response_matrix import Response


@dataclass(frozen=True, slots=True)
class Headroom:
    """How far one actuator may go in the next step (SI)."""

    lower: float
    upper: float
    at_minimum: bool
    at_maximum: bool
    low: float
    high: float
    cap: float

    def in_words(self, name: str) -> str:
        """Say what bounds the next step of this actuator."""
        shown = ACTUATORS[name]
        return (
            f"{shown.label}: step cap {shown.shown(self.cap)} or limits [{shown.shown(self.low)}, "
            f"{shown.shown(self.high)}] {shown.shown_unit}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Observables with one actuator each, in units of noise and of unit motions."""

    actuators: tuple[str, ...]
    unit: Array
    noise: Array
    scaled: Array
    inverse: Array
    stages: tuple[tuple[int, ...], ...]
    """Places of the observables, in the closing order."""


def correcting_move(
    errors: Mapping[str, float],
    commanded: Setpoints,
    response: Response,
    headroom: Mapping[str, Headroom],
    share: float,
) -> tuple[Proposal, tuple[str, ...]]:
    """Return the move that takes away this share of the errors expected, and the limits it meets.

    Each observable is served by its main actuator, and the couplings among those are undone by the
    inverse of their block. Where a cap or range bites, the steps are chosen again in the closing
    order, each stage by bounded least squares on the errors that it leaves, in units of each
    observable's noise, after the motion of the stages before: so no actuator compensates a motion
    that did not happen, and no position is spoilt for a phase. The second value names actuators
    that stand at a limit and would have to go further.
    """
    block = _block(response, tuple(errors))
    wanted = -block.inverse @ (np.array(list(errors.values())) / block.noise)
    own = {name: headroom[name] for name in block.actuators}
    lower = np.array([one.lower for one in own.values()])
    upper = np.array([one.upper for one in own.values()])
    bounded = _bounded(block, share * wanted, lower / block.unit, upper / block.unit)
    steps = wanted * block.unit
    limited = np.clip(bounded * block.unit, lower, upper)
    bites, stuck = _limits_met(own, steps.tolist(), share)
    proposal = Proposal(
        dict(errors),
        _moved(commanded, response.actuators, block.actuators, steps),
        _moved(commanded, response.actuators, block.actuators, limited),
        bites,
    )
    return proposal, stuck


def _limits_met(
    own: Mapping[str, Headroom], steps: Sequence[float], share: float
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is limited of this share of the steps, and the limits that nothing gets past."""
    limits, stuck = [], []
    for (name, one), step in zip(own.items(), steps, strict=True):
        if not one.lower <= share * step <= one.upper:
            limits.append(one.in_words(name))
        if (one.at_maximum and step > one.upper) or (one.at_minimum and step < one.lower):
            stuck.append(one.in_words(name))
    limits += [f"resumed: {share:.0%} of the correction"] if share < 1 else []
    return tuple(limits), tuple(stuck)


def rooms_at(
    commanded: Setpoints, approved: Setpoints, loop: LoopConfig, facts: Mapping[str, ParameterFacts]
) -> dict[str, Headroom]:
    """Return how far each actuator may go: step cap, range, excursion from what was approved."""
    headroom = {}
    for name, own in loop.actuators.items():
        device, now = facts[name], commanded[name]
        away = math.inf if own.excursion == "range" else own.excursion
        cap = min(own.step_cap, device.sure_step)
        low = max(own.minimum, device.minimum, approved[name] - away)
        high = min(own.maximum, device.maximum, approved[name] + away)
        near = device.readback_tolerance + 1e-6 * cap
        lower = min(0.0, max(-cap, low - now))
        upper = max(0.0, min(cap, high - now))
        headroom[name] = Headroom(
            lower, upper, now - low <= near, high - now <= near, low, high, cap
        )
    return headroom


@functools.lru_cache(maxsize=64)
def _block(response: Response, used: tuple[str, ...]) -> _Block:
    """Work out once what a set of observables needs; which ones can be used seldom changes."""
    rows = [list(OBSERVABLES).index(name) for name in used]
    actuators = tuple(response.mains[row] for row in rows)
    unit = np.array([response.unit[response.actuators.index(name)] for name in actuators])
    noise = response.noise[rows]
    scaled = response.block(used, actuators) * unit[None, :] / noise[:, None]
    stages = tuple(
        tuple(used.index(name) for name in stage if name in used) for stage in CLOSING_ORDER
    )
    return _Block(actuators, unit, noise, scaled, np.linalg.inv(scaled), stages)


def _bounded(block: _Block, wanted: Array, lower: Array, upper: Array) -> Array:
    """Return the step in bounds with nearly the effect of the wanted one, stage by stage."""
    if np.all(wanted >= lower) and np.all(wanted <= upper):
        return wanted
    step = np.zeros_like(wanted)
    for stage in block.stages:
        missing = (block.scaled @ (wanted - step))[list(stage)]
        free = [at for at in stage if upper[at] > lower[at]]
        if free:
            own = block.scaled[list(stage)][:, free]
            step[free] = _nearest(own, missing, lower[free], upper[free])
    return step


def _nearest(block: Array, missing: Array, lower: Array, upper: Array) -> Array:
    """Return the bounded step whose effect is nearest to what is missing.

    Without couplings each is clipped alone.
    """
    if (
        block.shape[0] == block.shape[1]
        and np.count_nonzero(block) == len(block)
        and np.diag(block).all()
    ):
        return np.clip(missing / np.diag(block), lower, upper)
    found: Array = scipy.optimize.lsq_linear(
        block, missing, (lower, upper), method="bvls", tol=1e-12
    ).x
    return found


def _moved(
    commanded: Setpoints, kept: Sequence[str], actuators: Sequence[str], steps: Array
) -> dict[str, float]:
    moved = {name: commanded[name] for name in kept}
    for name, step in zip(actuators, steps, strict=True):
        moved[name] = commanded[name] + float(step)
    return moved
