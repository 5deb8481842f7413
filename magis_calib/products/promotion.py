"""Put a measured response in force: a table and a name in the configuration file, and a line in the
journal.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from magis_calib.config.loading import load_config, parse_config, select_station
from magis_calib.config.station import Station
from magis_calib.domain.errors import ConfigError, SessionError
from magis_calib.products.store import Product, note_promotion, read_product

NEGLIGIBLE_SIGMA = 3.0
"""An element smaller than so many standard errors is taken as 0 where the matrix before had 0."""

OPERATING_POINT = ("interrogation_time_s",)
"""Setpoints outside the loop that gains depend on: κ grows with the interrogation time, the phase
with its square.
"""


def promote(path: Path, config: Path, station_name: str | None, who: str) -> str:
    """Change the configuration and return what was done. Raises `ConfigError` or `SessionError`;
    then nothing changed.

    The rest of the file, comments too, stays as it is.
    """
    product = read_product(path)
    name, station = select_station(load_config(config), station_name)
    if refusal := objection(product, name, station):
        raise SessionError(f"{path}: {refusal}")
    matrix = matrix_name(product, path)
    text = config.read_text(encoding="utf-8")
    known = matrix in station.matrices  # promoted before: only to be named again
    changed = _with_matrix(
        text, name, matrix, {} if known else promoted_rows(product, station), config
    )
    made_at = {
        one: product.operating_point[one]
        for one in OPERATING_POINT
        if one in product.operating_point
    }
    if made_at and not known:
        changed += f"\n[stations.{name}.made_at.{matrix}]\n"
        changed += "".join(f"{one} = {value!r}\n" for one, value in made_at.items())
    parse_config(changed, str(config))
    temporary = config.with_name(config.name + ".part")
    temporary.write_text(changed, encoding="utf-8")
    os.replace(temporary, config)
    note_promotion(path.parent, path, who, str(config))
    return (
        f"{config}: matrix {matrix!r} is in force for station {name}, before it was "
        f"{station.loop.matrix!r}"
    )


def objection(product: Product, name: str, station: Station) -> str:
    """Say why this cannot be put in force at the station of this name; empty where it can."""
    if product.station != name:
        return f"of another station: wanted {name!r}, got {product.station!r}"
    if not product.valid:
        return f"not valid: {'too old' if product.good else product.words}"
    missing = set(station.loop.actuators) - set(product.numbers.get("actuator_units", {}))
    if "matrix" not in product.numbers or missing:
        return f"wanted a response of all the loop's actuators, missing {sorted(missing)}"
    return ""


def matrix_name(product: Product, path: Path) -> str:
    """Return the name that a configuration gives to its matrix."""
    return f"{product.kind}_{path.name.partition('_')[0]}"


def promoted_rows(product: Product, station: Station) -> dict[str, dict[str, float]]:
    """Return the matrix as it would be in force: what is not told from 0, where it was 0 before,
    stays 0.
    """
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


def _with_matrix(
    text: str, station: str, matrix: str, table: dict[str, dict[str, float]], where: Path
) -> str:
    """Return the file's text with one more matrix, none for an empty table, named in the loop.

    Raises `ConfigError`.
    """
    head = re.search(rf"^\[stations\.{re.escape(station)}\.loop\][ \t]*(#.*)?$", text, re.MULTILINE)
    after = re.compile(r"^\s*\[", re.MULTILINE).search(text, head.end()) if head else None
    end = after.start() if after else len(text)
    line = (
        re.compile(r"^(\s*matrix\s*=\s*)\"[^\"]*\"", re.MULTILINE).search(text, head.end(), end)
        if head
        else None
    )
    if head is None or line is None:
        raise ConfigError(f'{where}: wanted a line `matrix = "…"` in [stations.{station}.loop]')
    rows = "\n".join(
        f"{observable} = {{ {', '.join(f'{name} = {value!r}' for name, value in row.items())} }}"
        for observable, row in table.items()
    )
    named = f'{text[: line.start()]}{line[1]}"{matrix}"{text[line.end() :]}'
    return (
        f"{named.rstrip()}\n\n[stations.{station}.matrices.{matrix}]\n{rows}\n" if table else named
    )
