"""The response matrix in force and the newest measured one, as people look at them.

Numbers, errors, origin.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

NO_FILE = (
    "this run has no configuration file to write it into: write one with "
    "`magis-calib config --default > station.toml` and start again with `--config station.toml`"
)

DIFFERS_SIGMA = 4.0
"""Elements so many standard errors apart are different."""

Rows = Mapping[str, Mapping[str, float]]
"""By observable, then by actuator."""


@dataclass(frozen=True, slots=True, eq=False)
class MatrixState:
    """One matrix, of the configuration or measured."""

    name: str
    values: Rows
    """SI: what an observable changes by for each unit of an actuator; every actuator of the loop
    stands in each row.
    Of a measured one NaN where it could not be."""
    strength: Rows
    """The same in units of each observable's noise and of the motion that makes so much of the
    actuator's main one.
    """
    stderr: Rows
    """SI; empty, or without an entry, where no error is known."""
    measured_ns: int | None
    """UTC, when the product that it came from was made; None where it is nobody's product."""
    origin: str
    """Where it came from, in words."""


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredMatrix:
    """The newest measured matrix that can be put in force at this station."""

    matrix: MatrixState
    """As measured, under the name that it would have in the configuration."""
    product: str
    """Path of the product that holds it."""
    taken_as_zero: frozenset[tuple[str, str]]
    """Observable and actuator of elements that are not told from 0 and would be in force as 0."""
    saved: str
    """Name of the matrix that the configuration file names now: another one than in force after a
    promotion.
    """

    @property
    def promoted(self) -> bool:
        """Whether the configuration file names it already."""
        return self.saved == self.matrix.name


def sigmas_apart(one: float, other: float, errors: Iterable[float]) -> float:
    """Return how far two elements are apart in standard errors; NaN where both are exact."""
    error = math.hypot(*errors)
    return (one - other) / error if error > 0 else math.nan


def difference(one: MatrixState, other: MatrixState) -> dict[str, dict[str, float]]:
    """Return one matrix minus the other in standard errors of the difference.

    NaN where no error is known.

    An error that is not known of one of them counts as none: that one is taken as exact.
    """
    return {
        observable: {actuator: _apart(one, other, observable, actuator) for actuator in row}
        for observable, row in other.values.items()
    }


def _apart(one: MatrixState, other: MatrixState, observable: str, actuator: str) -> float:
    ours, theirs = one.values[observable][actuator], other.values[observable][actuator]
    errors = [_stderr(matrix, observable, actuator) for matrix in (one, other)]
    return sigmas_apart(ours, theirs, errors)


def _stderr(matrix: MatrixState, observable: str, actuator: str) -> float:
    """Return the standard error of an element, 0 where it was not measured."""
    return matrix.stderr.get(observable, {}).get(actuator, 0.0)
