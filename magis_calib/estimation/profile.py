"""The fringe as a person looks at it: each port summed over its height, with the fit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from magis_calib.domain.camera import Frame
from magis_calib.domain.estimate import Array, ViewEstimate
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
    pixel_m = frame.facts.object_pixel_m
    columns = image.shape[1]
    centres = [values[parts[1]] / pixel_m + (columns - 1) / 2.0 for parts in PORTS.values()]
    kappa = values.get(FRINGE[0], 0.0) * pixel_m
    column_edges = axis_edges(columns, centres, values[WIDTHS[0]] / pixel_m, kappa)
    ports = {port: _one_port(image, estimate, values, port, column_edges) for port in PORTS}
    horizontal = ((column_edges[:-1] + column_edges[1:] - 1) / 2.0 - (columns - 1) / 2.0) * pixel_m
    a, fit_a, sigma_a = ports["a"]
    b, fit_b, sigma_b = ports["b"]
    return FringeProfile(horizontal, a, b, fit_a, fit_b, sigma_a, sigma_b)


def _one_port(
    image: Electrons,
    estimate: ViewEstimate,
    values: dict[str, float],
    port: str,
    column_edges: Indices,
) -> tuple[Array, Array, Array]:
    """Return data, fit and standard deviation per column bin, in electrons per column of pixels."""
    rows = image.shape[0]
    pixel_m = image.facts.object_pixel_m
    middle = (rows - 1) / 2.0 - values[PORTS[port][2]] / pixel_m
    reach = REACH_WIDTHS * values[WIDTHS[1]] / pixel_m
    top = max(0, math.floor(middle - reach))
    bottom = min(rows, math.ceil(middle + reach))
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
