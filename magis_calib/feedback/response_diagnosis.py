"""Why actuators do not do what the matrix says: exchanged, or a drop late."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from magis_calib.domain.estimate import Array

NAMED_SIGMA = 4.0
"""A cause is named where it explains so many standard errors."""
MOST_OF_IT = 0.5
"""It must explain this share of what the actuator was told."""
FEWEST = 6
WORST_CONDITION = 1e10
ALIKE = 0.95
"""Motions of this correlation say the same."""


def exchanged(away: Array, moved: Array, wrong: Sequence[int], labels: Sequence[str]) -> str:
    """Return which of these wrong channels make each other's motions, in words; empty for none.

    `away`, `moved`: innovation (NaN where none) and motion by drop and channel, oldest first.
    """
    for one, other in itertools.combinations(wrong, 2):
        words = f"{labels[one]} and {labels[other]} look exchanged"
        if _alike(moved[:, one], moved[:, other]):
            return f"{words}, or both go the other way"
        if _follows(away, moved, one, other) and _follows(away, moved, other, one):
            return words
    return ""


def late(disturbance: Array, effect: Array, labels: Sequence[str]) -> str:
    """Return which channels move a drop later than told, in words; empty for none.

    By drop and channel, oldest first: what was measured minus the effect of the setpoints in force
    (NaN where unknown), and that effect. What a drop lacks of a motion is there in the next one; a
    dead actuator's never is.
    """
    steps = np.diff(disturbance, axis=0)[1:]
    told = np.diff(effect, axis=0)
    found = []
    for channel, label in enumerate(labels):
        motions = np.stack([told[:-1, channel], told[1:, channel]], axis=1)
        before, own = _slopes(steps[:, channel], motions)
        if _stands_out(*before) and _stands_out(-own[0], own[1]):
            found.append(label)
    return f"setpoints take effect a drop later than told: {', '.join(found)}" if found else ""


def _stands_out(slope: float, error: float) -> bool:
    return slope > max(MOST_OF_IT, NAMED_SIGMA * error)


def _alike(one: Array, other: Array) -> bool:
    """Tell whether two motions cannot be told apart."""
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return size > 0.0 and abs(float(one @ other)) > ALIKE * size


def _follows(away: Array, moved: Array, channel: int, other: int) -> bool:
    """Tell whether a channel lacks its own motion and has that of another one."""
    own, others = _slopes(away[:, channel], moved[:, [channel, other]])
    return _stands_out(-own[0], own[1]) and abs(others[0]) > NAMED_SIGMA * others[1]


def _slopes(away: Array, moved: Array) -> list[tuple[float, float]]:
    """Return the slope on each motion with its standard error, by least squares."""
    known = np.isfinite(away) & np.isfinite(moved).all(axis=1)
    away, moved = away[known], moved[known]
    normal = moved.T @ moved
    if len(away) < FEWEST or np.linalg.cond(normal) > WORST_CONDITION:
        return [(0.0, np.inf)] * moved.shape[1]
    slopes = np.linalg.solve(normal, moved.T @ away)
    scatter2 = float(np.sum((away - moved @ slopes) ** 2)) / (len(away) - moved.shape[1])
    errors = np.sqrt(scatter2 * np.diag(np.linalg.inv(normal)))
    return list(zip(slopes.tolist(), errors.tolist(), strict=True))
