"""How far two matrices are apart, in the window and on the command line."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from magis_calib.cli.products import compared
from magis_calib.products.store import Product
from magis_calib.state.matrix import DIFFERS_SIGMA, MatrixState, difference, sigmas_apart

PRODUCT = Product("response", "s", 0, True, "", {}, "", (1, 2), {})


def product(value: float, error: float) -> Product:
    numbers = {"matrix": {"x_m": {"trap_x_m": value}}, "stderr": {"x_m": {"trap_x_m": error}}}
    return replace(PRODUCT, numbers=numbers)


@pytest.mark.parametrize(
    ("errors", "wanted"),
    [((3.0, 4.0), 2.0), ((0.0, 5.0), 2.0), ((5.0, 0.0), 2.0), ((0.0, 0.0), math.nan)],
)
def test_elements_are_apart_by_the_error_of_their_difference(
    errors: tuple[float, float], wanted: float
) -> None:
    assert sigmas_apart(17.0, 7.0, errors) == pytest.approx(wanted, nan_ok=True)
    one, other = (
        MatrixState("m", {"x_m": {"trap_x_m": value}}, {}, {"x_m": {"trap_x_m": error}}, None, "")
        for value, error in zip((17.0, 7.0), errors, strict=True)
    )
    assert difference(one, other)["x_m"]["trap_x_m"] == pytest.approx(wanted, nan_ok=True)
    (line,) = compared(product(17.0, errors[0]), product(7.0, errors[1]))
    assert f"{wanted:+5.1f} s.e." in line


@pytest.mark.parametrize("sigma", [DIFFERS_SIGMA - 0.1, DIFFERS_SIGMA + 0.1])
def test_what_differs_on_the_command_line_is_what_differs_in_the_window(sigma: float) -> None:
    (line,) = compared(product(sigma, 1.0), product(0.0, 0.0))
    assert ("differs" in line) == (sigma > DIFFERS_SIGMA)
