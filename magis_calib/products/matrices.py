"""The newest measured matrix among the products, to be set beside the one in force."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from magis_calib.config.loading import load_config
from magis_calib.config.station import Station
from magis_calib.domain.errors import ConfigError, SessionError
from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.products.promotion import matrix_name, promoted_rows, why_not_promotable
from magis_calib.products.store import Product, read_product
from magis_calib.state.matrix import MatrixState, MeasuredMatrix, Rows

PROMOTED = re.compile(r"(?P<kind>[a-z_]+)_(?P<moment>\d{8}T\d{6}\d{6}Z)")
"""Name that a promotion gives to a matrix: kind and moment of its product."""


def matrix_state(station: Station, products: Path | None) -> MatrixState:
    """Return the matrix in force. `products`: folder in which to look for its errors.

    None where there is none.
    """
    name = station.loop.matrix
    response = station.response()
    named = PROMOTED.fullmatch(station.loop.matrix)
    values = rows_of(response, station)
    strength = rows_of(station.loop.scaled(response), station)
    if named is None:
        return MatrixState(name, values, strength, {}, None, "from the configuration, no date")
    moment = datetime.strptime(named["moment"], "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)
    made_ns = round(moment.timestamp() * 1e6) * 1000
    found = _product(products, named["moment"], named["kind"]) if products is not None else None
    if found is None:
        words = f"measured by {named['kind']}; its product is not here, so its errors are not known"
        return MatrixState(name, values, strength, {}, made_ns, words)
    path, product = found
    words = (
        f"measured by {product.kind} in drops {product.drops[0]} to {product.drops[1]}, "
        f"product {path.name}"
    )
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
            name: error
            for name, error in told.get(observable, {}).items()
            if error is not None and row.get(name, 0.0) != 0.0
        }
        for observable, row in values.items()
    }


def rows_of(matrix: Array, station: Station) -> dict[str, dict[str, float]]:
    """Return a matrix by observable and actuator of the loop."""
    return {
        name: dict(zip(station.loop.actuators, row, strict=True))
        for name, row in zip(OBSERVABLES, matrix.tolist(), strict=True)
    }


KIND = "response"
"""The procedure that measures whole matrices."""


def measured_matrix(
    name: str, station: Station, products: Path | None, config: Path | None
) -> MeasuredMatrix | None:
    """Return the newest one in this folder that this station can put in force, else None.

    `config`: the file that it would be put in force in.
    """
    for path in (
        sorted(products.glob(f"*_{KIND}_*.json"), reverse=True) if products is not None else ()
    ):
        try:
            product = read_product(path)
            if not why_not_promotable(product, name, station):
                return _told(product, path, station, _named_in(config, name))
        except (
            SessionError,
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
        ):  # a product by its looks, that somebody has changed
            continue
    return None


def _told(product: Product, path: Path, station: Station, saved: str) -> MeasuredMatrix:
    values = _whole(product, "matrix", station)
    kept = promoted_rows(product, station)
    matrix = np.array([list(row.values()) for row in values.values()])
    words = (
        f"measured by {product.kind} in drops {product.drops[0]} to {product.drops[1]}, "
        f"product {path.name}"
    )
    return MeasuredMatrix(
        MatrixState(
            matrix_name(product),
            values,
            rows_of(np.nan_to_num(station.loop.scaled(matrix)), station),
            _whole(product, "stderr", station),
            product.created_ns,
            words,
        ),
        str(path),
        frozenset(
            (one, actuator)
            for one, row in values.items()
            for actuator in row.keys() - kept[one].keys()
        ),
        saved,
    )


def _whole(product: Product, what: str, station: Station) -> dict[str, dict[str, float]]:
    """Return the elements of all the loop's actuators, NaN for what could not be measured."""
    told = product.numbers[what]
    return {
        name: {actuator: _known(told[name][actuator]) for actuator in station.loop.actuators}
        for name in OBSERVABLES
    }


def _known(number: float | None) -> float:
    return math.nan if number is None else number


def _named_in(config: Path | None, name: str) -> str:
    """Return the matrix that the file names for this station now; empty where it cannot be read."""
    try:
        return load_config(config).stations[name].loop.matrix if config is not None else ""
    except (ConfigError, KeyError):
        return ""
