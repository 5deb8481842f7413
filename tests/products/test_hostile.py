"""Whatever stands in a product, each command answers in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from magis_calib.cli.main import main
from tests.products.test_store import product, write_product


@pytest.mark.parametrize("what", ["show", "picture", "certificate", "compare"])
@pytest.mark.parametrize(
    "numbers",
    [
        {"matrix": 1},
        {"matrix": {"x_m": {"trap_x_m": "far"}}, "stderr": {"x_m": {"trap_x_m": None}}},
        {"matrix": {"x_m": [1, 2]}, "stderr": {}, "actuator_units": {"trap_x_m": "m"}},
        {"matrix": {"q": {"trap_x_m": 1.0}}, "stderr": {"q": {}}},
        {"steps": {"a": 1}, "station": []},
    ],
)
def test_numbers_of_another_shape_are_named(tmp_path: Path, capsys, what: str, numbers) -> None:
    path = write_product(tmp_path, product())
    table = json.loads(path.read_text()) | {"numbers": numbers}
    del table["checksum"]
    path.write_text(json.dumps(table))
    code = main(["products", what, str(path), *([str(path)] if what == "compare" else [])])
    said = capsys.readouterr()
    assert code == 2 or said.out
    assert said.err.count("\n") == (code == 2)
    assert "Traceback" not in said.err
