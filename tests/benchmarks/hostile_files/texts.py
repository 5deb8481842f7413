"""Thirty hostile products, and thirty hostile configurations."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from magis_calib.config.loading import load_config, select_station
from magis_calib.config.station import default_text
from magis_calib.domain.quantities import ACTUATORS
from magis_calib.products.store import Product, write_product

HOUR_NS = 3600 * 10**9


def good_product() -> Product:
    """A product that could be promoted."""
    station = select_station(load_config(None), None)[1]
    names = list(station.loop.actuators)
    rows = {
        one: dict.fromkeys(names, 0.0) | row for one, row in station.matrices["nominal"].items()
    }
    numbers = {
        "matrix": rows,
        "stderr": {one: dict.fromkeys(names, 1e-9) for one in rows},
        "actuator_units": {name: ACTUATORS[name].unit for name in names},
    }
    return Product("response", "bottom", time.time_ns(), True, "", {}, "", (1, 9), numbers)


Change = Callable[[dict[str, Any]], object]


def _row(table: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = table["numbers"]["matrix"]["x_m"]
    return row


CHANGES: dict[str, Change] = {
    "text": lambda table: _row(table).update(trap_x_m="far"),
    "list": lambda table: _row(table).update(trap_x_m=[1]),
    "large": lambda table: _row(table).update(trap_x_m=10**400),
    "row": lambda table: table["numbers"].update(matrix={"x_m": 1}),
    "matrix": lambda table: table["numbers"].update(matrix=[]),
    "observable": lambda table: table["numbers"]["matrix"].update(q={"trap_x_m": 1.0}),
    "actuator": lambda table: _row(table).update(evil=1.0),
    "stderr": lambda table: table["numbers"].pop("stderr"),
    "unit": lambda table: table["numbers"]["actuator_units"].update(trap_x_m="mm"),
    "numbers": lambda table: table.update(numbers=[1, 2]),
    "future": lambda table: table.update(created_ns=table["created_ns"] + HOUR_NS),
    "year-39381": lambda table: table.update(created_ns=39_381 * 366 * 24 * HOUR_NS),
    "before-1970": lambda table: table.update(created_ns=-5),
    "station": lambda table: table.update(station="top"),
    "control": lambda table: table.update(words="\x1b[2J\nALARM act"),
    "kind": lambda table: table.update(kind='a"]\n[b'),
    "good": lambda table: table.update(good="yes"),
    "drops": lambda table: table.update(drops=["a", "b"]),
    "valid": lambda table: table.update(valid_days=1e300),
    "schema": lambda table: table.update(schema={"a": 1}),
    "unknown": lambda table: table.update(more=1),
    "missing": lambda table: table.pop("words"),
}
RAW: dict[str, bytes] = {
    "deep": b'{"a":' * 10_000,
    "deep-list": b"[" * 100_000,
    "latin": "{'ü'".encode("latin-1"),
    "empty": b"",
    "nan": b'{"schema": NaN}',
    "number": b"7",
}


def products(folder: Path) -> list[Path]:
    """Write all, and a configuration that they would be promoted into; return them."""
    (folder / "own.toml").write_text(default_text(), encoding="utf-8")
    whole = write_product(folder / "good", good_product())
    found = [folder / f"{name}.json" for name in CHANGES]
    for path, change in zip(found, CHANGES.values(), strict=True):
        table = json.loads(whole.read_text())
        del table["checksum"]  # as if it were older than checksums
        change(table)
        path.write_text(json.dumps(table))
    flipped = folder / "flipped.json"
    flipped.write_text(whole.read_text().replace('"trap_x_m": 1.0', '"trap_x_m": -1.0'))
    more = [folder / f"{name}.json" for name in RAW]
    for path, raw in zip(more, RAW.values(), strict=True):
        path.write_bytes(raw)
    large = folder / "large.json"
    with large.open("wb") as file:
        file.truncate(4_000_000_000)
    assert asdict(good_product())
    return [*found, flipped, *more, large]


EXCHANGED: dict[str, tuple[str, str]] = {
    "slash": ("[stations.bottom", "[stations.'a/b'"),
    "umlaut": ("[stations.bottom", "[stations.'süd'"),
    "dots": ("[stations.bottom", "[stations.'..'"),
    "escape": ("[stations.bottom", '[stations."\\u001b[2J"'),
    "port": ("127.0.0.1:15550", "127.0.0.1:99999"),
    "port-0": ("127.0.0.1:15550", "127.0.0.1:0"),
    "truth": ("wait_s = 5.0", "wait_s = true"),
    "endless": ("reply_timeout_s = 1.0", "reply_timeout_s = 1e300"),
    "subnormal": ("noise = 16.6e-6", "noise = 1e-320"),
    "infinite": ("noise = 16.6e-6", "noise = inf"),
    "digits": ("wait_s = 5.0", f"wait_s = {'9' * 5000}"),
    "gain": ('gain = "auto"', "gain = true"),
    "date": ("wait_s = 5.0", "wait_s = 1979-05-27"),
    "list": ("wait_s = 5.0", "wait_s = [[[[]]]]"),
    "twice": ("schema = 1", "schema = 1\nschema = 1"),
    "schema": ("schema = 1", "schema = 'a'"),
    "model": ('model = "two_port"', 'model = "../../etc/passwd"'),
    "view": ('view = "y"', 'view = "z"'),
    "matrix": ('matrix = "nominal"', 'matrix = "\\u0000"'),
    "zero": ("trap_x_m = 1.0 }", "trap_x_m = 0.0 }"),
}
RAW_TOML: dict[str, bytes] = {
    "deep": b"a = " + b"[" * 100_000,
    "tables": b"[" + b"a." * 20_000 + b"a]\n",
    "empty": b"",
    "latin": "title = 'süd'".encode("latin-1"),
    "utf-16": "schema = 1".encode("utf-16"),
    "json": b'{"schema": 1}',
    "zeros": bytes(1000),
}


def configurations(folder: Path) -> list[Path]:
    """Write all, and return them."""
    found = {f"{name}.toml": path for name, path in RAW_TOML.items()}
    for name, (before, after) in EXCHANGED.items():
        assert before in default_text(), name
        found[f"{name}-.toml"] = default_text().replace(before, after).encode()
    for name, raw in found.items():
        (folder / name).write_bytes(raw)
    os.mkfifo(folder / "pipe.toml")
    (folder / "device.toml").symlink_to("/dev/zero")
    with (folder / "large.toml").open("wb") as file:
        file.truncate(4_000_000_000)
    more = ["pipe.toml", "device.toml", "large.toml"]
    return [folder / name for name in [*found, *more]]
