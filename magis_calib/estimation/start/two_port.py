"""Start values of the two-port models, and what the second estimator says."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

from magis_calib.estimation.model import Check, Fringe, Start
from magis_calib.estimation.port import PORTS, WIDTHS, Displacements
from magis_calib.estimation.start.cloud import Cloud, whole_clouds
from magis_calib.estimation.start.fourier import (
    FREE_SEARCH_SIGMA,
    Wave,
    Wavevector,
    find_wave,
    is_fringe,
)
from magis_calib.estimation.start.search import find_clouds
from magis_calib.estimation.start.second import APART_RADIANS, fringe_checks, position_checks
from magis_calib.estimation.start.slow import find_slow_wave
from magis_calib.estimation.start.windows import Window, cut_windows
from magis_calib.imaging.electrons import Electrons

BACKGROUND = (
    "background_electrons_per_px",
    "background_gradient_horizontal",
    "background_gradient_vertical",
)
LONG_FRINGE = "a long fringe may be there, but does not stand out"
PLAIN_PX = 16
"""Bins of the second estimator where no fringe is looked for."""


def two_port_start(
    image: Electrons,
    displacements: Displacements,
    fringe: Fringe | None,
    expected: Wavevector | None = None,
) -> Start:
    """Return start values. Raises `FitError` "no cloud …".

    `expected` is the predicted wavevector in the loop.
    """
    whole = whole_clouds(image, displacements)
    cloud = whole or find_clouds(image, displacements)
    second = whole is not None and image.noise_known
    faint = [port for port in PORTS if port not in cloud.shown()]
    absent = frozenset(name for port in faint for name in PORTS[port][1:])
    reasons = tuple(
        f"no port {port}: {cloud.significance[port]:.1f} standard errors" for port in faint
    )
    plain = Start(_envelope_values(cloud), absent, reasons)
    if fringe is None:
        return replace(
            plain,
            checks=_checks(cut_windows(image, cloud, PLAIN_PX), cloud, None) if second else (),
        )
    windows = cut_windows(image, cloud)
    wave = find_wave(windows, cloud.width, expected)
    found = wave if wave and (is_fringe(wave, expected) or not image.noise_known) else None
    without = _without_fringe(
        replace(plain, checks=_checks(windows, cloud, found) if second else ()), fringe, wave
    )
    if found is None or found.radians(cloud.width) < APART_RADIANS:
        return _slow_start(image, cloud, without, fringe)
    numbers = (*found.kappa, min(found.contrast, 1.0), found.phase_rad)
    values = plain.values | dict(zip(fringe.names, numbers, strict=True))
    checks = without.checks + (tuple(fringe_checks(found, fringe, cloud.width)) if second else ())
    later = partial(_slow_start, image, cloud, without, fringe)
    return replace(plain, values=values, checks=checks, otherwise=later)


def _checks(windows: list[Window], cloud: Cloud, wave: Wave | None) -> tuple[Check, ...]:
    """Return what the centroid says; nothing where a long fringe moves it."""
    if wave is not None and wave.radians(cloud.width) < APART_RADIANS:
        return ()
    names = {port: (right, up) for port, (_, right, up) in PORTS.items()}
    return tuple(
        one for one in position_checks(windows, cloud, names, wave) if math.isfinite(one.sigma)
    )


def _without_fringe(plain: Start, fringe: Fringe, wave: Wave | None) -> Start:
    return replace(
        plain,
        values=plain.values | dict.fromkeys(fringe.names, 0.0),
        absent=plain.absent | set(fringe.names),
        reasons=(*plain.reasons, f"no fringe{_score_in_words(wave)}"),
    )


def _score_in_words(wave: Wave | None) -> str:
    if wave is None:
        return ""
    return f": {wave.score:.1f} standard errors, wanted more than {FREE_SEARCH_SIGMA:g}"


def _slow_start(image: Electrons, cloud: Cloud, without: Start, fringe: Fringe) -> Start:
    """Suppose a long fringe where one may be: moments and their check are of no use then."""
    wave = find_slow_wave(image, cloud)
    if wave is None:
        return without
    values = without.values | dict(
        zip(fringe.names, (*wave.kappa, wave.contrast, wave.phase_rad), strict=True)
    )
    for port, (right, up) in wave.places.items():
        values |= dict(zip(PORTS[port], (wave.electrons.get(port, 0.0), right, up), strict=True))
    proven = wave.chi2_fall > FREE_SEARCH_SIGMA**2
    suspected = replace(without, reasons=(*without.reasons, LONG_FRINGE), suspected=True)
    absent = without.absent - set(fringe.names)
    return Start(values, absent, without.reasons[:-1], (), proven, otherwise=lambda: suspected)


def _envelope_values(cloud: Cloud) -> dict[str, float]:
    values = dict(zip(BACKGROUND, cloud.background.tolist(), strict=True))
    values |= dict(zip(WIDTHS, cloud.width, strict=True))
    for port, (electrons, right, up) in PORTS.items():
        values[electrons] = max(cloud.electrons[port], 0.0)
        values[right], values[up] = cloud.places[port]
    return values
