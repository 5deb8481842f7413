"""The bins of an image as a model sees them: places in px and m, and integrals over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from magis_calib.domain.estimate import Array
from magis_calib.estimation.axis import Axis
from magis_calib.imaging.electrons import Binned
from magis_calib.imaging.sums import Indices

_NODE = 1.0 / np.sqrt(3.0)
"""Two Gauss-Legendre nodes an axis: exact to 3·10⁻⁴ of a wave for a sixth of a period in a bin."""


Products = list[tuple[Array, Array]]
"""An image as a sum of outer products: each a factor of the row bins and one of the column bins."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Bins of a part of an image of `shape`; arrays of bins are (row bins, column bins)."""

    row_edges: Indices
    column_edges: Indices
    shape: tuple[int, int]
    """Rows and columns of the whole image."""
    pixel_m: float

    @classmethod
    def of(cls, bins: Binned, shape: tuple[int, int]) -> Grid:
        """Return the grid of binned data."""
        return cls(bins.row_edges, bins.column_edges, shape, bins.facts.object_pixel_m)

    @cached_property
    def sides(self) -> tuple[Array, Array]:
        """Return the rows of each row bin and the columns of each column bin."""
        return np.diff(self.row_edges).astype(np.float64), np.diff(self.column_edges).astype(
            np.float64
        )

    @cached_property
    def pixels(self) -> Array:
        """Pixels of each bin."""
        return np.outer(*self.sides)

    @cached_property
    def rows(self) -> Array:
        """Middle row of each row bin, (row bins, 1)."""
        return ((self.row_edges[:-1] + self.row_edges[1:] - 1) / 2.0)[:, None]

    @cached_property
    def columns(self) -> Array:
        """Middle column of each column bin, (1, column bins)."""
        return ((self.column_edges[:-1] + self.column_edges[1:] - 1) / 2.0)[None, :]

    @cached_property
    def u(self) -> Axis:
        """The horizontal axis in the object plane (m)."""
        return Axis.columns(self.column_edges, self.shape[1], self.pixel_m)

    @cached_property
    def v(self) -> Axis:
        """The vertical axis in the object plane (m)."""
        return Axis.rows(self.row_edges, self.shape[0], self.pixel_m)

    def integrate(self, density: Callable[[Array, Array], Array]) -> Array:
        """Integrate `density(row, column)` per pixel over each bin.

        It is given (n, 1) rows and (1, m) columns.
        """
        half_rows = np.diff(self.row_edges)[:, None] / 2.0
        half_columns = np.diff(self.column_edges)[:, None] / 2.0
        nodes = np.array([-_NODE, _NODE])
        rows = (self.rows + half_rows * nodes).reshape(-1, 1)
        columns = (self.columns.T + half_columns * nodes).reshape(1, -1)
        values = density(rows, columns).reshape(len(half_rows), 2, len(half_columns), 2)
        summed: Array = values.sum(axis=(1, 3)) * half_rows * half_columns.T
        return summed


def images_of(products: Sequence[Products]) -> Array:
    """Return images (n, row bins, column bins), all multiplied out at once."""
    deep = max(len(one) for one in products)
    ((tall, wide),) = products[0][:1]
    left, right = (
        np.zeros((len(products), deep, tall.size)),
        np.zeros((len(products), deep, wide.size)),
    )
    for number, one in enumerate(products):
        for depth, (row_factor, column_factor) in enumerate(one):
            left[number, depth] = row_factor
            right[number, depth] = column_factor
    images: Array = left.transpose(0, 2, 1) @ right
    return images


def image_of(products: Products) -> Array:
    """Return the image (row bins, column bins) of a sum of outer products."""
    image: Array = images_of([products])[0]
    return image
