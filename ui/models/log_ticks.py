"""Ticks of an axis on which logarithms are drawn: few, round, and never on top of each other.

No Qt.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Tick = tuple[float, str]
"""Place on the axis (log10) and what is written there."""
MOST_TICKS = 6


def doubling_ticks(largest: int) -> list[Tick]:
    """Return ticks at powers of two, evenly spaced, from 1 to the largest."""
    last = max(0, largest.bit_length() - 1)
    step = 1 + last // MOST_TICKS
    return [(math.log10(2**power), str(2**power)) for power in range(0, last + 1, step)]


def round_ticks(low: float, high: float) -> list[Tick]:
    """Return ticks at 1, 2 and 5 of each decade, or at the decades where these are too many.

    From `low` to `high`, in the unit of the axis and not logarithms.
    """
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1,)):
        ticks = [
            _tick(step * 10.0**decade)
            for decade in decades
            for step in steps
            if low <= step * 10.0**decade <= high
        ]
        if len(ticks) <= MOST_TICKS:
            return ticks
    return ticks[:: 1 + len(ticks) // MOST_TICKS]


def positive(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the smallest and the largest positive finite number; None where there is none."""
    found = [one for one in values if math.isfinite(one) and one > 0]
    return (min(found), max(found)) if found else None


def _tick(value: float) -> Tick:
    return math.log10(value), f"{value:g}" if 1e-4 < value < 1e6 else f"{value:.0e}"
