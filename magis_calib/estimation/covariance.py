"""Standard errors of fitted parameters and of their combinations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from magis_calib.domain.estimate import Array


class Estimated(Protocol):
    """Parameters with the covariance of those that were fitted."""

    @property
    def names(self) -> tuple[str, ...]:
        """Fitted parameters, in the order of the covariance."""

    @property
    def covariance(self) -> Array:
        """Covariance of the fitted parameters."""


def part_of(found: Estimated, names: Sequence[str]) -> Array:
    """Return the covariance of some of the fitted parameters."""
    at = [found.names.index(name) for name in names]
    return found.covariance[np.ix_(at, at)]


def sigma_of(found: Estimated, name: str) -> float:
    """Return the standard error of one parameter, never 0."""
    at = found.names.index(name)
    return math.sqrt(max(float(found.covariance[at, at]), 1e-300))


def sigma_along(found: Estimated, names: Sequence[str], slope: Array) -> float:
    """Return the standard error of a quantity with these slopes by these parameters."""
    return math.sqrt(max(float(slope @ part_of(found, names) @ slope), 0.0))
