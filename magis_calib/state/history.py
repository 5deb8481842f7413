"""The numbers of every drop of a run, a row each.

Small, so that days of drops stay at hand for plots and reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, overload

import numpy as np
import numpy.typing as npt

from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES, REPORTED
from magis_calib.state.health import HEALTH, health_of

WORDS = 64
"""Bytes that are kept of what was said of a drop."""
_COLUMNS: dict[str, tuple[str, tuple[int, ...]]] = {
    "drop_id": ("i8", ()),
    "time_ns": ("i8", ()),
    "interferometer": ("?", ()),
    "values": ("f8", (len(REPORTED),)),
    "stderr": ("f4", (len(REPORTED),)),
    "health": ("f4", (len(HEALTH), 2)),
    "in_force": ("f8", (len(ACTUATORS),)),
    "targets": ("f8", (len(OBSERVABLES),)),
    "words": (f"S{WORDS}", ()),
}
CAPACITY = 100_000
"""Drops: a day at one a second. Beyond it the older half is let go."""
_REPORTED, _HEALTH, _SETPOINTS = (
    {name: at for at, name in enumerate(names)} for names in (REPORTED, HEALTH, ACTUATORS)
)


class HistoryRows:
    """Numbers of drops, oldest first.

    `rows["drop_id"]` is a column, `rows[10:20]` and `rows[mask]` are fewer rows.

    Columns hold SI in the order of `REPORTED`, `HEALTH` (value and standard error), `ACTUATORS` and
    `OBSERVABLES`, NaN where there is none. `words`: the decision, or why the drop cannot be used,
    as far as it fits. The numbers of one quantity lie side by side in memory: a day of them is read
    in a tenth of a millisecond.
    """

    def __init__(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        self._columns = columns

    @classmethod
    def zeros(cls, drops: int) -> Self:
        """Return so many rows, all zero. Memory is touched as it fills."""
        return cls(
            {
                name: np.zeros((drops, *inner), kind, order="F")
                for name, (kind, inner) in _COLUMNS.items()
            }
        )

    def __len__(self) -> int:
        return len(self._columns["drop_id"])

    @overload
    def __getitem__(self, wanted: str) -> npt.NDArray[Any]: ...
    @overload
    def __getitem__(self, wanted: slice | npt.NDArray[np.bool_]) -> HistoryRows: ...
    def __getitem__(
        self, wanted: str | slice | npt.NDArray[np.bool_]
    ) -> npt.NDArray[Any] | HistoryRows:
        if isinstance(wanted, str):
            return self._columns[wanted]
        return HistoryRows({name: column[wanted] for name, column in self._columns.items()})

    def fixed(self) -> HistoryRows:
        """Return a view that nobody may write to."""
        views = {name: column.view() for name, column in self._columns.items()}
        for view in views.values():
            view.flags.writeable = False
        return HistoryRows(views)

    def put(self, at: int, row: Mapping[str, Any]) -> None:
        """Write one row."""
        for name, value in row.items():
            self._columns[name][at] = value

    def copy_from(self, other: HistoryRows) -> None:
        """Begin with these rows."""
        for name, column in self._columns.items():
            column[: len(other)] = other[name]


NO_HISTORY = HistoryRows.zeros(0)


class History:
    """Takes in drops. One thread appends; what `rows` returned never changes."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Begin with no drop. Memory is touched as it fills."""
        self._rows = HistoryRows.zeros(capacity)
        self._held = 0
        self._covariances = np.zeros((len(OBSERVABLES), len(OBSERVABLES)))
        self._usable = 0
        self.rows = NO_HISTORY
        """All drops so far, oldest first: a view that nobody may write to."""

    @property
    def fit_covariance(self) -> npt.NDArray[np.float64] | None:
        """Mean covariance of the estimates of interferometer drops, 6x6.

        None before the first that is whole.
        """
        return self._covariances / self._usable if self._usable else None

    def add(self, record: DropRecord) -> None:
        """Append one finished drop."""
        if self._held == len(self._rows):
            fresh = HistoryRows.zeros(len(self._rows))
            self._held //= 2
            fresh.copy_from(self._rows[-self._held :])
            self._rows = fresh
        self._rows.put(self._held, _row(record))
        self._held += 1
        self.rows = self._rows[: self._held].fixed()
        if record.sequence_type == "interferometer" and np.all(
            np.isfinite(record.estimate.covariance)
        ):
            self._covariances = self._covariances + record.estimate.covariance
            self._usable = self._usable + 1


def column(
    rows: HistoryRows, name: str
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.floating[Any]]]:
    """Return values and standard errors (SI) of an observable, diagnostic, health number or
    actuator, drop by drop.
    """
    if name in _REPORTED:
        return rows["values"][:, _REPORTED[name]], rows["stderr"][:, _REPORTED[name]]
    if name in _HEALTH:
        told = rows["health"][:, _HEALTH[name]]
        return told[:, 0].astype(np.float64), told[:, 1]
    values = rows["in_force"][:, _SETPOINTS[name]]
    return values, np.full(values.shape, np.nan)


def words(rows: HistoryRows, at: int) -> str:
    """Return what was said of the drop of one row."""
    return bytes(rows["words"][at]).decode("utf-8", errors="ignore")


def _row(record: DropRecord) -> dict[str, Any]:
    estimate = record.estimate
    nothing = float("nan")
    said = record.decision.in_words() if estimate.usable else "; ".join(estimate.reasons)
    health = health_of(estimate)
    return {
        "drop_id": record.drop_id,
        "time_ns": record.time_ns,
        "interferometer": record.sequence_type == "interferometer",
        "values": [estimate.values.get(name, nothing) for name in REPORTED],
        "stderr": [estimate.stderr.get(name, nothing) for name in REPORTED],
        "health": [(health[name].value, health[name].stderr) for name in HEALTH],
        "in_force": [record.in_force.get(name, nothing) for name in ACTUATORS],
        "targets": [record.targets.get(name, nothing) for name in OBSERVABLES],
        "words": said.encode()[:WORDS],
    }
