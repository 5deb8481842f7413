"""One way to write an image that parameters can write in several: signs of widths and contrast,
branch, phase.
"""

from __future__ import annotations

import math

import numpy as np

from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import wrap_phase
from magis_calib.estimation.model import Fringe

Pair = tuple[float, float]
Standard = tuple[dict[str, float], Array]
"""Values, and the matrix that turns their covariance."""


def positive(values: dict[str, float], names: tuple[str, ...], *widths: str) -> Standard:
    """Return the values with these parameters made positive: only their squares count."""
    values = dict(values)
    signs = np.ones(len(names))
    for name in widths:
        if values[name] < 0:
            values[name] = -values[name]
            if name in names:
                signs[names.index(name)] = -1.0
    return values, np.diag(signs)


def branch(
    values: dict[str, float],
    names: tuple[str, ...],
    fringe: Fringe,
    expected: Pair | None,
    direction: Pair,
) -> Standard:
    """Return contrast >= 0, the branch of `expected`, or else of the configured direction, and a
    wrapped phase.

    `expected` and `direction` are in the axes of the fringe's own two parameters.
    """
    values = dict(values)
    signs = np.ones(len(names))

    def flip(name: str) -> None:
        values[name] = -values[name]
        if name in names:
            signs[names.index(name)] = -1.0

    if values[fringe.contrast] < 0:
        flip(fringe.contrast)
        values[fringe.phase] += math.pi
    if _backwards((values[fringe.horizontal], values[fringe.vertical]), expected, direction):
        for name in (fringe.horizontal, fringe.vertical, fringe.phase):
            flip(name)
    values[fringe.phase] = wrap_phase(values[fringe.phase])
    return values, np.diag(signs)


def _backwards(kappa: Pair, expected: Pair | None, direction: Pair) -> bool:
    """In the loop: away from the prediction. Offline: the larger component, along or across the
    direction, < 0.
    """
    if expected is not None and any(expected):
        return kappa[0] * expected[0] + kappa[1] * expected[1] < 0
    along = kappa[0] * direction[0] + kappa[1] * direction[1]
    across = kappa[1] * direction[0] - kappa[0] * direction[1]
    return (along if abs(along) >= abs(across) else across) < 0
