"""Does each actuator do what the matrix says? Ordinary running tells, wherever an actuator moved enough."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from magis_calib.domain.estimate import Array

WINDOW_DROPS, FEWEST_DROPS = 60, 12
EXCITED_SIGMA = 2.0
"""Where no motion has a larger effect than this many standard deviations of a drop, nothing is shown."""
NAMED_SIGMA = 4.0
HARMLESS = 0.2
"""A response off by less than this share neither upsets the loop nor is worth stopping it."""
UNMOVED = 0.3


class Watch:
    """Regresses innovations on the part of the applied motion that they would miss if the actuator did not move."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._drops: deque[tuple[Array, Array]] = deque(maxlen=WINDOW_DROPS)

    def add(self, innovation: Array, motion: Array) -> None:
        """Take in one drop, by channel: innovation (NaN where none) and motion that no prediction knows yet."""
        self._drops.append((innovation, motion))

    def factors(self) -> dict[int, tuple[float, float]]:
        """Return, by channel, actual over expected response and its standard error, where the two differ for sure.

        The noise is what the regression itself leaves: a filter that a dead actuator misled knows nothing about it.
        """
        if len(self._drops) < FEWEST_DROPS:
            return {}
        innovations, motions = (np.array(one) for one in zip(*self._drops, strict=True))
        known = np.isfinite(innovations)
        return {
            channel: factor
            for channel in range(motions.shape[1])
            if (factor := _factor(innovations[known[:, channel], channel], motions[known[:, channel], channel]))
        }

    def forget(self) -> None:
        """Begin anew: somebody looked at the actuators."""
        self._drops.clear()


def in_words(label: str, factor: float, error: float) -> str:
    """Say what is wrong with an actuator."""
    what = (
        "does not move" if abs(factor) < UNMOVED else "moves the other way" if factor < 0 else "moves by another amount"
    )
    return f"{label} {what}: {factor:.2f} ± {error:.2f} of what the matrix says"


def _factor(away: Array, moved: Array) -> tuple[float, float] | None:
    """Return actual over expected response with its standard error, None where it may be 1.

    One drop alone proves nothing: without the one that speaks loudest the others must say the same.
    """
    if len(away) < FEWEST_DROPS:
        return None
    slope, error, sigma = _slope(away, moved)
    if not np.abs(moved).max() >= EXCITED_SIGMA * sigma or abs(slope) <= max(HARMLESS, NAMED_SIGMA * error):
        return None
    loudest = int(np.argmax(np.abs(away * moved)))
    rest, rest_error, _ = _slope(np.delete(away, loudest), np.delete(moved, loudest))
    return (1.0 + slope, error) if slope * rest > 0 and abs(rest) > NAMED_SIGMA * rest_error else None


def _slope(away: Array, moved: Array) -> tuple[float, float, float]:
    """Return the slope through the origin, its standard error and the scatter that it leaves."""
    weight = float(moved @ moved)
    if not weight > 0:
        return 0.0, math.inf, math.inf
    slope = float(away @ moved) / weight
    sigma = math.sqrt(float(np.sum((away - slope * moved) ** 2)) / (len(away) - 1))
    return slope, sigma / math.sqrt(weight), sigma
