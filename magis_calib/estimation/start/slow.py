"""A fringe longer than the cloud, without a Fourier peak: least squares of a few wavevectors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from magis_calib.domain.estimate import Array
from magis_calib.estimation.start.cloud import Cloud
from magis_calib.estimation.start.windows import Window, cut_windows
from magis_calib.imaging.electrons import Electrons

RADIANS = (0.7, 1.1, 1.6, 2.1, 2.8)
"""|κ·width| tried."""
DIRECTIONS = 4
"""Directions tried over half a turn; the other half is the same image."""
GAIN = 12.0
"""Chi-square must fall by this much: less shows no fringe and hardly moves the position."""


@dataclass(frozen=True, slots=True)
class SlowWave:
    """A long fringe that may be there."""

    kappa: tuple[float, float]
    contrast: float
    phase_rad: float
    electrons: Mapping[str, float]
    places: Mapping[str, tuple[float, float]]
    chi2_fall: float
    """By how much chi-square falls."""


def find_slow_wave(image: Electrons, cloud: Cloud) -> SlowWave | None:
    """Return the best of the tried waves, or None where none makes chi-square fall enough."""
    cloud = _tied(cloud)
    windows = cut_windows(image, cloud)
    if not windows or len(windows) != len(cloud.shown()):
        return None
    plain = _chi2(windows, [])
    best: SlowWave | None = None
    for radians in RADIANS:
        for turn in np.arange(DIRECTIONS) * math.pi / DIRECTIONS:
            kappa = (
                radians * math.cos(turn) / cloud.width[0],
                radians * math.sin(turn) / cloud.width[1],
            )
            wave = _solved(windows, cloud, kappa, plain)
            if wave is not None and (best is None or wave.chi2_fall > best.chi2_fall):
                best = wave
    return best if best is not None and best.chi2_fall > GAIN else None


def _tied(cloud: Cloud) -> Cloud:
    """Put the ports their nominal displacements apart: a long fringe seems to move them."""
    light = {port: cloud.electrons[port] for port in cloud.shown()}
    if not light:
        return cloud
    middle = (_middle(cloud, light, 0), _middle(cloud, light, 1))
    places = {
        port: (middle[0] + right, middle[1] + up)
        for port, (right, up) in cloud.displacements.items()
    }
    return replace(cloud, places=places)


def _middle(cloud: Cloud, light: Mapping[str, float], way: int) -> float:
    """Return where the ports are on average, each less its nominal displacement (m)."""
    weighted = sum(
        part * (cloud.places[port][way] - cloud.displacements[port][way])
        for port, part in light.items()
    )
    return weighted / sum(light.values())


def _solved(
    windows: list[Window], cloud: Cloud, kappa: tuple[float, float], plain: float
) -> SlowWave | None:
    """Solve for the ports' electrons, C cos φ and C sin φ at this wavevector."""
    amplitudes, chi2 = _least_squares(windows, [kappa])
    ports = cloud.shown()
    electrons = {port: amplitudes[i] * cloud.electrons[port] for i, port in enumerate(ports)}
    mean = float(np.mean(amplitudes[: len(ports)]))
    if min(electrons.values()) <= 0:
        return None
    cosine, sine = amplitudes[len(ports) :] / mean
    contrast = math.hypot(cosine, sine)
    return SlowWave(
        kappa, min(contrast, 0.95), math.atan2(-sine, cosine), electrons, cloud.places, plain - chi2
    )


def _wave_columns(window: Window, waves: list[tuple[float, float]]) -> Array:
    """Return the cosine and the sine of each wave under the window's envelope."""
    columns = np.zeros((2 * len(waves), window.light.size))
    envelope = window.envelope.ravel()
    for number, (kappa_u, kappa_v) in enumerate(waves):
        wave = np.exp(1j * (kappa_u * window.u[None, :] + kappa_v * window.v[:, None])).ravel()
        columns[2 * number] = window.sign * envelope * wave.real
        columns[2 * number + 1] = window.sign * envelope * wave.imag
    return columns


def _chi2(windows: list[Window], waves: list[tuple[float, float]]) -> float:
    return _least_squares(windows, waves)[1]


def _least_squares(windows: list[Window], waves: list[tuple[float, float]]) -> tuple[Array, float]:
    """Fit light = Σ envelope·(amplitude + sign·(c cos κu + s sin κu)).

    C and s are common to the ports.
    """
    size = len(windows) + 2 * len(waves)
    normal = np.zeros((size, size))
    right = np.zeros(size)
    total = 0.0
    for place, window in enumerate(windows):
        columns = np.zeros((size, window.light.size))
        columns[place] = window.envelope.ravel()
        columns[len(windows) :] = _wave_columns(window, waves)
        weighted = columns / window.variance.ravel()
        normal += weighted @ columns.T
        right += weighted @ window.light.ravel()
        total += float(np.sum(window.light**2 / window.variance))
    amplitudes: Array = np.asarray(np.linalg.lstsq(normal, right, rcond=1e-12)[0], dtype=np.float64)
    return amplitudes, total - float(amplitudes @ right)
