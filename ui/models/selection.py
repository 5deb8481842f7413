"""What the drops in sight say of one quantity together. No Qt.

Observables are counted from the target in force at each drop, so that a moved target is no scatter;
all else as it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import OBSERVABLES, Quantity
from magis_calib.state.history import HistoryRows, column
from magis_calib.state.statistics import Allan, allan_deviation, deviations, share_within

LEAST_BINS, MOST_BINS = 8, 60
REACH_SD = 5.0
"""The histogram ends this far from the mean; what lies beyond is in its outermost bins."""


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The drops and the quantity that are asked about (SI)."""

    rows: HistoryRows
    quantity: Quantity
    target: float | None = None
    """Of drops that did not record theirs; None where nothing is aimed at."""
    tolerance: float | None = None

    @property
    def from_target(self) -> bool:
        """Whether the values are counted from the target."""
        return self.quantity.name in OBSERVABLES and self.target is not None

    @property
    def drops(self) -> tuple[int, int]:
        """First and last drop; 0 and 0 where there is none."""
        ids = self.rows["drop_id"]
        return (int(ids[0]), int(ids[-1])) if len(ids) else (0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """All of it in SI. NaN where too few drops are usable."""

    usable: int
    mean: float
    mean_error: float
    """Standard error of the mean, were the drops independent of each other."""
    scatter: float
    """Standard deviation from drop to drop (n − 1)."""
    fit_error: float
    """Root mean square of the standard errors that the fits give."""
    in_tolerance: float
    """Share of the usable drops within tolerance of the target in force.

    NaN where nothing is aimed at.
    """
    allan: Allan
    edges: Array
    """Of the bins of the histogram."""
    counts: Array


def values_of(selection: Selection) -> tuple[Array, Array]:
    """Return value and error of each drop (SI): observables minus target, phase in (−π, π]."""
    values, errors = column(selection.rows, selection.quantity.name)
    if selection.from_target:
        values = _from_target(selection)
    return values, errors.astype(np.float64)


def _from_target(selection: Selection) -> Array:
    target = math.nan if selection.target is None else selection.target
    return deviations(selection.rows, selection.quantity.name, target)


def statistics_of(selection: Selection) -> Statistics:
    """Work out everything; drops without a number are left out."""
    values, errors = values_of(selection)
    known = values[np.isfinite(values)]
    count = len(known)
    fitted = errors[np.isfinite(values) & np.isfinite(errors)]
    mean = float(known.mean()) if count else math.nan
    scatter = float(known.std(ddof=1)) if count > 1 else math.nan
    edges, counts = histogram(known)
    within = selection.tolerance if selection.from_target else None
    return Statistics(
        count,
        mean,
        scatter / math.sqrt(count) if count else math.nan,
        scatter,
        float(np.sqrt(np.mean(fitted**2))) if len(fitted) else math.nan,
        share_within(values, within) if within is not None else math.nan,
        allan_deviation(values),
        edges,
        counts,
    )


def histogram(known: Array) -> tuple[Array, Array]:
    """Return edges and counts; bins are 2 IQR / n^(1/3) wide (Freedman and Diaconis, 1981)."""
    if not len(known):
        return np.array([0.0, 1.0]), np.zeros(1)
    low, high = _reach(known)
    counts, edges = np.histogram(np.clip(known, low, high), _bins(known, high - low), (low, high))
    return edges, counts.astype(np.float64)


def _reach(known: Array) -> tuple[float, float]:
    """Return the ends of the outermost bins: not every outlier has a place of its own."""
    scatter = float(known.std()) or abs(float(known[0])) * 1e-6 or 1.0
    middle = float(known.mean())
    far = REACH_SD * scatter
    low = max(float(known.min()), middle - far)
    return low, max(min(float(known.max()), middle + far), low + 1e-3 * scatter)


def _bins(known: Array, span: float) -> int:
    quarter, three = np.percentile(known, (25, 75))
    width = 2.0 * float(three - quarter) / len(known) ** (1 / 3)
    return int(np.clip(span / width if width else LEAST_BINS, LEAST_BINS, MOST_BINS))
