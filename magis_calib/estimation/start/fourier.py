"""The fringe as a Fourier peak of the ports' difference, with standard errors without a fit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.fft

from magis_calib.domain.estimate import Array
from magis_calib.estimation.start.windows import Window

FREE_SEARCH_SIGMA = 6.5
"""Above this a Fourier peak is a fringe.

Fringe-free clouds give 3.9 to 5 (median 4.5) in a free search.
"""
PREDICTED_SIGMA = 4.0
"""Enough where the wavevector lies within three standard errors of its prediction."""
PREDICTED_WITHIN = 3.0
FEWEST_RADIANS = 2.0
"""Below this |κ·width| a fringe cannot be told from the envelope by its Fourier peak."""

SHORTEST_PX = 5.0
"""Fringes have periods of 6 px and more."""
REACHES = (0.7, 0.5, 0.3)
"""Distances of the points of the parabolas, over the cloud's width."""

Wavevector = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Wave:
    """A wave in the difference of the ports; its sign is arbitrary.

    Phase at each port's nominal displacement.
    """

    kappa: Wavevector
    """Right, up (rad/m)."""
    kappa_sigma: Wavevector
    contrast: float
    phase_rad: float
    score: float
    """Amplitude over the standard deviation of noise."""
    middle: tuple[float, float]
    """Where phase and wavevector are independent, from the ports' displacement (m)."""

    def radians(self, width: tuple[float, float]) -> float:
        """Phase across one standard deviation of a cloud of these widths."""
        return math.hypot(self.kappa[0] * width[0], self.kappa[1] * width[1])


def find_wave(
    windows: list[Window], width: tuple[float, float], expected: Wavevector | None
) -> Wave | None:
    """Return the strongest wave with |κ·width| > 2 that counts as a fringe, or None."""
    if not windows:
        return None
    free = _wave(windows, _refine(windows, _strongest(windows, width), width))
    if free.score > FREE_SEARCH_SIGMA or expected is None:
        return free
    near = _wave(windows, _refine(windows, expected, width))
    return near if _is_predicted(near, expected) else free


def is_fringe(wave: Wave | None, expected: Wavevector | None) -> bool:
    """Whether this wave stands out: 6.5 standard deviations, 4 where it was expected."""
    if wave is None:
        return False
    if wave.score > FREE_SEARCH_SIGMA:
        return True
    return expected is not None and _is_predicted(wave, expected)


def _is_predicted(wave: Wave, expected: Wavevector) -> bool:
    """Whether this wave stands out enough for where it is expected."""
    away = math.hypot(*((wave.kappa[i] - expected[i]) / wave.kappa_sigma[i] for i in (0, 1)))
    return wave.score > PREDICTED_SIGMA and away < PREDICTED_WITHIN


def _strongest(windows: list[Window], width: tuple[float, float]) -> Wavevector:
    """Return the wavevector of the largest Fourier amplitude of all windows, |κ·width| > 2."""
    rows = max(scipy.fft.next_fast_len(len(one.v)) for one in windows)
    columns = max(scipy.fft.next_fast_len(len(one.u), real=True) for one in windows)
    step_u, step_v = windows[0].bin_m
    kappa_u = 2.0 * math.pi * scipy.fft.rfftfreq(columns, step_u)
    kappa_v = 2.0 * math.pi * scipy.fft.fftfreq(rows, step_v)
    total = np.zeros((rows, len(kappa_u)), dtype=np.complex128)
    for one in windows:
        spectrum = scipy.fft.rfft2(one.fringe[::-1], (rows, columns))
        total += (
            spectrum * np.exp(-1j * kappa_u * one.u[0]) * np.exp(-1j * kappa_v * one.v[-1])[:, None]
        )
    fine = (kappa_v[:, None] * width[1]) ** 2 + (kappa_u * width[0]) ** 2 > FEWEST_RADIANS**2
    fine &= (
        kappa_v[:, None] ** 2 + kappa_u**2 < (math.tau / (SHORTEST_PX * windows[0].pixel_m)) ** 2
    )
    power = (total.real**2 + total.imag**2) * fine
    row, column = np.unravel_index(int(np.argmax(power)), power.shape)
    return float(kappa_u[column]), float(kappa_v[row])


def _refine(windows: list[Window], kappa: Wavevector, width: tuple[float, float]) -> Wavevector:
    """Climb to the peak: its logarithm is a parabola, exactly so for a Gaussian cloud."""
    for reach in REACHES:
        middle = _height(windows, kappa)
        moved = list(kappa)
        for way in (0, 1):
            step = reach / width[way]
            left, right = (
                _height(windows, _beside(kappa, way, sign * step)) for sign in (-1.0, 1.0)
            )
            curvature = left - 2.0 * middle + right
            shift = 0.5 * (left - right) / curvature if curvature < 0 else 0.0
            moved[way] += step * min(1.5, max(-1.5, shift))
        kappa = (moved[0], moved[1])
    return kappa


def _beside(kappa: Wavevector, way: int, step: float) -> Wavevector:
    return (kappa[0] + step, kappa[1]) if way == 0 else (kappa[0], kappa[1] + step)


def _height(windows: list[Window], kappa: Wavevector) -> float:
    return math.log(abs(_amplitude(windows, kappa)) + 1e-300)


def _amplitude(windows: list[Window], kappa: Wavevector) -> complex:
    """Return the Fourier amplitude of all windows together, as if the bins were points."""
    total = 0j
    for one in windows:
        angle = kappa[0] * one.u
        rows = one.fringe @ np.stack(
            [np.cos(angle), -np.sin(angle)], axis=1
        )  # faster than one complex product
        total += complex(np.exp(-1j * kappa[1] * one.v) @ (rows[:, 0] + 1j * rows[:, 1]))
    return total / _averaged(windows, kappa)


def _averaged(windows: list[Window], kappa: Wavevector) -> float:
    """What averaging over its bins leaves of a wave."""
    across, along = (kappa[way] * windows[0].bin_m[way] / math.tau for way in (0, 1))
    return max(abs(float(np.sinc(across) * np.sinc(along))), 0.1)


def _wave(windows: list[Window], kappa: Wavevector) -> Wave:
    amplitude = _amplitude(windows, kappa)
    information = [one.weight * one.envelope for one in windows]
    total = sum(float(one.sum()) for one in information)
    middle_u, spread_u = _spread(information, [one.u for one in windows], 0, total)
    middle_v, spread_v = _spread(information, [one.v for one in windows], 1, total)
    size = max(abs(amplitude), 1e-300)
    seen = 2.0 * size / total
    clear = seen * _averaged(windows, kappa)
    sigma = (
        math.sqrt(2.0 / max(spread_u, 1e-300)) / clear,
        math.sqrt(2.0 / max(spread_v, 1e-300)) / clear,
    )
    score = size * _averaged(windows, kappa) / math.sqrt(total / 2.0)
    phase = float(np.angle(amplitude))
    return Wave(kappa, sigma, seen, phase, score, (middle_u, middle_v))


def _spread(
    information: list[Array], places: list[Array], across: int, total: float
) -> tuple[float, float]:
    """Return the middle of the information along one axis, and its second moment about it."""
    middle = _moment(information, places, across) / total
    return middle, _moment(information, [(one - middle) ** 2 for one in places], across)


def _moment(information: list[Array], values: list[Array], across: int) -> float:
    """Sum values along one axis, weighted by the information of the bins across it."""
    pairs = zip(information, values, strict=True)
    return sum(float(one.sum(axis=across) @ value) for one, value in pairs)
