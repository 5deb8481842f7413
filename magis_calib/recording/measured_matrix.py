"""The newest measured matrix among the products, to be set beside the one in force."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from magis_calib.domain.config import Station
from magis_calib.domain.errors import ConfigError, SessionError
from magis_calib.domain.loading import load_config
from magis_calib.domain.matrix_state import MatrixState, MeasuredMatrix
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.recording.matrix_origin import rows_of
from magis_calib.recording.products import Product, read_product
from magis_calib.recording.promotion import matrix_name, objection, promoted_rows

KIND = "response"
"""The procedure that measures whole matrices."""


def measured_matrix(name: str, station: Station, products: Path | None, config: Path | None) -> MeasuredMatrix | None:
    """Return the newest one in this folder that can be put in force at this station; None where there is none.

    `config`: the file that it would be put in force in.
    """
    for path in sorted(products.glob(f"*_{KIND}_*.json"), reverse=True) if products is not None else ():
        try:
            product = read_product(path)
            if not objection(product, name, station):
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
    values, kept = _whole(product, "matrix", station), promoted_rows(product, station)
    matrix = np.array([list(row.values()) for row in values.values()])
    words = f"measured by {product.kind} in drops {product.drops[0]} to {product.drops[1]}, product {path.name}"
    return MeasuredMatrix(
        MatrixState(
            matrix_name(product, path),
            values,
            rows_of(np.nan_to_num(station.loop.scaled(matrix)), station),
            _whole(product, "stderr", station),
            product.created_ns,
            words,
        ),
        str(path),
        frozenset((one, actuator) for one, row in values.items() for actuator in row.keys() - kept[one].keys()),
        saved,
    )


def _whole(product: Product, what: str, station: Station) -> dict[str, dict[str, float]]:
    """Return the elements of all the loop's actuators, NaN for what could not be measured."""
    told = {name: {key: math.nan if one is None else one for key, one in product.numbers[what][name].items()}
            for name in OBSERVABLES}  # fmt: skip
    return {name: {actuator: row[actuator] for actuator in station.loop.actuators} for name, row in told.items()}


def _named_in(config: Path | None, name: str) -> str:
    """Return the matrix that the file names for this station now; empty where it cannot be read."""
    try:
        return load_config(config).stations[name].loop.matrix if config is not None else ""
    except (ConfigError, KeyError):
        return ""
