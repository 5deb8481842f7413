"""The one way to write an image: signs of widths and contrast, branch, phase."""

from __future__ import annotations

import math

import numpy as np

from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import wrap_phase
from magis_calib.estimation.model import Fringe

Pair = tuple[float, float]
Standard = tuple[dict[str, float], Array]
"""Values, and the matrix that turns their covariance."""


class _Signs:
    """Values of which some are turned round, with the matrix that turns their covariance."""

    def __init__(self, values: dict[str, float], names: tuple[str, ...]) -> None:
        """Begin with these values; only the parameters `names` have a covariance."""
        self.values = dict(values)
        self._names = names
        self._signs = np.ones(len(names))

    def flip(self, name: str) -> None:
        """Turn one value round."""
        self.values[name] = -self.values[name]
        if name in self._names:
            self._signs[self._names.index(name)] = -1.0

    def standard(self) -> Standard:
        """Return the values and the matrix."""
        return self.values, np.diag(self._signs)


def positive(values: dict[str, float], names: tuple[str, ...], *widths: str) -> Standard:
    """Return the values with these parameters made positive: only their squares count."""
    signs = _Signs(values, names)
    for name in widths:
        if values[name] < 0:
            signs.flip(name)
    return signs.standard()


def branch(
    values: dict[str, float],
    names: tuple[str, ...],
    fringe: Fringe,
    expected: Pair | None,
    direction: Pair,
) -> Standard:
    """Return contrast >= 0, the branch of `expected` or of the direction, a wrapped phase.

    `expected` and `direction` are in the axes of the fringe's own two parameters.
    """
    signs = _Signs(values, names)
    values = signs.values
    if values[fringe.contrast] < 0:
        signs.flip(fringe.contrast)
        values[fringe.phase] += math.pi
    if _backwards((values[fringe.horizontal], values[fringe.vertical]), expected, direction):
        for name in (fringe.horizontal, fringe.vertical, fringe.phase):
            signs.flip(name)
    values[fringe.phase] = wrap_phase(values[fringe.phase])
    return signs.standard()


def _backwards(kappa: Pair, expected: Pair | None, direction: Pair) -> bool:
    """Whether away from the prediction or, without one, against the configured direction."""
    if expected is not None and any(expected):
        return kappa[0] * expected[0] + kappa[1] * expected[1] < 0
    along = kappa[0] * direction[0] + kappa[1] * direction[1]
    across = kappa[1] * direction[0] - kappa[0] * direction[1]
    return (along if abs(along) >= abs(across) else across) < 0
