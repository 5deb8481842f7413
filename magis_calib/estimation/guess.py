"""Start values that need no help: moments of the two ports, then the Fourier peak of their difference."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.fft
import scipy.ndimage

from magis_calib.domain.camera import CameraFacts
from magis_calib.domain.errors import FitError
from magis_calib.domain.estimate import Array
from magis_calib.estimation.model import Displacements
from magis_calib.imaging.electrons import Electrons

WINDOW_BINS = 160
"""The fringe is searched in about this many bins a side, over six widths."""
FREE_SEARCH_SIGMA = 6.5
"""Above this a Fourier peak is a fringe; fringe-free clouds give 3.9 to 5 (physics: thresholds of a free search)."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """Both ports as found by moments; positions are image coordinates without the ports' displacements."""

    background: float
    """Electrons per px."""
    electrons: dict[str, float]
    horizontal_m: dict[str, float]
    """Of each port, displacement included."""
    vertical_m: dict[str, float]
    width_horizontal_m: float
    width_vertical_m: float
    significance: float
    """Electrons of both ports over their standard error."""


@dataclass(frozen=True, slots=True)
class Fringe:
    """The strongest wave in the difference of the ports."""

    horizontal_rad_per_m: float
    vertical_rad_per_m: float
    contrast: float
    phase_rad: float
    score: float
    """Amplitude over the standard deviation of noise."""


def find_cloud(image: Electrons, displacements: Displacements) -> Cloud:
    """Find both ports. Raises `FitError` "no cloud" where nothing stands out of the noise."""
    tiles = image.tiles
    pixel_m = image.facts.object_pixel_m
    rows, columns = image.shape
    u = ((tiles.column_edges[:-1] + tiles.column_edges[1:] - 1) / 2.0 - (columns - 1) / 2.0) * pixel_m
    v = ((rows - 1) / 2.0 - (tiles.row_edges[:-1] + tiles.row_edges[1:] - 1) / 2.0) * pixel_m
    background = _background(tiles.electrons / tiles.pixels)
    signal = tiles.electrons - background * tiles.pixels
    noise = np.sqrt(np.maximum(background, 0.0) * tiles.pixels + tiles.pixels * image.facts.quantised_read_variance)
    centre = _stacked_peak(signal / noise, u, v, displacements)
    separation = math.dist(displacements["a"], displacements["b"])
    reach = 0.45 * separation if separation > 0 else 0.25 * (abs(v[0] - v[-1]))
    ports = {name: (centre[0] + d[0], centre[1] + d[1]) for name, d in displacements.items()}
    for _ in range(5):
        moments = {name: _moments(signal, u, v, at, reach) for name, at in ports.items()}
        strong = max(moments.values(), key=lambda one: one[0])
        if strong[0] <= 0:
            raise FitError("no cloud")
        ports = {name: (one[1], one[2]) if one[0] > 0.05 * strong[0] else ports[name] for name, one in moments.items()}
        width_u, width_v = _mean_width(moments, 3, strong), _mean_width(moments, 4, strong)
        reach = min(reach, 3.0 * max(width_u, width_v))
    total = sum(max(one[0], 0.0) for one in moments.values())
    error = _electrons_error(noise, u, v, ports, reach, total, image.facts)
    return Cloud(
        background,
        {name: max(one[0], 0.0) for name, one in moments.items()},
        {name: at[0] for name, at in ports.items()},
        {name: at[1] for name, at in ports.items()},
        max(width_u, pixel_m),
        max(width_v, pixel_m),
        total / error,
    )


