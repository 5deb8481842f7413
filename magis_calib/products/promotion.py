"""Put a measured response in force: a table in the configuration, a line in the journal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit

from magis_calib.config.loading import load_config, parse_config, select_station
from magis_calib.config.station import Station
from magis_calib.domain.errors import ConfigError, SessionError
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES
from magis_calib.host.files import read_text, replace_text
from magis_calib.products.store import Product, moment_of, note_promotion, read_product

NEGLIGIBLE_SIGMA = 3.0
"""An element smaller than so many standard errors is taken as 0 where the matrix before had 0."""

OPERATING_POINT = ("interrogation_time_s",)
"""Setpoints outside the loop that gains depend on: κ grows with the time, the phase with T²."""


def promote(path: Path, config: Path, station_name: str | None, who: str) -> str:
    """Change the configuration and return what was done.

    Raises `ConfigError` or `SessionError`; then nothing changed.

    The rest of the file, comments too, stays as it is.
    """
    product = read_product(path)
    name, station = select_station(load_config(config), station_name)
    if refusal := why_not_promotable(product, name, station):
        raise SessionError(f"{path}: {refusal}")
    matrix = matrix_name(product)
    document = tomlkit.parse(_text(config))
    tables: Any = document["stations"][name]
    tables["loop"]["matrix"] = matrix
    if matrix not in station.matrices:  # else promoted before: only to be named again
        _add(tables, matrix, promoted_rows(product, station), _made_at(product))
    changed = tomlkit.dumps(document)
    parse_config(changed, str(config))
    try:
        replace_text(config, changed)
    except OSError as error:
        raise ConfigError(f"{config}: cannot be changed: {error}") from error
    note_promotion(path.parent, path, who, str(config))
    proven = "" if product.checksum else "; the product is older than checksums: not proven"
    return (
        f"{config}: matrix {matrix!r} is in force for station {name}, before it was "
        f"{station.loop.matrix!r}{proven}"
    )


def _text(config: Path) -> str:
    try:
        return read_text(config)
    except OSError as error:
        raise ConfigError(f"{config}: cannot be read: {error}") from error


def why_not_promotable(product: Product, name: str, station: Station) -> str:
    """Say why this cannot be put in force at the station of this name; empty where it can."""
    if product.station != name:
        return f"of another station: wanted {name!r}, got {product.station!r}"
    if words := product.why_not_valid:
        return f"not valid: {words}"
    missing = set(station.loop.actuators) - set(product.numbers.get("actuator_units", {}))
    if "matrix" not in product.numbers or missing:
        return f"wanted a response of all the loop's actuators, missing {sorted(missing)}"
    return _why_no_matrix(product.numbers)


def _why_no_matrix(numbers: Mapping[str, Any]) -> str:
    """Say which name, unit or element of a matrix cannot be; empty where all are right."""
    for name, unit in numbers["actuator_units"].items():
        if name in ACTUATORS and unit != ACTUATORS[name].unit:
            return f"unit of {name}: wanted {ACTUATORS[name].unit!r}, got {unit!r}"
    matrix, errors = numbers["matrix"], numbers.get("stderr", {})
    whole = _rows_are_whole(matrix) and _rows_are_whole(errors)
    if not whole or _names(matrix) != _names(errors):
        return f"matrix and stderr: wanted rows of numbers by actuator for {', '.join(OBSERVABLES)}"
    for observable, row in matrix.items():
        for name, value in row.items():
            if value is not None and errors[observable][name] is None:
                return f"stderr.{observable}.{name}: wanted a number, got none"
    return ""


def _rows_are_whole(rows: object) -> bool:
    """Whether these are rows of known actuators for all observables."""
    return (
        isinstance(rows, dict)
        and rows.keys() == OBSERVABLES.keys()
        and all(isinstance(row, dict) and row.keys() <= ACTUATORS.keys() for row in rows.values())
        and all(_is_number(one) for row in rows.values() for one in row.values())
    )


def _is_number(value: object) -> bool:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return value is None or (known and math.isfinite(value))  # type: ignore[arg-type]


def _names(rows: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    return {observable: row.keys() for observable, row in rows.items()}


def matrix_name(product: Product) -> str:
    """Return the name that a configuration gives to its matrix."""
    return f"{product.kind}_{moment_of(product)}"


def promoted_rows(product: Product, station: Station) -> dict[str, dict[str, float]]:
    """Return the matrix to put in force: what was 0 and is not told from 0 stays 0."""
    before = station.matrices[station.loop.matrix]
    found = {}
    for observable, row in product.numbers["matrix"].items():
        errors = product.numbers["stderr"][observable]
        found[observable] = {
            actuator: value
            for actuator, value in row.items()
            if value is not None
            and (
                before[observable].get(actuator, 0.0) != 0.0
                or abs(value) > NEGLIGIBLE_SIGMA * errors[actuator]
            )
        }
    return found


def _made_at(product: Product) -> dict[str, float]:
    """Return the setpoints outside the loop that the gains hold for (SI)."""
    point = product.operating_point
    return {name: point[name] for name in OPERATING_POINT if name in point}


def _add(
    tables: Any, matrix: str, rows: Mapping[str, Mapping[str, float]], made_at: Mapping[str, float]
) -> None:
    """Add a matrix to the tables of a station, a line for each observable."""
    table = tomlkit.table()
    for observable, row in rows.items():
        table[observable] = tomlkit.inline_table()
        table[observable].update(row)
    table.add(tomlkit.nl())
    tables["matrices"][matrix] = table
    if made_at:
        tables.setdefault("made_at", tomlkit.table(is_super_table=True))[matrix] = made_at
