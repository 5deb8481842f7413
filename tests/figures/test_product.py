"""Pictures of products: of those that the procedures here leave, and none of others."""

from __future__ import annotations

import pytest

from magis_calib.figures.product import picture_of

POINTS = [{"at": 1.0, "seen": 0.5, "stderr": 0.1}, {"at": 1.1, "seen": 0.6, "stderr": 0.1}]


@pytest.mark.parametrize(
    "numbers",
    [{}, {"ratio": 1.02}, {"points": 7}, {"x_m": 3e-6}, {"way": "left"}, {"matrix": [[1.0]]}],
    ids=str,
)
def test_a_product_of_a_procedure_of_your_own_is_not_taken_for_one_of_ours(numbers: dict) -> None:
    assert picture_of(numbers) is None


def test_a_scan_is_drawn() -> None:
    scan = {"actuator": "pulse_area", "observed": "contrast", "optimum": 1.05, "points": POINTS}
    image = picture_of(scan)
    assert image is not None
    assert image.startswith(b"\x89PNG")
