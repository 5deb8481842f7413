"""Pulls and efficiencies of many fits as numbers with limits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from scipy.stats import chi2, norm

CHANCE_SIGMA = 4.5
"""A number this many of its own standard errors from the ideal is no accident (7e-6)."""
LOSS = 0.04
"""An estimator may lose this much of the bound to its bins."""
REFUSED_MOST = 1e-3
"""Share of good pictures that may be refused."""
POOLED_MEAN, POOLED_SPREAD = 0.05, 0.04


@dataclass(frozen=True, slots=True)
class BenchmarkVerdict:
    """One number, where it has to lie, and whether it does."""

    name: str
    value: float
    low: float
    high: float

    @property
    def passed(self) -> bool:
        """False for NaN too."""
        return self.low <= self.value <= self.high

    def within(self, whole: str) -> BenchmarkVerdict:
        """The same verdict, named as a part of something."""
        return replace(self, name=f"{whole}: {self.name}")

    def in_words(self) -> str:
        """The verdict for a person."""
        return f"{self.name} {self.value:.4g}, wanted {self.low:.4g} to {self.high:.4g}"

    def document(self) -> dict[str, object]:
        """For JSON."""
        return {**asdict(self), "passed": self.passed}


@dataclass(frozen=True, slots=True)
class Statistic:
    """One parameter over a number of fits."""

    name: str
    views: int
    rmse_over_bound: float
    """Root of mean (error / bound of that view)²."""
    mean_pull: float
    pull_sd: float

    @classmethod
    def of(cls, name: str, pulls: Sequence[float], efficiencies: Sequence[float]) -> Statistic:
        """Of errors in their standard errors, and errors in their bounds."""
        if not pulls:
            return cls(name, 0, math.nan, math.nan, math.nan)
        spread = float(np.std(pulls, ddof=1)) if len(pulls) > 1 else math.nan
        return cls(
            name,
            len(pulls),
            math.sqrt(float(np.mean(np.square(efficiencies)))),
            float(np.mean(pulls)),
            spread,
        )

    def judged_alone(self) -> list[BenchmarkVerdict]:
        """One cell of the grid: nothing further from the ideal than chance allows.

        The mean pull may differ from 0 by 4.5/√n. Spread and rmse/bound have the limits of a
        chi-square variable of the same probability (4.5/√(2n) for large n, right for small n too);
        rmse/bound on top of the loss allowed.
        """
        mean = CHANCE_SIGMA / math.sqrt(max(1, self.views))
        low, high = _spread_limits(self.views)
        less, more = _spread_limits(self.views - 1)
        return self._verdicts((low, (1.0 + LOSS) * high), mean, (less, more))

    def judged_pooled(self) -> list[BenchmarkVerdict]:
        """All cells together: the project's figures, wider where few views allow chance more."""
        mean = max(POOLED_MEAN, CHANCE_SIGMA / math.sqrt(max(1, self.views)))
        low, high = _spread_limits(self.views)
        spread = min(1.0 - POOLED_SPREAD, low), max(1.0 + POOLED_SPREAD, high)
        return self._verdicts((low, max(1.0 + LOSS, high)), mean, spread)

    def document(self) -> dict[str, float]:
        """For JSON."""
        return {
            "views": self.views,
            "rmse_over_bound": self.rmse_over_bound,
            "mean_pull": self.mean_pull,
            "pull_sd": self.pull_sd,
        }

    def _verdicts(
        self, ratio: tuple[float, float], mean: float, spread: tuple[float, float]
    ) -> list[BenchmarkVerdict]:
        verdicts = [
            BenchmarkVerdict(f"{self.name} rmse/bound", self.rmse_over_bound, *ratio),
            BenchmarkVerdict(f"{self.name} mean pull", self.mean_pull, -mean, mean),
        ]
        return (
            verdicts
            if self.views < 2
            else [*verdicts, BenchmarkVerdict(f"{self.name} pull s.d.", self.pull_sd, *spread)]
        )


def _spread_limits(freedom: int) -> tuple[float, float]:
    """Return the limits of √(χ²/n) that chance oversteps as rarely as 4.5 standard deviations."""
    if freedom < 1:
        return 0.0, math.inf
    rare = norm.sf(CHANCE_SIGMA)
    return math.sqrt(chi2.ppf(rare, freedom) / freedom), math.sqrt(
        chi2.isf(rare, freedom) / freedom
    )
