"""A product is judged before it is promoted: checksum, origin, station, validity, every element."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from magis_calib.config.loading import load_config
from magis_calib.config.station import Station, default_text
from magis_calib.domain.errors import ConfigError, SessionError
from magis_calib.domain.quantities import ACTUATORS
from magis_calib.products.promotion import promote
from magis_calib.products.store import Product, read_product, write_product

HOUR_NS = 3600 * 10**9


def measured(station: Station, **changes: Any) -> Product:
    """A response that can be promoted."""
    names = list(station.loop.actuators)
    rows = {
        one: dict.fromkeys(names, 0.0) | row for one, row in station.matrices["nominal"].items()
    }
    numbers = {
        "matrix": rows,
        "stderr": {one: dict.fromkeys(names, 1e-9) for one in rows},
        "actuator_units": {name: ACTUATORS[name].unit for name in names},
    }
    made = Product("response", "bottom", time.time_ns(), True, "", {}, "", (1, 9), numbers)
    return replace(made, **changes)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A configuration of somebody's own."""
    path = tmp_path / "own.toml"
    path.write_text(default_text(), encoding="utf-8")
    return path


def spoilt(path: Path, change: Callable[[dict[str, Any]], object], *, proven: bool) -> Path:
    """Change the table in a product's file; without `proven` it looks older than checksums."""
    table = json.loads(path.read_text())
    if not proven:
        del table["checksum"]
    change(table)
    path.write_text(json.dumps(table))
    return path


def first(table: dict[str, Any]) -> dict[str, float]:
    row: dict[str, float] = table["numbers"]["matrix"]["x_m"]
    return row


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "sign": lambda table: first(table).update(trap_x_m=-first(table)["trap_x_m"]),
    "unknown actuator": lambda table: first(table).update(evil=1.0),
    "text": lambda table: first(table).update(trap_x_m="1.0"),
    "no stderr": lambda table: table["numbers"].pop("stderr"),
    "row": lambda table: table["numbers"]["matrix"].pop("y_m"),
    "unit": lambda table: table["numbers"]["actuator_units"].update(trap_x_m="mm"),
    "future": lambda table: table.update(created_ns=table["created_ns"] + HOUR_NS),
    "year 39381": lambda table: table.update(created_ns=39_381 * 366 * 24 * HOUR_NS),
    "valid for ever": lambda table: table.update(valid_days=1e9),
    "station": lambda table: table.update(station="top"),
    "line end": lambda table: table.update(words="fine\nALARM act: none"),
    "control character": lambda table: table.update(session="\x1b[2J"),
    "kind": lambda table: table.update(kind='response"]\n[stations'),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("proven", [True, False])
def test_what_was_changed_is_not_promoted(
    station: Station, own: Path, name: str, proven: bool
) -> None:
    path = write_product(own.parent, measured(station))
    spoilt(path, CHANGES[name], proven=proven)
    before = own.read_bytes()
    if name == "sign" and not proven:
        assert "not proven" in promote(path, own, None, "ada")
        return
    with pytest.raises(SessionError, match="checksum does not fit" if proven else ".") as raised:
        promote(path, own, None, "ada")
    assert "\n" not in str(raised.value)
    assert "\x1b" not in str(raised.value)
    assert own.read_bytes() == before
    assert not (own.parent / "promoted.jsonl").exists()


@pytest.mark.parametrize("text", ["[" * 10_000, '{"a":' * 900 + "1" + "}" * 900, "{}x", "", "NaN"])
def test_what_is_no_json_of_ours_is_named_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.json"
    path.write_text(text)
    with pytest.raises(SessionError) as raised:
        read_product(path)
    words = str(raised.value)
    assert "\n" not in words
    assert not any(
        one in words for one in ("Expecting", "Extra data", "recursion", "line 1 column 1:")
    )


def test_every_byte_of_a_product_counts(station: Station, tmp_path: Path) -> None:
    path = write_product(tmp_path, measured(station))
    whole, found = path.read_bytes(), read_product(path)
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        try:
            assert read_product(path) == found, at
        except SessionError:
            continue


def test_a_file_keeps_its_mode_and_links_are_left_alone(station: Station, own: Path) -> None:
    path = write_product(own.parent, measured(station))
    own.chmod(0o640)
    promote(path, own, None, "ada")
    assert stat.S_IMODE(own.stat().st_mode) == 0o640
    link = own.with_name("link.toml")
    link.symlink_to(own)
    with pytest.raises(ConfigError, match="wanted a regular file, got a link to"):
        promote(path, link, None, "ada")
    assert link.is_symlink()
    assert load_config(own).stations["bottom"].loop.matrix.startswith("response_")
    assert not [one for one in own.parent.iterdir() if one.suffix == ".part"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_of_somebody_else_stays_theirs(station: Station, own: Path) -> None:
    path = write_product(own.parent, measured(station))
    os.chown(own, 1234, 4321)
    promote(path, own, None, "ada")
    assert (own.stat().st_uid, own.stat().st_gid) == (1234, 4321)
