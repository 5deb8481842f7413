"""The light around each cloud in fine bins, without the envelope: where fringes show."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from magis_calib.domain.estimate import Array
from magis_calib.estimation.axis import column_of, integral, row_of
from magis_calib.estimation.grid import Grid
from magis_calib.estimation.port import SIGN
from magis_calib.estimation.start.cloud import Cloud
from magis_calib.estimation.start.tiles import level_of, read_variance
from magis_calib.imaging.electrons import Binned, Electrons
from magis_calib.imaging.sums import Indices

REACH_WIDTHS = 3.0
APART_WIDTHS = 8.0
"""Clouds further apart than this do not shine into each other's windows."""
COARSEST_PX = 2
"""Three bins to the shortest period that a fringe may have, 6 px."""
FEWEST_BINS = 4


@dataclass(frozen=True, eq=False)
class Window:
    """One port over six widths. u and v are counted from the port's nominal displacement (m)."""

    sign: float
    """Of the fringe in this port: + for a, - for b."""
    light: Array
    """Electrons above background."""
    variance: Array
    envelope: Array
    """Electrons that the cloud without a fringe would give."""
    u: Array
    v: Array
    bin_m: tuple[float, float]
    pixel_m: float

    @cached_property
    def weight(self) -> Array:
        """Matched weight of a fringe: envelope over variance."""
        return self.envelope / self.variance

    @cached_property
    def fringe(self) -> Array:
        """What is left when the envelope is taken away, weighted, with the port's sign."""
        return self.sign * self.weight * (self.light - self.envelope)


def cut_windows(image: Electrons, cloud: Cloud, coarsest_px: int = COARSEST_PX) -> list[Window]:
    """Return the windows of the ports that stand out of the noise and lie in the image.

    The bins are a quarter of a width, but not more than `coarsest_px`.
    """
    found = []
    for port in cloud.shown():
        window = _cut(image, cloud, port, coarsest_px)
        if window is not None:
            found.append(window)
    return found


def _cut(image: Electrons, cloud: Cloud, port: str, coarsest_px: int) -> Window | None:
    pixel_m = image.facts.object_pixel_m
    rows, columns = image.shape
    at, displacement = cloud.places[port], cloud.displacements[port]
    step_u, step_v = (max(1, min(coarsest_px, int(width / pixel_m / 4))) for width in cloud.width)
    column = column_of(at[0], columns, pixel_m)
    row = row_of(at[1], rows, pixel_m)
    column_edges = _edges(column, cloud.width[0] / pixel_m, columns, step_u)
    row_edges = _edges(row, cloud.width[1] / pixel_m, rows, step_v)
    if min(len(column_edges), len(row_edges)) <= FEWEST_BINS and min(rows, columns) > 1:
        return None
    bins = image.binned(row_edges, column_edges)
    grid = Grid.of(bins, image.shape)
    level = _level(cloud, grid, bins)
    own, total = _lights(cloud, port, grid)
    light = np.where(bins.good > 0, bins.electrons - level - (total - own), 0.0)
    return Window(
        SIGN.get(port, 1.0),
        light,
        _variance(image, bins, level, total),
        own,
        grid.u.middles_m - displacement[0],
        grid.v.middles_m - displacement[1],
        (step_u * pixel_m, step_v * pixel_m),
        pixel_m,
    )


def _level(cloud: Cloud, grid: Grid, bins: Binned) -> Array:
    """Return the electrons of the background in each bin."""
    return level_of(cloud.background, grid.u.middles_m, grid.v.middles_m) * bins.pixels


def _lights(cloud: Cloud, port: str, grid: Grid) -> tuple[Array, Array]:
    """Return the electrons of this port in each bin, and of all ports that reach there."""
    at = cloud.places[port]
    shapes = {
        name: _envelope(grid, place, cloud.width)
        for name, place in cloud.places.items()
        if name == port or math.dist(place, at) < APART_WIDTHS * max(cloud.width)
    }
    total = sum(max(cloud.electrons[name], 0.0) * shape for name, shape in shapes.items())
    return cloud.electrons[port] * shapes[port], np.asarray(total)


def _variance(image: Electrons, bins: Binned, level: Array, light: Array) -> Array:
    """Return the variance of each bin; of reading alone where the camera's noise is not known."""
    shot = np.maximum(level, 0.0) + (1.0 + image.facts.excess) * light if image.noise_known else 0.0
    variance: Array = (shot + read_variance(image, bins) * bins.pixels) * bins.scale
    return variance


def _envelope(grid: Grid, place: tuple[float, float], width: tuple[float, float]) -> Array:
    across = integral(grid.u, place[0], width[0])
    along = integral(grid.v, place[1], width[1])
    return np.outer(along, across)


def _edges(middle: float, width: float, size: int, step: int) -> Indices:
    """Return edges of bins of `step` pixels within `REACH_WIDTHS`, as symmetric as can be."""
    step = min(step, size)
    half = max(step, math.ceil(REACH_WIDTHS * width / step) * step)
    start = max(0, round(middle) - half)
    stop = min(size, round(middle) + half)
    return np.arange(start, stop + 1, step, dtype=np.intp)
