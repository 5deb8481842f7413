"""Start values of the two-port models, and what the second estimator says."""

from __future__ import annotations

import math

from magis_calib.estimation.cloud import Cloud, whole_clouds
from magis_calib.estimation.fourier import FREE_SEARCH_SIGMA, Wave, Wavevector, find_wave, is_fringe
from magis_calib.estimation.model import Check, Fringe, Start
from magis_calib.estimation.port import PORTS, WIDTHS, Displacements
from magis_calib.estimation.search import find_clouds
from magis_calib.estimation.second import fringe_checks, position_checks
from magis_calib.estimation.slow import SlowWave, find_slow_wave
from magis_calib.estimation.windows import cut_windows
from magis_calib.imaging.electrons import Electrons

BACKGROUND = ("background_electrons_per_px", "background_gradient_horizontal", "background_gradient_vertical")


def two_port_start(
    image: Electrons, displacements: Displacements, fringe: Fringe | None, expected: Wavevector | None = None
) -> Start:
    """Return start values. Raises `FitError` "no cloud …". `expected` is the predicted wavevector in the loop."""
    cloud = whole_clouds(image, displacements) or find_clouds(image, displacements)
    windows = cut_windows(image, cloud)
    wave = find_wave(windows, cloud.width, expected) if fringe else None
    found: Wave | SlowWave | None = wave if is_fringe(wave, expected) else None
    values = _envelope_values(cloud)
    if fringe and found is None:
        found = find_slow_wave(image, cloud)
        values |= {PORTS[port][0]: light for port, light in (found.electrons.items() if found else ())}
    absent = {name for port in PORTS if port not in cloud.shown() for name in PORTS[port][1:]}
    reasons = tuple(f"no port {port}: {cloud.significance[port]:.1f} standard errors" for port in PORTS
                    if port not in cloud.shown())  # fmt: skip
    checks: list[Check] = []
    if not isinstance(found, SlowWave):
        names = {port: (right, up) for port, (_, right, up) in PORTS.items()}
        checks += position_checks(windows, cloud, names, found)
    if fringe and found is None:
        values |= dict.fromkeys(fringe.names, 0.0)
        absent |= set(fringe.names)
        score = f": {wave.score:.1f} standard errors, wanted more than {FREE_SEARCH_SIGMA:g}" if wave else ""
        reasons += (f"no fringe{score}",)
    elif fringe and found is not None:
        numbers = (*found.kappa, min(found.contrast, 1.0), found.phase_rad)
        values |= dict(zip(fringe.names, numbers, strict=True))
        checks += fringe_checks(found, fringe, cloud.width) if isinstance(found, Wave) else []
    return Start(values, frozenset(absent), reasons, tuple(check for check in checks if math.isfinite(check.sigma)))


def _envelope_values(cloud: Cloud) -> dict[str, float]:
    values = dict(zip(BACKGROUND, cloud.background.tolist(), strict=True))
    values |= dict(zip(WIDTHS, cloud.width, strict=True))
    for port, (electrons, right, up) in PORTS.items():
        values[electrons] = max(cloud.electrons[port], 0.0)
        values[right], values[up] = cloud.places[port]
    return values
