"""Which electrons are black and white in both views: found, followed or typed. No Qt."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np

from magis_calib.domain.camera import CameraFacts, Counts, View

Rule = Literal["extremes", "percentiles", "follow", "fixed"]
RULES: dict[Rule, str] = {
    "extremes": "set once: darkest to brightest",
    "percentiles": "set once: 20 % to 99.9 % of pixels",
    "follow": "follow every drop: 20 % to 99.9 %",
    "fixed": "fixed: type black and white…",
}


@dataclass(frozen=True, slots=True)
class Levels:
    """Black and white in electrons per pixel."""

    low_electrons: float
    high_electrons: float

    def words(self) -> str:
        """Write both ends for a person."""
        return f"{self.low_electrons:.0f} – {self.high_electrons:.0f} e⁻"


class CommonLevels:
    """The levels of both images. The GUI thread uses it."""

    def __init__(self) -> None:
        """Find them in the first pictures."""
        self.rule: Rule = "percentiles"
        self._found: dict[View, Levels] = {}
        self._fixed: Levels | None = None

    @property
    def common(self) -> Levels | None:
        """Levels that suit both views; None before any picture."""
        if self.rule == "fixed" and self._fixed is not None:
            return self._fixed
        return _around(self._found.values()) if self._found else None

    def find_anew(self, rule: Rule = "percentiles") -> None:
        """Find levels so in the pictures that are drawn next."""
        self.rule = rule
        self._found = {}

    def fix(self, low_electrons: float, high_electrons: float) -> None:
        """Take these levels (per pixel) whatever comes.

        Raises `ValueError` where there is nothing between.
        """
        if not low_electrons < high_electrons:
            got = f"{low_electrons:g} and {high_electrons:g}"
            raise ValueError(f"wanted black below white, got {got}")
        self.rule = "fixed"
        self._fixed = Levels(low_electrons, high_electrons)

    def take(self, view: View, counts: Counts, facts: CameraFacts) -> None:
        """Look at a picture (its decimated counts will do) where the rule wants that."""
        if self.rule == "follow" or (view not in self._found and self.rule != "fixed"):
            self._found[view] = measured(counts, facts, self.rule)


def _around(levels: Collection[Levels]) -> Levels:
    """Return what suits all of these."""
    low = min(one.low_electrons for one in levels)
    return Levels(low, max(one.high_electrons for one in levels))


def measured(counts: Counts, facts: CameraFacts, rule: Rule) -> Levels:
    """Find levels for this picture; `facts`: of its camera."""
    if rule == "extremes":
        low, high = float(counts.min()), float(counts.max())
    else:
        low, high = (float(one) for one in np.percentile(counts, (20.0, 99.9)))
    black, white = ((one - facts.offset) * facts.gain for one in (low, high))
    return Levels(black, max(white, black + facts.gain))
