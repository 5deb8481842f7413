"""Find clouds of any width, cut or overlapping: least squares on coarse bins at several scales."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.optimize

from magis_calib.domain.errors import FitError
from magis_calib.domain.estimate import Array
from magis_calib.estimation.axis import column_of, integral, row_of
from magis_calib.estimation.bins import axis_edges
from magis_calib.estimation.grid import Grid
from magis_calib.estimation.start.cloud import NO_CLOUD_SIGMA, Cloud, Point, Ports, stacked_peak
from magis_calib.estimation.start.tiles import Tiles, read_variance
from magis_calib.imaging.electrons import Binned, Electrons

NARROWEST_PX = 5.0
"""Clouds are at least 8 px wide; what is much narrower is a particle that hit the sensor."""
SCALES = 7
"""Widths tried, from the narrowest to a third of the shorter side."""
TRIED = 3
"""How many of the scales are followed to their end."""
ALIKE = 9.0
"""Answers whose chi-square differs by less are told apart by how near the cloud is to the middle.
"""


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """Clouds of given place and widths on a grid.

    Amplitudes and background follow from linear least squares.
    """

    grid: Grid
    data: Array
    weight: Array
    displacements: Ports

    def columns(self, shape: Array) -> Array:
        """Return the background plane and each port's envelope, weighted, (3 + ports, bins)."""
        u, v = self.grid.u, self.grid.v
        width = np.exp(shape[2:])
        images = [
            self.grid.pixels,
            self.grid.pixels * u.middles_m,
            self.grid.pixels * v.middles_m[:, None],
        ]
        for right, up in self.displacements.values():
            across = integral(u, shape[0] + right, width[0])
            along = integral(v, shape[1] + up, width[1])
            images.append(np.outer(along, across))
        return np.stack([(one * self.weight).ravel() for one in images])

    def solve(self, shape: Array) -> tuple[Array, Array, Array]:
        """Return amplitudes, their covariance and the weighted residuals."""
        columns = self.columns(shape)
        wanted = (self.data * self.weight).ravel()
        size = np.sqrt(np.einsum("ij,ij->i", columns, columns))
        size[size < 1e-100] = 1.0
        normal = (columns @ columns.T) / np.outer(size, size)
        inverse = np.linalg.pinv(normal, rcond=1e-10, hermitian=True) / np.outer(size, size)
        amplitudes = inverse @ (columns @ wanted)
        return amplitudes, inverse, wanted - amplitudes @ columns

    def residual(self, shape: Array) -> Array:
        """Return what `scipy.optimize.least_squares` makes small."""
        return self.solve(shape)[2]


def find_clouds(image: Electrons, displacements: Ports) -> Cloud:
    """Return the clouds wherever they are.

    Raises `FitError` "no cloud …" where nothing stands out of the noise.
    """
    pixel_m = image.facts.object_pixel_m
    rows, columns = image.shape
    bins = image.fine if max(image.fine.sums.shape) <= 400 else image.tiles
    tiles = Tiles.of(bins, image)
    snr = tiles.above(tiles.plane()) / np.where(np.isfinite(tiles.noise), tiles.noise, np.inf)
    step = tiles.step
    starts = []
    for width in _scales_px(rows, columns) * pixel_m:
        at = stacked_peak(snr, tiles, displacements, max(1.0, 2.5 * width / step))
        start = np.array([*at, math.log(width), math.log(width)])
        shape = _cut(image, start, displacements)
        starts.append((float(np.sum(shape.residual(start) ** 2)) / shape.data.size, start))
    starts.sort(key=lambda one: one[0])
    followed = [_follow(image, start, displacements) for _, start in starts[:TRIED]]
    best = min(one[0] for one in followed)
    alike = [shape for chi2, shape in followed if chi2 - best < ALIKE]
    nearest = min(alike, key=lambda shape: math.hypot(shape[0], shape[1]))
    cloud = _other_port(_cloud(image, _follow(image, nearest, displacements)[1], displacements))
    if image.noise_known and cloud.total_significance < NO_CLOUD_SIGMA:
        raise FitError(
            f"no cloud: {cloud.total_significance:.1f} standard errors, "
            f"wanted more than {NO_CLOUD_SIGMA:g}"
        )
    return cloud


