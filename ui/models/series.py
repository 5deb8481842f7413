"""Numbers of many drops as arrays that can be drawn, in the units people read. No Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from magis_calib.domain.devices import ActuatorState
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import OBSERVABLES, REPORTED, TWO_PI, Quantity
from magis_calib.state.history import HistoryRows, column
from magis_calib.state.statistics import targets_of
from ui.models.plot import Table

MOST_MARKS = 250
"""Above this many drops only the line is drawn: marks and error bars would touch each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One value for each drop, in the unit that people read; NaN where it says nothing."""

    drops: Array
    values: Array
    errors: Array
    """Standard errors.

    NaN where there is none, where one would drown all else, and for many drops.
    """

    def line(self, jump: float = math.inf) -> tuple[Array, Array]:
        """Return the points of a line, broken where neighbours differ by more than `jump`."""
        steps = np.abs(np.diff(np.nan_to_num(self.values)))
        breaks = np.flatnonzero(steps > jump) + 1
        return np.insert(self.drops, breaks, np.nan), np.insert(self.values, breaks, np.nan)

    def envelope(self, buckets: int) -> tuple[Array, Array]:
        """Return the lowest and highest value of each bucket: what a screen shows of many drops."""
        starts = np.linspace(0, len(self.drops), buckets, endpoint=False).astype(int)
        ends = [one.reduceat(self.values, starts) for one in (np.fmin, np.fmax)]
        return np.repeat(self.drops[starts], 2), np.column_stack(ends).ravel()

    def extent(self) -> tuple[float, float]:
        """Return the lowest and highest end of the error bars; NaN when there is no value."""
        if not np.isfinite(self.values).any():
            return math.nan, math.nan
        errors = np.nan_to_num(self.errors) if len(self.drops) <= MOST_MARKS else 0.0
        return float(np.nanmin(self.values - errors)), float(np.nanmax(self.values + errors))


def series_of(rows: HistoryRows, quantity: Quantity, about_rad: float = 0.0) -> Series:
    """Collect one quantity of all drops.

    The phase is counted from `about_rad` so that it does not jump.
    """
    values, stderr = column(rows, quantity.name)
    if quantity.name == "phase_rad":
        middle = about_rad + math.pi
        values = middle - np.mod(middle - values, TWO_PI)
    errors = np.full(len(rows), np.nan)
    if len(rows) <= MOST_MARKS:
        errors = _drawable(stderr.astype(np.float64) * quantity.shown_scale)
    return Series(rows["drop_id"].astype(float), values * quantity.shown_scale, errors)


def within(rows: HistoryRows, first: float, last: float) -> HistoryRows:
    """Return the rows of the drops from `first` to `last` (numbers), both included."""
    begin, end = np.searchsorted(rows["drop_id"], [math.ceil(first), math.floor(last) + 1])
    return rows[begin:end]


def table_of(rows: HistoryRows, quantity: Quantity) -> Table:
    """Return drop, time, value, standard error and target (SI), as far as the quantity has them."""
    name = quantity.name
    values, stderr = column(rows, name)
    columns = {"drop_id": rows["drop_id"], "time_ns": rows["time_ns"], name: values}
    columns |= {f"{name}_stderr": stderr.astype(np.float64)} if name in REPORTED else {}
    columns |= {f"{name}_target": targets_of(rows, name)} if name in OBSERVABLES else {}
    units = {one: quantity.unit for one in columns if one.startswith(name)}
    return Table(
        columns, {"time_ns": "ns since 1970 (UTC)"} | units, ("nan: the drop says nothing",)
    )


def _drawable(errors: Array) -> Array:
    """Leave out what is far longer than the usual."""
    known = errors[np.isfinite(errors)]
    return np.where(errors > 8.0 * np.median(known), np.nan, errors) if known.size else errors


def steered(records: Sequence[DropRecord]) -> frozenset[str]:
    """Return the actuators that the loop moves, as far as the newest proposal tells."""
    proposals = (record.decision.proposal for record in reversed(records))
    newest = next((one for one in proposals if one is not None), None)
    return frozenset(newest.proposed) if newest is not None else frozenset()


def by_hand_last(actuators: Sequence[ActuatorState], loop: frozenset[str]) -> list[ActuatorState]:
    """Put those that the loop moves first, and leave the order as it is otherwise."""
    return sorted(actuators, key=lambda one: one.name not in loop)
