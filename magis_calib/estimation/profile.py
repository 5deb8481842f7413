"""The fringe as a person looks at it: signal of each port along the fringe direction, with the fit."""

from __future__ import annotations

from dataclasses import dataclass

from magis_calib.domain.estimate import Array


@dataclass(frozen=True, slots=True, eq=False)
class FringeProfile:
    """Columns summed over each port. All arrays have one entry per column bin."""

    horizontal_m: Array
    """Image coordinate u of each bin's middle."""
    port_a: Array
    """Electrons above background in each bin."""
    port_b: Array
    fit_a: Array
    fit_b: Array
    sigma_a: Array
    """Expected standard deviation of `port_a`."""
    sigma_b: Array
