"""Numbers of many drops as arrays that can be drawn, in the units people read. No Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import Quantity, wrap_error
from magis_calib.domain.snapshot import ActuatorState, DropRecord


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One value for each drop; NaN where the drop says nothing."""

    drops: Array
    values: Array
    errors: Array
    """Standard errors; NaN where there is none, and where it is so large that it would drown the picture."""

    def line(self, jump: float = math.inf) -> tuple[Array, Array]:
        """Return the points of a line that is broken where neighbours differ by more than `jump`."""
        steps = np.abs(np.diff(np.nan_to_num(self.values)))
        breaks = np.flatnonzero(steps > jump) + 1
        return np.insert(self.drops, breaks, np.nan), np.insert(self.values, breaks, np.nan)

    def extent(self) -> tuple[float, float]:
        """Return the lowest and highest end of the error bars; NaN when there is no value."""
        if not np.isfinite(self.values).any():
            return math.nan, math.nan
        errors = np.nan_to_num(self.errors)
        return float(np.nanmin(self.values - errors)), float(np.nanmax(self.values + errors))


def observed(records: Sequence[DropRecord], quantity: Quantity, about: float = 0.0) -> Series:
    """Collect one reported quantity; the phase is counted from `about` so that it does not jump."""
    name, scale = quantity.name, quantity.shown_scale
    measured = (record.estimate.values.get(name, math.nan) for record in records)
    values = [about + wrap_error(name, one - about) if math.isfinite(one) else math.nan for one in measured]
    errors = np.array([record.estimate.stderr.get(name, math.nan) for record in records], dtype=float) * scale
    known = errors[np.isfinite(errors)]
    if known.size:
        errors[errors > 8.0 * np.median(known)] = np.nan
    return Series(_drops(records), np.array(values, dtype=float) * scale, errors)


def in_force(records: Sequence[DropRecord], quantity: Quantity) -> Series:
    """Collect the setpoints of one actuator that the atoms of each drop saw."""
    values = np.array([record.in_force.get(quantity.name, math.nan) for record in records], dtype=float)
    return Series(_drops(records), values * quantity.shown_scale, np.full(len(records), np.nan))


def steered(records: Sequence[DropRecord]) -> frozenset[str]:
    """Return the actuators that the loop moves, as far as the newest proposal tells."""
    proposals = (record.decision.proposal for record in reversed(records))
    newest = next((one for one in proposals if one is not None), None)
    return frozenset(newest.proposed) if newest is not None else frozenset()


def by_hand_last(actuators: Sequence[ActuatorState], loop: frozenset[str]) -> list[ActuatorState]:
    """Put those that the loop moves first, and leave the order as it is otherwise."""
    return sorted(actuators, key=lambda one: one.name not in loop)


def _drops(records: Sequence[DropRecord]) -> Array:
    return np.array([record.drop_id for record in records], dtype=float)