def _cut(image: Electrons, shape: Array, displacements: Ports) -> _Shape:
    pixel_m = image.facts.object_pixel_m
    rows, columns = image.shape
    width = np.exp(shape[2:]) / pixel_m
    places = displacements.values()
    at_columns = [column_of(shape[0] + right, columns, pixel_m) for right, _ in places]
    at_rows = [row_of(shape[1] + up, rows, pixel_m) for _, up in places]
    row_edges = axis_edges(rows, at_rows, width[1], 0.0, whole=image.band_rows)
    bins = image.binned(row_edges, axis_edges(columns, at_columns, width[0], 0.0))
    grid = Grid.of(bins, image.shape)
    return _Shape(grid, bins.electrons, _weight(image, bins), displacements)


def _weight(image: Electrons, bins: Binned) -> Array:
    """Return 1 / standard deviation of each bin, judged by its own light; 0 where none is good."""
    level = np.maximum(bins.electrons, 0.0) if image.noise_known else 0.0
    dark = read_variance(image, bins) * bins.pixels
    with np.errstate(invalid="ignore"):
        weight = 1.0 / np.sqrt(((1.0 + image.facts.excess) * level + dark + 1e-300) * bins.scale)
    return np.nan_to_num(weight)


def _follow(image: Electrons, start: Array, displacements: Ports) -> tuple[float, Array]:
    """Fit from here; return chi-square and shape: place (m) and logarithms of the widths."""
    pixel_m = image.facts.object_pixel_m
    rows, columns = image.shape
    half_u, half_v = columns * pixel_m / 2.0, rows * pixel_m / 2.0
    reach_u, reach_v = (max(abs(d[way]) for d in displacements.values()) for way in (0, 1))
    narrow = math.log(NARROWEST_PX * pixel_m)
    low = np.array([-half_u - reach_u, -half_v - reach_v, narrow, narrow])
    high = np.array(
        [
            half_u + reach_u,
            half_v + reach_v,
            *(max(math.log(2 * h), narrow + 1) for h in (half_u, half_v)),
        ]
    )
    shape = _cut(image, start, displacements)
    solved = scipy.optimize.least_squares(
        shape.residual,
        np.clip(start, low + 1e-9, high - 1e-9),
        bounds=(low, high),
        x_scale=np.array([math.exp(start[2]), math.exp(start[3]), 1.0, 1.0]),
        ftol=1e-4,
        xtol=1e-3,
        max_nfev=20,
    )
    return 2.0 * float(solved.cost), solved.x


def _cloud(image: Electrons, at: Array, displacements: Ports) -> Cloud:
    """Return the clouds of this shape; amplitudes and significance by linear least squares."""
    shape = _cut(image, at, displacements)
    amplitudes, covariance, _ = shape.solve(at)
    errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))[3:]
    electrons = dict(zip(displacements, amplitudes[3:].tolist(), strict=True))
    significance = {
        port: electrons[port] / error if error > 0 else 0.0
        for port, error in zip(displacements, errors.tolist(), strict=True)
    }
    if not image.noise_known:  # nothing can be said before the fit
        significance = {port: math.inf if light > 0 else 0.0 for port, light in electrons.items()}
    places = {port: (float(at[0] + d[0]), float(at[1] + d[1])) for port, d in displacements.items()}
    return Cloud(
        amplitudes[:3],
        electrons,
        places,
        (math.exp(at[2]), math.exp(at[3])),
        significance,
        displacements,
    )


def _other_port(cloud: Cloud) -> Cloud:
    """A lone cloud may be either port: take it for the one whose nominal place is nearer."""
    shown = cloud.shown()
    if len(cloud.places) == 1 or len(shown) != 1:
        return cloud
    at = cloud.places[shown[0]]
    nominal = cloud.displacements
    nearer = min(nominal, key=lambda port: math.dist(at, nominal[port]))
    if nearer == shown[0]:
        return cloud
    swap = dict(zip(nominal, reversed(list(nominal)), strict=True))
    moved: Point = (at[0] - nominal[nearer][0], at[1] - nominal[nearer][1])
    places = {port: (moved[0] + d[0], moved[1] + d[1]) for port, d in nominal.items()}
    electrons = {port: max(cloud.electrons[other], 0.0) for port, other in swap.items()}
    significance = {port: cloud.significance[other] for port, other in swap.items()}
    return Cloud(cloud.background, electrons, places, cloud.width, significance, nominal)


def _scales_px(rows: int, columns: int) -> Array:
    """Return the widths to try."""
    widest = max(_shorter(rows, columns) / 3.0, 2 * NARROWEST_PX)
    return np.geomspace(NARROWEST_PX, widest, SCALES)


def _shorter(rows: int, columns: int) -> int:
    """The shorter side; a profile has only one."""
    return min(side for side in (rows, columns) if side > 1)
