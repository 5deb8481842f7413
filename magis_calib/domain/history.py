"""The numbers of every drop of a run, a row each: small, so that days of drops stay at hand for plots and reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from magis_calib.domain.health import HEALTH, health_of
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES, REPORTED

if TYPE_CHECKING:
    from magis_calib.domain.snapshot import DropRecord

HistoryRows = npt.NDArray[np.void]
"""Rows of `HISTORY_ROW`."""

HISTORY_ROW = np.dtype(
    [
        ("drop_id", "i8"),
        ("time_ns", "i8"),
        ("interferometer", "?"),
        ("values", "f8", (len(REPORTED),)),
        ("stderr", "f4", (len(REPORTED),)),
        ("health", "f4", (len(HEALTH), 2)),
        ("in_force", "f8", (len(ACTUATORS),)),
        ("targets", "f8", (len(OBSERVABLES),)),
        ("words", "S64"),
    ]
)
"""SI, in the order of `REPORTED`, `HEALTH` (value and standard error), `ACTUATORS` and `OBSERVABLES`, NaN where there
is none. `words`: the decision, or why the drop cannot be used, as far as it fits."""
NO_HISTORY: HistoryRows = np.empty(0, HISTORY_ROW)
CAPACITY = 100_000
"""Drops: a day at one a second. Beyond it the older half is let go."""
_REPORTED, _HEALTH, _SETPOINTS = (
    {name: at for at, name in enumerate(names)} for names in (REPORTED, HEALTH, ACTUATORS)
)


class History:
    """Takes in drops. One thread appends; what `rows` returned never changes."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Begin with no drop. Memory is touched as it fills."""
        self._rows = np.zeros(capacity, HISTORY_ROW)
        self._held = 0
        self._covariances, self._usable = np.zeros((len(OBSERVABLES), len(OBSERVABLES))), 0

    @property
    def rows(self) -> HistoryRows:
        """All drops so far, oldest first: a view that nobody may write to."""
        view = self._rows[: self._held]
        view.flags.writeable = False
        return view

    @property
    def fit_covariance(self) -> npt.NDArray[np.float64] | None:
        """Mean covariance of the estimates of interferometer drops, 6x6; None before the first that is whole."""
        return self._covariances / self._usable if self._usable else None

    def add(self, record: DropRecord) -> None:
        """Append one finished drop."""
        if self._held == len(self._rows):
            fresh = np.zeros_like(self._rows)
            self._held //= 2
            fresh[: self._held] = self._rows[-self._held :]
            self._rows = fresh
        self._rows[self._held] = _row(record)
        self._held += 1
        if record.sequence_type == "interferometer" and np.all(np.isfinite(record.estimate.covariance)):
            self._covariances, self._usable = self._covariances + record.estimate.covariance, self._usable + 1


def column(rows: HistoryRows, name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.floating[Any]]]:
    """Return values and standard errors (SI) of an observable, diagnostic, health number or actuator, drop by drop."""
    if name in _REPORTED:
        return rows["values"][:, _REPORTED[name]], rows["stderr"][:, _REPORTED[name]]
    if name in _HEALTH:
        told = rows["health"][:, _HEALTH[name]]
        return told[:, 0].astype(np.float64), told[:, 1]
    values = rows["in_force"][:, _SETPOINTS[name]]
    return values, np.full(values.shape, np.nan)


def words(row: Any) -> str:
    """Return what was said of the drop of one row."""
    return bytes(row["words"]).decode("utf-8", errors="ignore")


def _row(record: DropRecord) -> tuple[Any, ...]:
    estimate, nothing = record.estimate, float("nan")
    said = record.decision.in_words() if estimate.usable else "; ".join(estimate.reasons)
    health = health_of(estimate)
    return (
        record.drop_id,
        record.time_ns,
        record.sequence_type == "interferometer",
        [estimate.values.get(name, nothing) for name in REPORTED],
        [estimate.stderr.get(name, nothing) for name in REPORTED],
        [(health[name].value, health[name].stderr) for name in HEALTH],
        [record.in_force.get(name, nothing) for name in ACTUATORS],
        [record.targets.get(name, nothing) for name in OBSERVABLES],
        said.encode()[: HISTORY_ROW["words"].itemsize],
    )
