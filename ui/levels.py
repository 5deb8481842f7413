"""Which electrons are black and which are white: found in the first picture, then fixed until the operator asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from magis_calib.domain.camera import Counts

Rule = Literal["extremes", "percentiles", "follow"]
RULES: dict[Rule, str] = {
    "extremes": "set once: darkest to brightest",
    "percentiles": "set once: 20 % to 99.98 % of pixels",
    "follow": "follow every drop: 20 % to 99.98 %",
}


@dataclass(frozen=True, slots=True)
class Levels:
    """Black and white in electrons per pixel."""

    low: float
    high: float

    def words(self) -> str:
        """Write both ends for a person."""
        return f"{self.low:.0f} – {self.high:.0f} e⁻"


def measured(counts: Counts, offset: float, gain: float, rule: Rule) -> Levels:
    """Find levels for this picture (its decimated counts will do)."""
    if rule == "extremes":
        low, high = float(counts.min()), float(counts.max())
    else:
        low, high = (float(one) for one in np.percentile(counts, (20.0, 99.98)))
    low, high = (low - offset) * gain, (high - offset) * gain
    return Levels(low, high if high - low > gain else low + gain)
