"""Products are written whole, read back as they were, and named where they are broken."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from magis_calib.domain.errors import SessionError
from magis_calib.products.store import (
    JOURNAL,
    Product,
    note_promotion,
    products_in,
    read_product,
    write_product,
)

DAY_NS = 86_400 * 10**9


def product(**changes: object) -> Product:
    made = Product(
        "response",
        "bottom",
        time.time_ns(),
        True,
        "response measured",
        {"trap_x_m": 1.25e-6},
        "20260101_bottom",
        (3, 34),
        {"matrix": {"x_m": {"trap_x_m": 0.1 + 0.2}}, "stderr": {"x_m": {"trap_x_m": 1e-3}}},
    )
    return replace(made, **changes)


def test_a_product_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there" / "yet"
    path = write_product(folder, product())
    found = read_product(path)
    assert len(found.checksum) == 64
    assert replace(product(), created_ns=found.created_ns, checksum=found.checksum) == found
    assert path.name.endswith("_response_bottom.json")
    assert [one.name for one in folder.iterdir()] == [path.name]


def test_a_number_that_was_not_measured_is_null(tmp_path: Path) -> None:
    path = write_product(tmp_path, product(numbers={"ratio": {"trap_x_m": float("nan")}}))
    assert json.loads(path.read_text())["numbers"]["ratio"]["trap_x_m"] is None


@pytest.mark.parametrize(
    ("changes", "valid"),
    [
        ({}, True),
        ({"good": False}, False),
        ({"created_ns": time.time_ns() - 31 * DAY_NS}, False),
        ({"created_ns": time.time_ns() - 31 * DAY_NS, "valid_days": 32.0}, True),
    ],
)
def test_what_failed_or_is_too_old_is_not_valid(changes: dict[str, object], valid: bool) -> None:
    assert product(**changes).valid == valid


def broken(text: str) -> str:
    table = json.loads(text)
    del table["station"]
    return json.dumps(table)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda text: text[: len(text) // 2], "not a product"),
        (lambda text: text.replace('"schema": 1', '"schema": 7'), "schema: wanted 1, got 7"),
        (broken, "station"),
        (lambda text: "[1, 2]", "not a product"),
        (lambda text: text.replace('"drops"', '"drop"'), "drops"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(tmp_path: Path, spoil, words: str) -> None:
    whole, path = write_product(tmp_path, product()), tmp_path / "spoilt.json"
    path.write_text(spoil(whole.read_text()))
    with pytest.raises(SessionError, match=words) as raised:
        read_product(path)
    assert str(path) in str(raised.value)
    assert [found for found, _ in products_in(tmp_path)] == [whole]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match=r"none\.json"):
        read_product(tmp_path / "none.json")


def test_products_are_listed_oldest_first(tmp_path: Path) -> None:
    now = time.time_ns()
    for days in (1, 3, 2):
        write_product(tmp_path, product(created_ns=now - days * DAY_NS))
    assert [round(one.age_days) for _, one in products_in(tmp_path)] == [3, 2, 1]


def test_promotions_are_added_to_the_journal(tmp_path: Path) -> None:
    path = write_product(tmp_path, product())
    for who in ("ada", "lise"):
        note_promotion(tmp_path, path, who, "mine.toml")
    lines = [json.loads(line) for line in (tmp_path / JOURNAL).read_text().splitlines()]
    assert [one["who"] for one in lines] == ["ada", "lise"]
    assert {(one["product"], one["configuration"]) for one in lines} == {(path.name, "mine.toml")}
