"""What procedures leave: JSON files with a validity, and the journal of which were promoted."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from magis_calib.domain.control import Setpoints
from magis_calib.domain.errors import SessionError
from magis_calib.domain.json_text import json_table
from magis_calib.domain.quantities import utc_moment
from magis_calib.domain.serial import plain
from magis_calib.host.files import open_to_append, read_text, replace_text

SCHEMA = 1
VALID_DAYS = 30.0
"""A product is trusted this long, where nothing else is said."""
JOURNAL = "promoted.jsonl"
CLOCKS_APART_DAYS = 0.01
"""Clocks of two machines may differ by so much."""
LATEST_NS = 4_102_444_800_000_000_000
"""The year 2100."""
Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$", max_length=4096)]
"""A text without control characters and line ends."""


@dataclass(frozen=True, slots=True)
class Product:
    """One procedure's result, and where and when it was found."""

    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
    """Name of the procedure."""
    station: Line
    created_ns: Annotated[int, Field(ge=0, lt=LATEST_NS)]
    """UTC."""
    good: bool
    words: Line
    operating_point: Setpoints
    """Setpoints that it began at (SI)."""
    session: Line
    """Folder name of the recording that it came from; empty where nothing was recorded."""
    drops: tuple[int, int]
    """First and last drop that entered."""
    numbers: Mapping[str, Any]
    valid_days: Annotated[float, Field(gt=0, le=36_500)] = VALID_DAYS
    schema: int = SCHEMA
    checksum: str = ""
    """Of all the rest (SHA-256) as its file has it; empty where none stands there."""

    @property
    def age_days(self) -> float:
        """How long ago it was made."""
        return (time.time_ns() - self.created_ns) / 86400e9

    @property
    def why_not_valid(self) -> str:
        """Why it is not to be used; empty where it ended well and is neither old nor to come."""
        if not self.good:
            return self.words
        if self.age_days < -CLOCKS_APART_DAYS:
            return f"made in the future, {utc_moment(self.created_ns)}: is a clock wrong?"
        return "" if self.age_days <= self.valid_days else "too old"

    @property
    def valid(self) -> bool:
        """Whether it ended well and is neither too old nor made in the future."""
        return not self.why_not_valid


_PRODUCT = TypeAdapter(Product)


def write_product(folder: Path, product: Product) -> Path:
    """Write it whole or not at all, and return its path. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{moment_of(product)}_{product.kind}_{product.station}.json"
    table = plain(asdict(product))
    table["checksum"] = _checksum(table)
    replace_text(path, json.dumps(table, indent=1, allow_nan=False) + "\n")
    return path


def moment_of(product: Product) -> str:
    """Return when it was made (UTC), as names of files and matrices have it."""
    return datetime.fromtimestamp(product.created_ns / 1e9, UTC).strftime("%Y%m%dT%H%M%S%fZ")


def _checksum(table: Mapping[str, Any]) -> str:
    rest = {name: value for name, value in table.items() if name != "checksum"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def read_product(path: Path) -> Product:
    """Return the product in a file. Raises `SessionError` naming what is wrong with it."""
    try:
        table = json_table(read_text(path))
        if table.get("schema") != SCHEMA:
            raise SessionError(f"{path}: schema: wanted {SCHEMA}, got {table.get('schema')!r}")
        wanted = Product.__dataclass_fields__.keys()
        if odd := sorted((table.keys() | {"checksum"}) ^ wanted):  # older products have none
            raise SessionError(f"{path}: not a product: missing or unknown: {', '.join(odd)}")
        if "checksum" in table and table["checksum"] != _checksum(table):
            raise SessionError(f"{path}: changed since it was made: its checksum does not fit")
        return _PRODUCT.validate_python(table)
    except ValidationError as error:
        raise SessionError(f"{path}: not a product: {_in_words(error)}") from error
    except (OSError, ValueError) as error:
        raise SessionError(f"{path}: not a product: {error}") from error


@contextlib.contextmanager
def numbers_of(path: Path) -> Iterator[None]:
    """Turn what numbers of an unexpected shape lead to into a `SessionError` that names the file.

    The numbers of a product are its procedure's; a file may hold others.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise SessionError(
            f"{path}: numbers: wanted those that its kind of procedure leaves, got others"
        ) from error


def _in_words(error: ValidationError) -> str:
    """Say in one line what the first wrong field is, wanted and got."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    return f"{field}: {first['msg']}, got {str(first['input'])[:80]!r}"


def products_in(folder: Path) -> list[tuple[Path, Product]]:
    """Return the products of a folder, oldest first; files that are none are left out."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append((path, read_product(path)))
        except SessionError:
            continue
    return found


def note_promotion(folder: Path, path: Path, who: str, where: str) -> None:
    """Write into the journal who promoted which product into which configuration, when (UTC)."""
    line = {"time_ns": time.time_ns(), "product": path.name, "who": who, "configuration": where}
    with os.fdopen(open_to_append(folder / JOURNAL), "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())
