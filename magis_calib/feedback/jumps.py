"""A wild measurement is rejected; three in a row that agree are a real step of the disturbance."""

from __future__ import annotations

from collections import deque

import numpy as np

from magis_calib.domain.estimate import Array

WINDOW, FEWEST = 60, 15
"""Accepted drops whose scatter is looked at; before there are so many nothing is rejected."""
SIGMAS, FEW_SIGMAS = 5.0, 10.0
"""Limit over the standard deviation: over a whole window, and over less. False alarms: 4e-5 a channel and drop."""
MAD_TO_SIGMA = 1.4826
AGREEING = 3


class Jumps:
    """Remembers the innovations of accepted drops and the disturbances of drops rejected in a row."""

    def __init__(self, channels: int) -> None:
        """Begin with nothing."""
        self._accepted: tuple[deque[float], ...] = tuple(deque(maxlen=WINDOW) for _ in range(channels))
        self._rejected: deque[Array] = deque(maxlen=AGREEING)

    def limits(self, predicted_sigma: Array) -> Array:
        """Return how large an innovation of each channel may be; infinite while too few are known.

        The scatter of the last drops is asked beside the filter's own prediction: the larger one counts.
        """
        pairs = zip(self._accepted, predicted_sigma.tolist(), strict=True)
        return np.array([self._limit(known, sigma) for known, sigma in pairs])

    def accept(self, innovation: Array) -> None:
        """Take in the innovations of a drop that is used; NaN where there is none."""
        self._rejected.clear()
        for known, value in zip(self._accepted, innovation.tolist(), strict=True):
            if np.isfinite(value):
                known.append(value)

    def reject(self, innovation: Array, limit: Array) -> Array:
        """Take in the innovations of a rejected drop; return the real steps seen by now, NaN in all other channels."""
        self._rejected.append(innovation)
        seen = np.array(self._rejected)
        if len(seen) < AGREEING:
            return np.full(innovation.shape, np.nan)
        agree = np.all(np.abs(seen) > limit, axis=0) & (np.ptp(seen, axis=0) <= limit)
        return np.where(agree, seen.mean(axis=0), np.nan)

    @staticmethod
    def _limit(known: deque[float], sigma: float) -> float:
        if len(known) < FEWEST:
            return np.inf
        scatter = MAD_TO_SIGMA * float(np.median(np.abs(np.array(known) - np.median(known))))
        return max(SIGMAS * sigma, (SIGMAS if len(known) == WINDOW else FEW_SIGMAS) * scatter)
