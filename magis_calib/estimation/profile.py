"""The fringe as a person looks at it: each port summed over its height, with the fit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from magis_calib.domain.camera import Frame
from magis_calib.domain.estimate import Array, ViewEstimate
from magis_calib.estimation.axis import column_of, row_of
from magis_calib.estimation.bins import axis_edges
from magis_calib.estimation.grid import Grid
from magis_calib.estimation.picture import fitted_with
from magis_calib.estimation.port import FRINGE, PORTS, WIDTHS
from magis_calib.estimation.two_port import TwoPort
from magis_calib.estimation.weighed import noise_variance
from magis_calib.imaging.electrons import Electrons, to_electrons
from magis_calib.imaging.sums import Indices

REACH_WIDTHS = 1.5
"""Rows within this of a port's centre are summed."""


@dataclass(frozen=True, slots=True, eq=False)
class FringeProfile:
    """Rows summed over each port. All arrays have one entry per column bin."""

    horizontal_m: Array
    """Image coordinate u of each bin's middle."""
    port_a: Array
    """Electrons above background in each bin."""
    port_b: Array
    fit_a: Array
    fit_b: Array
    sigma_a: Array
    """Expected standard deviation of `port_a`."""
    sigma_b: Array


def fringe_profile(frame: Frame, estimate: ViewEstimate) -> FringeProfile | None:
    """Return the profile of a fitted view; None where no two-port model was fitted."""
    if not {*WIDTHS, *(parts[0] for parts in PORTS.values())} <= set(estimate.parameters):
        return None
    values = TwoPort(fitted_with(estimate)).complete(
        {name: found.value for name, found in estimate.parameters.items()}
    )
    image = to_electrons(frame)
    edges = _column_edges(image, values)
    a, fit_a, sigma_a = _one_port(image, estimate, values, "a", edges)
    b, fit_b, sigma_b = _one_port(image, estimate, values, "b", edges)
    return FringeProfile(_middles_m(image, edges), a, b, fit_a, fit_b, sigma_a, sigma_b)


def _column_edges(image: Electrons, values: dict[str, float]) -> Indices:
    """Return edges of bins that the fringe can be seen in."""
    pixel_m = image.facts.object_pixel_m
    columns = image.shape[1]
    centres = [column_of(values[parts[1]], columns, pixel_m) for parts in PORTS.values()]
    kappa = values.get(FRINGE[0], 0.0) * pixel_m
    return axis_edges(columns, centres, values[WIDTHS[0]] / pixel_m, kappa)


def _middles_m(image: Electrons, edges: Indices) -> Array:
    """Return the image coordinate u of each bin's middle."""
    middles: Array = (edges[:-1] + edges[1:] - 1) / 2.0 - (image.shape[1] - 1) / 2.0
    return middles * image.facts.object_pixel_m


def _rows_of(image: Electrons, values: dict[str, float], port: str) -> tuple[int, int]:
    """Return the first row of a port and the one past its last."""
    pixel_m = image.facts.object_pixel_m
    middle = row_of(values[PORTS[port][2]], image.shape[0], pixel_m)
    reach = REACH_WIDTHS * values[WIDTHS[1]] / pixel_m
    return max(0, math.floor(middle - reach)), min(image.shape[0], math.ceil(middle + reach))


def _one_port(
    image: Electrons,
    estimate: ViewEstimate,
    values: dict[str, float],
    port: str,
    column_edges: Indices,
) -> tuple[Array, Array, Array]:
    """Return data, fit and standard deviation per column bin, in electrons per column of pixels."""
    top, bottom = _rows_of(image, values, port)
    if bottom - top < 1:
        empty = np.zeros(len(column_edges) - 1)
        return empty, empty, empty
    bins = image.binned(np.array([top, bottom]), column_edges)
    grid = Grid.of(bins, image.shape)
    model = TwoPort(fitted_with(estimate))
    background, signal = model.background(grid, values), model.signal(grid, values)
    sigma = np.sqrt(noise_variance(bins, background, signal, image))
    per_column = np.diff(column_edges)
    return (
        (bins.electrons - background)[0] / per_column,
        signal[0] / per_column,
        sigma[0] / per_column,
    )
