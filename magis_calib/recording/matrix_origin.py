"""Where the matrix in force came from: the product that was promoted, found again by the name of the matrix."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from magis_calib.domain.config import Station
from magis_calib.domain.errors import SessionError
from magis_calib.domain.estimate import Array
from magis_calib.domain.matrix_state import MatrixState, Rows
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.recording.products import Product, read_product

PROMOTED = re.compile(r"(?P<kind>[a-z_]+)_(?P<moment>\d{8}T\d{6}\d{6}Z)")
"""Name that a promotion gives to a matrix: kind and moment of its product."""


def matrix_state(station: Station, products: Path | None) -> MatrixState:
    """Return the matrix in force. `products`: folder in which to look for its errors; None where there is none."""
    name, response, named = station.loop.matrix, station.response(), PROMOTED.fullmatch(station.loop.matrix)
    values, strength = rows_of(response, station), rows_of(station.loop.scaled(response), station)
    if named is None:
        return MatrixState(name, values, strength, {}, None, "from the configuration, no date")
    moment = datetime.strptime(named["moment"], "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)
    made_ns = round(moment.timestamp() * 1e6) * 1000
    found = _product(products, named["moment"], named["kind"]) if products is not None else None
    if found is None:
        words = f"measured by {named['kind']}; its product is not here, so its errors are not known"
        return MatrixState(name, values, strength, {}, made_ns, words)
    path, product = found
    words = f"measured by {product.kind} in drops {product.drops[0]} to {product.drops[1]}, product {path.name}"
    return MatrixState(name, values, strength, _errors(product, values), product.created_ns, words)


def _product(folder: Path, moment: str, kind: str) -> tuple[Path, Product] | None:
    for path in sorted(folder.glob(f"{moment}_{kind}_*.json")):
        try:
            return path, read_product(path)
        except SessionError:
            continue
    return None


def _errors(product: Product, values: Rows) -> dict[str, dict[str, float]]:
    """Return the errors of what was measured: what stands in force as 0 was taken as 0."""
    told = product.numbers.get("stderr", {})
    return {
        observable: {
            name: error for name, error in told.get(observable, {}).items()
            if error is not None and row.get(name, 0.0) != 0.0
        }
        for observable, row in values.items()
    }  # fmt: skip


def rows_of(matrix: Array, station: Station) -> dict[str, dict[str, float]]:
    """Return a matrix by observable and actuator of the loop."""
    return {
        name: dict(zip(station.loop.actuators, row, strict=True))
        for name, row in zip(OBSERVABLES, matrix.tolist(), strict=True)
    }
