"""The fit as lines over an image: centres, widths and bright fringes of both ports (mm). No Qt."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from magis_calib.domain.estimate import Array, ViewEstimate

MM = 1e3
REACH = 2.0
"""Fringes are drawn to this many widths from the centre."""
MOST_CRESTS = 60
"""More lines than this say nothing on a screen."""


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """Lines of one port: x and y of points, NaN between pieces."""

    right_mm: float
    up_mm: float
    cross: tuple[Array, Array]
    one_sigma: tuple[Array, Array]
    two_sigma: tuple[Array, Array]
    crests: tuple[Array, Array]


NOMINAL_M = {"a": (0.0, 7.5e-3), "b": (0.0, -7.5e-3)}
"""Displacements of the ports where a fit names none."""


@dataclass(frozen=True, slots=True, eq=False)
class _Cloud:
    """Where a port's cloud is, how wide it is, and where it was expected: right and up (m)."""

    centre: Array
    width: Array
    nominal: Array

    @property
    def is_known(self) -> bool:
        return bool(np.isfinite([*self.centre, *self.width]).all() and self.width.min() > 0)


def outlines(
    estimate: ViewEstimate, displacements_m: Mapping[str, tuple[float, float]]
) -> dict[str, Outline]:
    """Return the lines of each port whose centre and widths were fitted.

    `displacements_m`: nominal place of each port, right and up.
    """
    clouds = {
        port: _cloud(estimate, port, displacements_m.get(port, nominal))
        for port, nominal in NOMINAL_M.items()
    }
    return {port: _outline(estimate, port, one) for port, one in clouds.items() if one.is_known}


def _cloud(estimate: ViewEstimate, port: str, nominal: tuple[float, float]) -> _Cloud:
    return _Cloud(
        _pair(estimate, f"port_{port}_{{}}_m"), _pair(estimate, "width_{}_m"), np.array(nominal)
    )


def _pair(estimate: ViewEstimate, name: str) -> Array:
    """Return the horizontal and the vertical of two parameters."""
    return np.array([estimate.value(name.format(way)) for way in ("horizontal", "vertical")])


def _outline(estimate: ViewEstimate, port: str, cloud: _Cloud) -> Outline:
    (right, up) = cloud.centre * MM
    (wide, high) = cloud.width * MM
    cross = (
        np.array([right - wide / 2, right + wide / 2, np.nan, right, right]),
        np.array([up, up, np.nan, up - high / 2, up + high / 2]),
    )
    around = np.linspace(0.0, 2.0 * np.pi, 73)
    one, two = (
        (right + times * wide * np.cos(around), up + times * high * np.sin(around))
        for times in (1, 2)
    )
    return Outline(float(right), float(up), cross, one, two, _crests(estimate, port, cloud))


def _crests(estimate: ViewEstimate, port: str, cloud: _Cloud) -> tuple[Array, Array]:
    """Return the bright lines within `REACH` widths: theta = 0 for port a, pi for port b.

    In units of the widths the ellipse is a circle, and a line at distance t from its centre is cut
    at sqrt(REACH² - t²) to either side.
    """
    wave = _pair(estimate, "fringe_{}_rad_per_m")
    at_centre = estimate.value("phase_rad") + float(wave @ (cloud.centre - cloud.nominal))
    scaled = wave * cloud.width
    length = math.hypot(*scaled)
    if not math.isfinite(at_centre):
        return np.empty(0), np.empty(0)
    away = _distances(at_centre, length, 0.0 if port == "a" else math.pi)
    return _pieces(away, scaled / length, cloud) if len(away) else (away, away)


def _distances(at_centre_rad: float, length: float, bright_rad: float) -> Array:
    """Return how far each bright line is from the centre; none where there are too many."""
    turn = 2 * math.pi
    first = math.ceil((at_centre_rad - REACH * length - bright_rad) / turn)
    last = math.floor((at_centre_rad + REACH * length - bright_rad) / turn)
    if length < 1e-6 or not 1 <= last - first + 1 <= MOST_CRESTS:
        return np.empty(0)
    angles: Array = bright_rad + turn * np.arange(first, last + 1, dtype=np.float64)
    return (angles - at_centre_rad) / length


def _pieces(away: Array, along: Array, cloud: _Cloud) -> tuple[Array, Array]:
    """Return the lines at these distances, each from edge to edge, with gaps between (mm)."""
    half = np.sqrt(np.maximum(0.0, REACH**2 - away**2))
    pieces = np.stack([-half, half, np.full_like(half, np.nan)], axis=1)
    across = (-along[1], along[0])
    right, up = (
        cloud.centre[way] + cloud.width[way] * (away[:, None] * along[way] + pieces * across[way])
        for way in (0, 1)
    )
    return right.ravel() * MM, up.ravel() * MM
