"""Pictures with a known answer, integrated over every pixel, and the camera that takes them.

Nothing here is taken from the fit. The integral of a Gaussian times a wave over a pixel is a
difference of error functions with complex argument, written with the Faddeeva function w so that
nothing overflows (Abramowitz and Stegun, 7.1.3 and 7.4.2; `scipy.special.wofz`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import erf, wofz

from magis_calib.domain.camera import CameraFacts, Counts
from magis_calib.domain.estimate import Array

Complex = npt.NDArray[np.complex128]
Electrons32 = npt.NDArray[np.float32]
Point = tuple[float, float]
"""Right, up (m)."""

EVERYTHING = slice(None)
NOTHING = 1e-40
BLOCK_ROWS = 128
"""Rows that are worked on at a time: an image of 61 Mpix needs little more memory than its counts.
"""


@dataclass(frozen=True, slots=True)
class Truth:
    """What the fit should find: `two_port_fringe` of docs/contracts.md, image-plane values, SI."""

    background_electrons_per_px: float
    background_gradient_horizontal: float
    background_gradient_vertical: float
    port_a_electrons: float
    port_a_horizontal_m: float
    port_a_vertical_m: float
    port_b_electrons: float
    port_b_horizontal_m: float
    port_b_vertical_m: float
    width_horizontal_m: float
    width_vertical_m: float
    fringe_horizontal_rad_per_m: float
    fringe_vertical_rad_per_m: float
    contrast: float
    phase_rad: float
    displacement_a_m: Point = (0.0, 7.5e-3)
    """Nominal place of port a, known to the fit."""
    displacement_b_m: Point = (0.0, -7.5e-3)

    def value(self, name: str) -> float:
        """The value of a parameter."""
        found: float = getattr(self, name)
        return found

    def having(self, name: str, value: float) -> Truth:
        """The same with another value of one parameter."""
        changed: Any = {name: value}
        return replace(self, **changed)


PARAMETERS = tuple(field.name for field in fields(Truth) if field.default is MISSING)
PORTS = ("a", "b")
SIGNS = {"a": 1.0, "b": -1.0}


@dataclass(frozen=True, slots=True, eq=False)
class Mean:
    """Expected electrons as sums of outer products: (rows, terms) @ (terms, columns)."""

    signal: tuple[Array, Array]
    background: tuple[Array, Array]

    def part(self, rows: slice, columns: slice = EVERYTHING) -> tuple[Array, Array]:
        """Return expected signal and background of these rows and columns, electrons."""
        signal_v, signal_u = self.signal
        background_v, background_u = self.background
        signal = np.maximum(signal_v[rows] @ signal_u[:, columns], 0.0)
        return signal, background_v[rows] @ background_u[:, columns]


def mean_of(truth: Truth, facts: CameraFacts) -> Mean:
    """Return the expected electrons per pixel of a camera that stands upright."""
    u, v = middles(facts)
    edges_u, edges_v = _edges(u), _edges(v)
    tall, wide = [], []
    for port in PORTS:
        electrons, centre_u, centre_v = _port(truth, port)
        right, up = truth.displacement_a_m if port == "a" else truth.displacement_b_m
        plain_u, wave_u = _pixels(
            edges_u, centre_u, truth.width_horizontal_m, truth.fringe_horizontal_rad_per_m, right
        )
        plain_v, wave_v = _pixels(
            edges_v, centre_v, truth.width_vertical_m, truth.fringe_vertical_rad_per_m, up
        )
        wave_u = SIGNS[port] * truth.contrast * np.exp(1j * truth.phase_rad) * wave_u
        tall += [electrons * plain_v, electrons * wave_v.real, -electrons * wave_v.imag]
        wide += [plain_u, wave_u.real, wave_u.imag]
    level = truth.background_electrons_per_px + truth.background_gradient_vertical * v
    background = (
        np.stack([level, np.ones_like(v)], axis=1),
        np.stack([np.ones_like(u), truth.background_gradient_horizontal * u]),
    )
    return Mean((np.stack(tall, axis=1), np.stack(wide)), background)


def middles(facts: CameraFacts) -> tuple[Array, Array]:
    """Return the middles of columns and rows in the object, u to the right and v up (m)."""
    u: Array = (
        np.arange(facts.columns, dtype=np.float64) - (facts.columns - 1) / 2.0
    ) * facts.object_pixel_m
    v: Array = (
        (facts.rows - 1) / 2.0 - np.arange(facts.rows, dtype=np.float64)
    ) * facts.object_pixel_m
    return u, v


def photograph(
    rng: np.random.Generator, truth: Truth, facts: CameraFacts, response_spread: float = 0.0
) -> Counts:
    """Return the counts (rows, columns) of one photograph.

    With photoelectrons per atom `facts.excess` > 0 the atoms of a pixel are Poisson and each gives
    Poisson electrons, so that the signal's variance is (1 + excess) times the signal; with 0 the
    electrons are Poisson. Read noise is Gaussian. `response_spread` is the relative standard
    deviation of the pixels' sensitivity.
    """
    counts = np.empty((facts.rows, facts.columns), dtype=np.uint16)
    mean = mean_of(truth, facts)
    for rows in blocks(facts.rows):
        signal, background = mean.part(rows)
        if response_spread > 0:
            response = 1.0 + response_spread * rng.standard_normal(signal.shape)
            signal, background = signal * response, background * response
        counts[rows] = digitised(_electrons(rng, signal, background, facts), facts)
    return counts


def blocks(rows: int) -> Iterator[slice]:
    """Yield the rows of an image in blocks."""
    for start in range(0, rows, BLOCK_ROWS):
        yield slice(start, min(rows, start + BLOCK_ROWS))


def digitised(electrons: Electrons32, facts: CameraFacts) -> Counts:
    """Return the counts of electrons: whole ADC steps above the offset, up to saturation."""
    steps = np.rint(electrons * np.float32(1.0 / (facts.gain * facts.lsb_counts)))
    steps *= np.float32(facts.lsb_counts)
    steps += np.float32(facts.offset)
    counts: Counts = np.clip(steps, 0, facts.saturation, out=steps).astype(np.uint16)
    return counts


def _electrons(
    rng: np.random.Generator, signal: Array, background: Array, facts: CameraFacts
) -> Electrons32:
    expected = signal
    if facts.excess > 0:
        expected = facts.excess * rng.poisson(signal / facts.excess).astype(np.float64)
    electrons = rng.poisson(expected + background).astype(np.float32)
    electrons += np.float32(facts.read_noise) * rng.standard_normal(signal.shape, dtype=np.float32)
    return electrons


def _port(truth: Truth, port: str) -> tuple[float, float, float]:
    return (
        truth.value(f"port_{port}_electrons"),
        truth.value(f"port_{port}_horizontal_m"),
        truth.value(f"port_{port}_vertical_m"),
    )


def _edges(middles_m: Array) -> Array:
    """Return the edges between pixels of an axis, one more than pixels, in its direction."""
    half = 0.5 * (middles_m[1] - middles_m[0])
    return np.append(middles_m - half, middles_m[-1] + half)


def _pixels(
    edges: Array, centre: float, width: float, wavevector: float, reference: float
) -> tuple[Array, Complex]:
    """Return ∫g and ∫g·exp(iκ(x - reference)) over each pixel of an axis, g the normal density."""
    x = (edges - centre) / (math.sqrt(2.0) * width)
    upward = 0.5 if edges[1] > edges[0] else -0.5
    turn = np.exp(1j * wavevector * (centre - reference))
    wave = upward * turn * np.diff(_damped_erf(x, wavevector * width / math.sqrt(2.0)))
    return _cut(upward * np.diff(erf(x))), _cut(wave.real) + 1j * _cut(wave.imag)


def _cut(values: Array) -> Array:
    """Return the values with 0 for what no pixel could show: the smallest numbers are slow."""
    return np.where(np.abs(values) > NOTHING, values, 0.0)


def _damped_erf(x: Array, y: float) -> Complex:
    """Return exp(-y²)·erf(x - iy).

    By erf z = 1 - exp(-z²) w(iz) on the side where w stays below 1.
    """
    side = np.where(x < 0, -1.0, 1.0)
    value: Complex = side * (
        math.exp(-y * y) - np.exp(-x * x + 2j * x * y) * wofz(side * (y + 1j * x))
    )
    return value
