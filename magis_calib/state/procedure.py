"""How far a procedure has come, and what it measures.

One quantity against another, a point for each drop.
"""

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
    """What one drop showed (SI)."""

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


@dataclass(frozen=True, slots=True)
class ProcedureState:
    """How far a procedure has come, or how the last one ended."""

    name: str
    words: str
    """What it does now, or how it ended."""
    done: int
    """Drops taken."""
    planned: int
    """Drops in all, as far as is known."""
    began_s: float
    """Monotonic clock."""
    left_s: float | None
    """Time left by the pace so far; None before there is one, and at the end."""
    running: bool
    good: bool = True
    """Of an ended one: whether it found what it was to find."""
    cancelled: bool = False
    """Of an ended one: whether the operator, a fault or the end of the run ended it."""
    product: str = ""
    """Path of what it left."""
    curves: tuple[LiveCurve, ...] = ()
    """What it, or the step of it that came last, measured so far."""

    def in_words(self) -> str:
        """Say what it does now, how far it is, and how long it will take; or how it ended."""
        if not self.running:
            return f"{self.name} ended after {self.done} drops: {self.words}"
        left = f", {self.left_s:.0f} s left" if self.left_s is not None else ""
        return f"{self.name}: {self.done} of {self.planned} drops{left}: {self.words}"


NOT_POKED = "not poked"
