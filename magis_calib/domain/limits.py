"""The one check of setpoints against limits.

Of decisions, of the last function before the socket, of controllers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

ROUNDING = 1e-9
"""Relative room for the rounding of a difference of two setpoints."""


class Limited(Protocol):
    """What is known of one actuator (SI)."""

    @property
    def minimum(self) -> float: ...  # noqa: D102
    @property
    def maximum(self) -> float: ...  # noqa: D102
    @property
    def step_limit(self) -> float: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class BrokenLimit:
    """Why a setpoint (SI) must not be written. The codes are those of docs/protocol.md."""

    code: Literal["unknown_name", "not_finite", "limit", "step"]
    name: str
    value: float
    why: str

    def __str__(self) -> str:
        return f"{self.name} = {self.value:.10g}: {self.why}"


def broken_limit(
    name: str, value: float, known: Mapping[str, Limited], before: float, slack: float = 0.0
) -> BrokenLimit | None:
    """Return the limit that this setpoint would break, None where it breaks none.

    `before`: where the actuator stands, NaN where that is not known; `slack`: how inexactly.
    """
    one = known.get(name)
    if one is None:
        return BrokenLimit(
            "unknown_name", name, value, f"no parameter of this name, known are {sorted(known)}"
        )
    if not math.isfinite(value):
        return BrokenLimit("not_finite", name, value, "not a finite number")
    if not one.minimum <= value <= one.maximum:
        return BrokenLimit(
            "limit", name, value, f"outside its range [{one.minimum:g}, {one.maximum:g}]"
        )
    step = value - before
    if abs(step) > one.step_limit * (1.0 + ROUNDING) + ROUNDING * abs(value) + slack:
        return BrokenLimit(
            "step", name, value, f"a step of {step:g}, more than the limit of {one.step_limit:g}"
        )
    return None
