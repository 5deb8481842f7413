"""Integrals of a Gaussian envelope, with and without a fringe, over the bins of one image axis."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
import numpy.typing as npt

from magis_calib.domain.estimate import Array
from magis_calib.imaging.sums import Indices

Complex = npt.NDArray[np.complex128]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)
"""Four Gauss-Legendre nodes a bin: exact to 1e-9 for bins up to width/3 and period/6."""


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """One axis in the object plane: nodes (bins, 4), their weights, middles of the bins (m)."""

    nodes_m: Array
    weights_m: Array
    middles_m: Array

    @classmethod
    def columns(cls, edges: Indices, columns: int, pixel_m: float) -> Self:
        """Return the horizontal axis: u = (column - (columns-1)/2)·pixel grows to the right."""
        return cls._of(edges, pixel_m, -(columns - 1) / 2.0, 1.0)

    @classmethod
    def rows(cls, edges: Indices, rows: int, pixel_m: float) -> Self:
        """Return the vertical axis: v = ((rows-1)/2 - row)·pixel grows upwards."""
        return cls._of(edges, pixel_m, -(rows - 1) / 2.0, -1.0)

    @classmethod
    def _of(cls, edges: Indices, pixel_m: float, origin: float, sign: float) -> Self:
        middles = (edges[:-1] + edges[1:] - 1) / 2.0
        halves = np.diff(edges) / 2.0
        nodes = sign * (middles[:, None] + halves[:, None] * _NODES + origin) * pixel_m
        weights = halves[:, None] * _WEIGHTS * pixel_m
        return cls(nodes, weights, sign * (middles + origin) * pixel_m)


@dataclass(frozen=True, slots=True, eq=False)
class Envelope:
    """Bin integrals of a normalised Gaussian g and of g·exp(iκ(u-d)), with their derivatives.

    One entry per bin.
    """

    plain: Array
    plain_by_centre: Array
    plain_by_width: Array
    fringe: Complex
    fringe_by_centre: Complex
    fringe_by_width: Complex
    fringe_by_wavevector: Complex


def integral(axis: Axis, centre_m: float, width_m: float) -> Array:
    """Return the integral of a normalised Gaussian over each bin."""
    return envelope(axis, centre_m, width_m, 0.0, 0.0).plain


def column_of(u_m: float, columns: int, pixel_m: float) -> float:
    """Return the column at image coordinate u, which is 0 in the middle of the image."""
    return u_m / pixel_m + (columns - 1) / 2.0


def row_of(v_m: float, rows: int, pixel_m: float) -> float:
    """Return the row at image coordinate v, which is 0 in the middle and grows upwards."""
    return (rows - 1) / 2.0 - v_m / pixel_m


@lru_cache(maxsize=8)
def envelope(
    axis: Axis, centre_m: float, width_m: float, wavevector: float, displacement_m: float
) -> Envelope:
    """Integrate over each bin.

    `displacement_m` is the port's nominal place: the phase is counted from there.

    The last ones are remembered: a minimiser asks for the image and for its derivatives at the same
    place.
    """
    offset = axis.nodes_m - centre_m
    reduced = offset / width_m
    density = axis.weights_m * np.exp(-0.5 * reduced**2) / (np.sqrt(2.0 * np.pi) * width_m)
    by_centre = density * offset / width_m**2
    by_width = density * (reduced**2 - 1.0) / width_m
    from_port = axis.nodes_m - displacement_m
    wave = np.exp(1j * wavevector * from_port)
    return Envelope(
        density.sum(axis=1),
        by_centre.sum(axis=1),
        by_width.sum(axis=1),
        (density * wave).sum(axis=1),
        (by_centre * wave).sum(axis=1),
        (by_width * wave).sum(axis=1),
        (1j * density * from_port * wave).sum(axis=1),
    )
