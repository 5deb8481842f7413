"""What a procedure measures, drawn while it runs: one quantity against another, a point for each drop."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Axes:
    """What is drawn against what. Everything is SI."""

    up: str
    """Name of an observable or diagnostic."""
    across: str = ""
    """Name of an actuator; empty for the number of the drop."""
    target: float | None = None
    """What `up` is to come to."""
    tolerance: float = 0.0
    """How far from the target is near enough."""
    slope: float | None = None
    """Change of `up` by `across` as the matrix in force has it."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What one drop showed."""

    drop_id: int
    at: float
    seen: float
    stderr: float
    """NaN where the fit gives none."""
    part: str
    """Which of several curves in one plot it belongs to, in words; empty where there is one."""


@dataclass(frozen=True, slots=True)
class LiveCurve:
    """One curve as far as it is measured."""

    axes: Axes
    points: tuple[CurvePoint, ...] = ()

    def with_point(self, point: CurvePoint) -> LiveCurve:
        """Return the curve with one more point."""
        return replace(self, points=(*self.points, point))
