"""Start values of the two-port models, and what the second estimator says."""

from __future__ import annotations

import math
from dataclasses import replace

from magis_calib.estimation.cloud import Cloud, whole_clouds
from magis_calib.estimation.fourier import FREE_SEARCH_SIGMA, Wavevector, find_wave, is_fringe
from magis_calib.estimation.model import Check, Fringe, Start
from magis_calib.estimation.port import PORTS, WIDTHS, Displacements
from magis_calib.estimation.search import find_clouds
from magis_calib.estimation.second import fringe_checks, position_checks
from magis_calib.estimation.slow import SlowWave, find_slow_wave
from magis_calib.estimation.windows import cut_windows
from magis_calib.imaging.electrons import Electrons

BACKGROUND = ("background_electrons_per_px", "background_gradient_horizontal", "background_gradient_vertical")
PLAIN_PX = 16
"""Bins of the second estimator where no fringe is looked for."""


def two_port_start(
    image: Electrons, displacements: Displacements, fringe: Fringe | None, expected: Wavevector | None = None
) -> Start:
    """Return start values. Raises `FitError` "no cloud …". `expected` is the predicted wavevector in the loop."""
    cloud = whole_clouds(image, displacements) or find_clouds(image, displacements)
    windows = cut_windows(image, cloud) if fringe else cut_windows(image, cloud, PLAIN_PX)
    wave = find_wave(windows, cloud.width, expected) if fringe else None
    found = wave if wave and (is_fringe(wave, expected) or not image.noise_known) else None
    names = {port: (right, up) for port, (_, right, up) in PORTS.items()}
    checks = position_checks(windows, cloud, names, found) if image.noise_known else []
    faint = [port for port in PORTS if port not in cloud.shown()]
    absent = frozenset(name for port in faint for name in PORTS[port][1:])
    reasons = tuple(f"no port {port}: {cloud.significance[port]:.1f} standard errors" for port in faint)
    plain = Start(_envelope_values(cloud), absent, reasons, _known(checks))
    if fringe is None:
        return plain
    score = f": {wave.score:.1f} standard errors, wanted more than {FREE_SEARCH_SIGMA:g}" if wave else ""
    without = replace(
        plain,
        values=plain.values | dict.fromkeys(fringe.names, 0.0),
        absent=absent | set(fringe.names),
        reasons=(*reasons, f"no fringe{score}"),
    )
    if found is not None:
        wave_values = dict(zip(fringe.names, (*found.kappa, min(found.contrast, 1.0), found.phase_rad), strict=True))
        checks += fringe_checks(found, fringe, cloud.width) if image.noise_known else []
        return Start(plain.values | wave_values, absent, reasons, _known(checks), without)
    slow = find_slow_wave(image, cloud)
    return without if slow is None else _with_slow_wave(without, slow, fringe)


def _with_slow_wave(without: Start, wave: SlowWave, fringe: Fringe) -> Start:
    """Suppose a long fringe: the moments of the ports are of no use, nor is their check."""
    values = without.values | dict(zip(fringe.names, (*wave.kappa, wave.contrast, wave.phase_rad), strict=True))
    for port, (right, up) in wave.places.items():
        values |= dict(zip(PORTS[port], (wave.electrons.get(port, 0.0), right, up), strict=True))
    return Start(values, without.absent - set(fringe.names), without.reasons[:-1], (), without)


def _known(checks: list[Check]) -> tuple[Check, ...]:
    return tuple(check for check in checks if math.isfinite(check.sigma))


def _envelope_values(cloud: Cloud) -> dict[str, float]:
    values = dict(zip(BACKGROUND, cloud.background.tolist(), strict=True))
    values |= dict(zip(WIDTHS, cloud.width, strict=True))
    for port, (electrons, right, up) in PORTS.items():
        values[electrons] = max(cloud.electrons[port], 0.0)
        values[right], values[up] = cloud.places[port]
    return values
