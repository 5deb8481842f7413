"""The response matrix in force, as it can be looked at: numbers, errors where they are known, and where it is from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Rows = Mapping[str, Mapping[str, float]]
"""By observable, then by actuator."""


@dataclass(frozen=True, slots=True, eq=False)
class MatrixState:
    """One matrix of the configuration."""

    name: str
    values: Rows
    """SI: what an observable changes by for each unit of an actuator; every actuator of the loop stands in each row."""
    strength: Rows
    """The same in units of each observable's noise and of the motion that makes so much of the actuator's main one."""
    stderr: Rows
    """SI; empty, or without an entry, where no error is known."""
    measured_ns: int | None
    """UTC, when the product that it came from was made; None where it is nobody's product."""
    origin: str
    """Where it came from, in words."""
