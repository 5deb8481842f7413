"""An axis that grows at once and shrinks only when it has been too wide for a while. No Qt."""

from __future__ import annotations

import math

PATIENCE = 20
"""Updates with too wide an axis before it shrinks."""
MARGIN = 0.12
TOO_WIDE = 0.45
"""Share of the axis below which the data count as lost in it."""


class SteadyRange:
    """The limits of one axis."""

    def __init__(self, least: float = 0.0) -> None:
        """`least`: the smallest span of the axis, in its unit."""
        self._least = least
        self._limits: tuple[float, float] | None = None
        self._idle = 0

    @property
    def limits(self) -> tuple[float, float]:
        """Lower and upper end; 0 and 1 while nothing is known."""
        return self._limits or (0.0, 1.0)

    def follow(self, low: float, high: float) -> bool:
        """Take in the extent of the data (unit of the axis); tell whether the axis changed."""
        if not (math.isfinite(low) and math.isfinite(high)):
            return False
        span = max(high - low, self._least, abs(high) * 1e-9, 1e-12)
        middle, half = (low + high) / 2, span * (0.5 + MARGIN)
        wanted = (middle - half, middle + half)
        if self._limits is None:
            return self._take(wanted)
        lower, upper = self._limits
        if low < lower or high > upper:
            return self._take((min(lower, wanted[0]), max(upper, wanted[1])))
        self._idle = self._idle + 1 if span < TOO_WIDE * (upper - lower) else 0
        return self._take(wanted) if self._idle >= PATIENCE else False

    def _take(self, limits: tuple[float, float]) -> bool:
        """Let the axis change."""
        self._limits = limits
        self._idle = 0
        return True
