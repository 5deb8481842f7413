"""The second, independent estimator: windowed moments and a Fourier peak, with own errors.

It shares the data with the fit and nothing else: no model of the image is minimised. A fit that
disagrees with it is not used in the loop.
"""

from __future__ import annotations

import math

import numpy as np

from magis_calib.domain.estimate import Array
from magis_calib.estimation.model import Check, Fringe
from magis_calib.estimation.start.cloud import Cloud
from magis_calib.estimation.start.fourier import Wave
from magis_calib.estimation.start.windows import Window

WINDOW_WIDTHS = 1.5
"""Width of the Gaussian window of the centroid, in widths of the cloud."""
CENTRED = 3
"""Iterations of window onto centroid."""
APART_RADIANS = 3.0
"""Below this |κ·width| the peak of the fringe overlaps that of the envelope."""
ENVELOPE_LEFT = 0.05
"""Share of the envelope that moments leave behind: it leaks into the Fourier peak of a long fringe.
"""


def position_checks(
    windows: list[Window], cloud: Cloud, names: dict[str, tuple[str, str]], wave: Wave | None
) -> list[Check]:
    """Return what the centroid of all ports together says.

    `names` gives each port's (right, up) parameters.
    """
    ports = cloud.shown()
    if not windows or len(windows) != len(ports):
        return []
    share = _shares(windows, cloud)
    checks = []
    centroids = zip(("horizontal", "vertical"), _centroids(windows, cloud), strict=True)
    for way, (what, (value, sigma)) in enumerate(centroids):
        terms = {names[port][way]: part for port, part in zip(ports, share, strict=True)}
        offset = sum(
            part * cloud.displacements[port][way] for port, part in zip(ports, share, strict=True)
        )
        leak = _leak(cloud, share, wave, way)
        checks.append(Check(f"{what} position", terms, value + offset, math.hypot(sigma, leak)))
    return checks


def fringe_checks(wave: Wave, fringe: Fringe, width: tuple[float, float]) -> list[Check]:
    """Return what the Fourier peak says of the wavevector, and of the phase amid the cloud."""
    leak = ENVELOPE_LEFT / wave.contrast * math.exp(-0.25 * wave.radians(width) ** 2)
    at_middle = wave.phase_rad + wave.kappa[0] * wave.middle[0] + wave.kappa[1] * wave.middle[1]
    terms = {fringe.phase: 1.0, fringe.horizontal: wave.middle[0], fringe.vertical: wave.middle[1]}
    right, up = (
        math.hypot(sigma, leak * math.sqrt(2.0) / size)
        for sigma, size in zip(wave.kappa_sigma, width, strict=True)
    )
    return [
        Check("horizontal wavevector", {fringe.horizontal: 1.0}, wave.kappa[0], right),
        Check("vertical wavevector", {fringe.vertical: 1.0}, wave.kappa[1], up),
        Check("phase", terms, at_middle, math.hypot(1.0 / wave.score, leak), circular=True),
    ]


def disagreement(checks: tuple[Check, ...], values: dict[str, float]) -> tuple[float, str]:
    """Return the largest |fit - second estimate| in standard errors, and what it is about."""
    worst = math.nan
    about = ""
    for check in checks:
        if any(name not in values for name in check.terms):
            continue
        score = _score(check, values)
        if not score <= worst:
            worst = score
            about = check.what
    return worst, about


def _score(check: Check, values: dict[str, float]) -> float:
    """Return how far the fit is from a check, in standard errors of the check."""
    away = sum(part * values[name] for name, part in check.terms.items()) - check.value
    return abs(math.remainder(away, math.tau) if check.circular else away) / check.sigma


def _centroids(windows: list[Window], cloud: Cloud) -> list[tuple[float, float]]:
    """Return centroid and error along each axis, ports stacked, in a Gaussian window (m)."""
    middle = [_start(cloud, 0), _start(cloud, 1)]
    stretch = 1.0 + WINDOW_WIDTHS**-2
    for _ in range(CENTRED):
        light, first = _first_moments(windows, middle, cloud.width)
        if light <= 0:
            return [(math.nan, math.inf)] * 2
        middle = [
            one + stretch * float(moved) / light for one, moved in zip(middle, first, strict=True)
        ]
    noise = _noise(windows, middle, cloud.width).tolist()
    return [
        (one, stretch * math.sqrt(part) / light) for one, part in zip(middle, noise, strict=True)
    ]


def _first_moments(
    windows: list[Window], middle: list[float], width: tuple[float, float]
) -> tuple[float, Array]:
    """Return the light in all windows and its first moments about a place (along u and v)."""
    light = 0.0
    first = np.zeros(2)
    for window in windows:
        across, along = _gaussian(window, middle, width)
        columns = along @ window.light
        rows = window.light @ across
        light += float(along @ rows)
        right = columns @ (across * (window.u - middle[0]))
        first += np.array([right, (along * (window.v - middle[1])) @ rows])
    return light, first


def _noise(windows: list[Window], middle: list[float], width: tuple[float, float]) -> Array:
    """Return the variances of the first moments."""
    noise = np.zeros(2)
    for window in windows:
        across, along = (one**2 for one in _gaussian(window, middle, width))
        columns = along @ window.variance
        rows = window.variance @ across
        right = columns @ (across * (window.u - middle[0]) ** 2)
        noise += np.array([right, (along * (window.v - middle[1]) ** 2) @ rows])
    return noise


def _gaussian(
    window: Window, middle: list[float], width: tuple[float, float]
) -> tuple[Array, Array]:
    """Return the window's weights along u and along v; a bin's weight is their product."""
    across: Array = np.exp(-0.5 * ((window.u - middle[0]) / (WINDOW_WIDTHS * width[0])) ** 2)
    along: Array = np.exp(-0.5 * ((window.v - middle[1]) / (WINDOW_WIDTHS * width[1])) ** 2)
    return across, along


def _start(cloud: Cloud, way: int) -> float:
    port = cloud.shown()[0]
    return cloud.places[port][way] - cloud.displacements[port][way]


def _shares(windows: list[Window], cloud: Cloud) -> list[float]:
    """Share of each port in the light."""
    light = [max(cloud.electrons[port], 0.0) for port in cloud.shown()]
    return [one / sum(light) for one in light]


def _leak(cloud: Cloud, share: list[float], wave: Wave | None, way: int) -> float:
    """Return what a fringe does to the centroid (m): equal ports cancel, windows wash out."""
    if wave is None:
        return 0.0
    narrowed = 1.0 / math.sqrt(1.0 + WINDOW_WIDTHS**-2)
    widths = [narrowed * size for size in cloud.width]
    radians2 = sum((k * size) ** 2 for k, size in zip(wave.kappa, widths, strict=True))
    unequal = abs(share[0] - share[1]) + 0.02 if len(share) == 2 else 1.0
    stretch = 1.0 + WINDOW_WIDTHS**-2
    return (
        stretch
        * unequal
        * wave.contrast
        * abs(wave.kappa[way])
        * widths[way] ** 2
        * math.exp(-0.5 * radians2)
    )
