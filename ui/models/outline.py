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


def outlines(
    estimate: ViewEstimate, displacements: Mapping[str, tuple[float, float]]
) -> dict[str, Outline]:
    """Return the lines of each port whose centre and widths were fitted."""
    found = {}
    for port in ("a", "b"):
        centre = (
            estimate.value(f"port_{port}_horizontal_m"),
            estimate.value(f"port_{port}_vertical_m"),
        )
        width = (estimate.value("width_horizontal_m"), estimate.value("width_vertical_m"))
        if all(map(math.isfinite, (*centre, *width))) and min(width) > 0:
            nominal = displacements.get(port, (0.0, 7.5e-3 if port == "a" else -7.5e-3))
            found[port] = _outline(estimate, port, centre, width, nominal)
    return found


def _outline(
    estimate: ViewEstimate,
    port: str,
    centre: tuple[float, float],
    width: tuple[float, float],
    nominal: tuple[float, float],
) -> Outline:
    right, up = centre[0] * MM, centre[1] * MM
    wide, high = width[0] * MM, width[1] * MM
    gap = np.nan
    cross = (
        np.array([right - wide / 2, right + wide / 2, gap, right, right]),
        np.array([up, up, gap, up - high / 2, up + high / 2]),
    )
    around = np.linspace(0.0, 2.0 * np.pi, 73)
    one = (right + wide * np.cos(around), up + high * np.sin(around))
    two = (right + 2 * wide * np.cos(around), up + 2 * high * np.sin(around))
    return Outline(right, up, cross, one, two, _crests(estimate, port, centre, width, nominal))


def _crests(
    estimate: ViewEstimate,
    port: str,
    centre: tuple[float, float],
    width: tuple[float, float],
    nominal: tuple[float, float],
) -> tuple[Array, Array]:
    """Bright lines inside the ellipse of `REACH` widths: theta = 0 for port a, pi for port b
    (modulo 2 pi).

    In units of the widths the ellipse is a circle, and a line at distance t from its centre is cut
    at sqrt(REACH² - t²) to either side.
    """
    wave = (
        estimate.value("fringe_horizontal_rad_per_m"),
        estimate.value("fringe_vertical_rad_per_m"),
    )
    phase = estimate.value("phase_rad")
    nothing = (np.empty(0), np.empty(0))
    if not all(map(math.isfinite, (*wave, phase))):
        return nothing
    at_centre = phase + wave[0] * (centre[0] - nominal[0]) + wave[1] * (centre[1] - nominal[1])
    scaled = (wave[0] * width[0], wave[1] * width[1])
    length = math.hypot(*scaled)
    bright = 0.0 if port == "a" else math.pi
    first = math.ceil((at_centre - REACH * length - bright) / (2 * math.pi))
    last = math.floor((at_centre + REACH * length - bright) / (2 * math.pi))
    if length < 1e-6 or not 1 <= last - first + 1 <= MOST_CRESTS:
        return nothing
    away = (bright + 2 * math.pi * np.arange(first, last + 1) - at_centre) / length
    half = np.sqrt(np.maximum(0.0, REACH**2 - away**2))
    along = (scaled[0] / length, scaled[1] / length)
    across = (-scaled[1] / length, scaled[0] / length)
    pieces = np.stack([-half, half, np.full_like(half, np.nan)], axis=1)
    right = centre[0] + width[0] * (away[:, None] * along[0] + pieces * across[0])
    up = centre[1] + width[1] * (away[:, None] * along[1] + pieces * across[1])
    return right.ravel() * MM, up.ravel() * MM
