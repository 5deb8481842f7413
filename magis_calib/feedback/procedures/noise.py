"""How an observable wanders when nothing is done: drift, jitter, and the Allan deviation."""

from __future__ import annotations

import numpy as np

from magis_calib.domain.allan import allan_deviation
from magis_calib.domain.estimate import Array
from magis_calib.feedback.procedures.gains import DRIFTS, weighed

FEWEST = 8


def drift_and_jitter(values: Array) -> tuple[float | None, float | None]:
    """Return standard deviations: of the random walk's step per drop, and of the white noise of a drop.

    By restricted maximum likelihood over their ratio, as for measured gains. None for fewer than 8 values.
    """
    if len(values) < FEWEST:
        return None, None
    times = np.arange(len(values), dtype=float)
    walk, design = np.minimum.outer(times, times), np.ones((len(values), 1))
    tried = [(weighed(values, design, np.eye(len(values)) + ratio**2 * walk), ratio) for ratio in DRIFTS]
    (_, _, _, residual), ratio = max(tried, key=lambda one: one[0][0])
    jitter = float(np.sqrt(residual @ residual / (len(values) - 1)))
    return float(ratio * jitter), jitter


def allan_by_length(values: Array) -> dict[str, float]:
    """Return the overlapping Allan deviation for averages over 1, 2, 4, … drops, by number of drops."""
    found = allan_deviation(values)
    return {str(length): float(one) for length, one in zip(found.lengths, found.deviations, strict=True)}