def find_fringe(image: Electrons, cloud: Cloud, displacements: Displacements) -> Fringe:
    """Find the strongest wave with |κ·width| > 2, any direction; its sign is arbitrary."""
    pixel_m = image.facts.object_pixel_m
    bin_px = max(1, round(6.0 * max(cloud.width_horizontal_m, cloud.width_vertical_m) / pixel_m / WINDOW_BINS))
    windows = {name: _window(image, cloud, name, displacements[name], bin_px) for name in ("a", "b")}
    (a, variance_a, u, v), (b, variance_b, _, _) = windows["a"], windows["b"]
    rows, columns = min(a.shape[0], b.shape[0]), min(a.shape[1], b.shape[1])
    total_a, total_b = max(cloud.electrons["a"], 1.0), max(cloud.electrons["b"], 1.0)
    difference = a[:rows, :columns] / total_a - b[:rows, :columns] / total_b
    variance = variance_a[:rows, :columns] / total_a**2 + variance_b[:rows, :columns] / total_b**2
    u, v = u[:columns], v[:rows]
    middle_u = 0.5 * sum(cloud.horizontal_m[p] - displacements[p][0] for p in ("a", "b"))
    middle_v = 0.5 * sum(cloud.vertical_m[p] - displacements[p][1] for p in ("a", "b"))
    weight = np.exp(-0.5 * ((v[:, None] - middle_v) / cloud.width_vertical_m) ** 2) * np.exp(
        -0.5 * ((u[None, :] - middle_u) / cloud.width_horizontal_m) ** 2
    )
    weighted = difference * weight
    kappa_u, kappa_v = _peak(weighted, bin_px * pixel_m, cloud)
    amplitude = np.exp(-1j * kappa_v * v) @ weighted @ np.exp(-1j * kappa_u * u)
    noise = math.sqrt(0.5 * float(np.sum(weight**2 * variance)))
    cell = (bin_px * pixel_m) ** 2
    overlap = float(np.sum(weight**2)) * cell / (2.0 * math.pi * cloud.width_horizontal_m * cloud.width_vertical_m)
    score = abs(amplitude) / max(noise, 1e-300)
    return Fringe(kappa_u, kappa_v, min(1.0, abs(amplitude) / overlap), float(np.angle(amplitude)), score)


def _background(per_px: Array) -> float:
    """Median of the tiles after two rounds of clipping at 3 robust standard deviations."""
    kept = per_px.ravel()
    for _ in range(2):
        middle = float(np.median(kept))
        spread = 1.4826 * float(np.median(np.abs(kept - middle)))
        kept = kept[np.abs(kept - middle) <= 3.0 * spread] if spread > 0 else kept
    return float(np.median(kept))


def _stacked_peak(snr: Array, u: Array, v: Array, displacements: Displacements) -> tuple[float, float]:
    """Add both ports on top of each other and return where the smoothed sum is largest."""
    step_u, step_v = abs(u[1] - u[0]), abs(v[1] - v[0])
    stacked = np.zeros_like(snr)
    for right, up in displacements.values():
        shift = (up / step_v, -right / step_u)
        stacked += scipy.ndimage.shift(snr, shift, order=0, mode="constant", prefilter=False)
    smooth = scipy.ndimage.uniform_filter(stacked, 5, mode="constant")
    row, column = np.unravel_index(int(np.argmax(smooth)), smooth.shape)
    return float(u[column]), float(v[row])


def _moments(
    signal: Array, u: Array, v: Array, at: tuple[float, float], reach: float
) -> tuple[float, float, float, float, float]:
    """Return sum, centre u and v, width u and v inside a square window."""
    rows, columns = np.abs(v - at[1]) <= reach, np.abs(u - at[0]) <= reach
    part, u, v = signal[np.ix_(rows, columns)], u[columns], v[rows]
    total = float(part.sum())
    if total <= 0:
        return 0.0, at[0], at[1], 0.0, 0.0
    across, along = part.sum(axis=0), part.sum(axis=1)
    centre_u, centre_v = float(across @ u) / total, float(along @ v) / total
    variance_u, variance_v = float(across @ (u - centre_u) ** 2) / total, float(along @ (v - centre_v) ** 2) / total
    return total, centre_u, centre_v, math.sqrt(max(variance_u, 0.0)), math.sqrt(max(variance_v, 0.0))


