"""What procedures leave: JSON files with a validity, and the journal of which were promoted."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from magis_calib.domain.control import Setpoints
from magis_calib.domain.errors import SessionError
from magis_calib.domain.serial import plain

SCHEMA = 1
VALID_DAYS = 30.0
"""A product is trusted this long, where nothing else is said."""
JOURNAL = "promoted.jsonl"


@dataclass(frozen=True, slots=True)
class Product:
    """One procedure's result, and where and when it was found."""

    kind: str
    """Name of the procedure."""
    station: str
    created_ns: Annotated[int, Field(ge=0, lt=2**63)]
    """UTC."""
    good: bool
    words: str
    operating_point: Setpoints
    """Setpoints that it began at (SI)."""
    session: str
    """Folder name of the recording that it came from; empty where nothing was recorded."""
    drops: tuple[int, int]
    """First and last drop that entered."""
    numbers: Mapping[str, Any]
    valid_days: float = VALID_DAYS
    schema: int = SCHEMA

    @property
    def age_days(self) -> float:
        """How long ago it was made."""
        return (time.time_ns() - self.created_ns) / 86400e9

    @property
    def valid(self) -> bool:
        """Whether it ended well and is not too old."""
        return self.good and self.age_days <= self.valid_days


_PRODUCT = TypeAdapter(Product)


def write_product(folder: Path, product: Product) -> Path:
    """Write it whole or not at all, and return its path. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True)
    moment = datetime.fromtimestamp(product.created_ns / 1e9, UTC).strftime("%Y%m%dT%H%M%S%fZ")
    path = folder / f"{moment}_{product.kind}_{product.station}.json"
    temporary = path.with_suffix(".part")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(plain(asdict(product)), file, indent=1, allow_nan=False)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    return path


def read_product(path: Path) -> Product:
    """Return the product in a file. Raises `SessionError` naming what is wrong with it."""
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        if table.get("schema") != SCHEMA:
            raise SessionError(f"{path}: schema: wanted {SCHEMA}, got {table.get('schema')!r}")
        if odd := sorted(table.keys() ^ Product.__dataclass_fields__.keys()):
            raise SessionError(f"{path}: not a product: missing or unknown: {', '.join(odd)}")
        return _PRODUCT.validate_python(table)
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise SessionError(f"{path}: not a product: {error}") from error


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
    with (folder / JOURNAL).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())