def _mean_width(moments: Mapping[str, tuple[float, ...]], index: int, strong: tuple[float, ...]) -> float:
    widths = [one[index] for one in moments.values() if one[0] > 0.3 * strong[0] and one[index] > 0]
    return float(np.mean(widths)) if widths else strong[index]


def _electrons_error(
    noise: Array, u: Array, v: Array, ports: dict[str, tuple[float, float]], reach: float, total: float,
    facts: CameraFacts,
) -> float:  # fmt: skip
    variance = (1.0 + facts.excess) * max(total, 0.0)
    for at in ports.values():
        rows, columns = np.abs(v - at[1]) <= reach, np.abs(u - at[0]) <= reach
        variance += float(np.sum(noise[np.ix_(rows, columns)] ** 2))
    return math.sqrt(max(variance, 1e-300))


def _window(
    image: Electrons, cloud: Cloud, port: str, displacement: tuple[float, float], bin_px: int
) -> tuple[Array, Array, Array, Array]:
    """Return one port over six widths: signal, variance, and u and v counted from the port's displacement."""
    pixel_m, (rows, columns) = image.facts.object_pixel_m, image.shape
    middle_column = cloud.horizontal_m[port] / pixel_m + (columns - 1) / 2.0
    middle_row = (rows - 1) / 2.0 - cloud.vertical_m[port] / pixel_m
    half_u = 3.0 * cloud.width_horizontal_m / pixel_m
    half_v = 3.0 * cloud.width_vertical_m / pixel_m
    column_edges = np.arange(max(0, int(middle_column - half_u)), min(columns, int(middle_column + half_u)), bin_px)
    row_edges = np.arange(max(0, int(middle_row - half_v)), min(rows, int(middle_row + half_v)), bin_px)
    if len(column_edges) < 5 or len(row_edges) < 5:
        raise FitError(f"cut by the edge: port {port} lies at column {middle_column:.0f}, row {middle_row:.0f}")
    bins = image.binned(row_edges, column_edges)
    u = ((bins.column_edges[:-1] + bins.column_edges[1:] - 1) / 2.0 - (columns - 1) / 2.0) * pixel_m - displacement[0]
    v = ((rows - 1) / 2.0 - (bins.row_edges[:-1] + bins.row_edges[1:] - 1) / 2.0) * pixel_m - displacement[1]
    floor = cloud.background * bins.pixels
    light = np.maximum(bins.electrons - floor, 0.0)
    variance = floor + (1.0 + image.facts.excess) * light + bins.pixels * image.facts.quantised_read_variance
    return bins.electrons - floor, variance, u, v


def _peak(weighted: Array, bin_m: float, cloud: Cloud) -> tuple[float, float]:
    """Return the wavevector of the strongest Fourier component with |κ·width| > 2, refined between grid points."""
    rows, columns = (2 * scipy.fft.next_fast_len(size, real=True) for size in weighted.shape)
    power = np.abs(scipy.fft.rfft2(weighted, (rows, columns)))
    kappa_v = 2.0 * math.pi * scipy.fft.fftfreq(rows, bin_m)
    kappa_u = 2.0 * math.pi * scipy.fft.rfftfreq(columns, bin_m)
    fine = np.hypot(kappa_v[:, None] * cloud.width_vertical_m, kappa_u[None, :] * cloud.width_horizontal_m) > 2.0
    row, column = np.unravel_index(int(np.argmax(power * fine)), power.shape)
    refined_v = kappa_v[row] + _vertex(power[:, column], int(row)) * 2.0 * math.pi / (rows * bin_m)
    refined_u = kappa_u[column] + _vertex(power[row], int(column)) * 2.0 * math.pi / (columns * bin_m)
    return float(refined_u), float(-refined_v)


def _vertex(values: Array, at: int) -> float:
    """Return the offset of a parabola's vertex through three neighbours, within half a step."""
    left, middle, right = values[at - 1], values[at], values[(at + 1) % len(values)]
    curvature = left - 2.0 * middle + right
    return float(np.clip(0.5 * (left - right) / curvature, -0.5, 0.5)) if curvature < 0 else 0.0
