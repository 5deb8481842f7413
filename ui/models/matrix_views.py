"""The response matrix in force, as measured last, and how far these are apart. No Qt."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES
from magis_calib.products.promotion import NEGLIGIBLE_SIGMA
from magis_calib.state.matrix import DIFFERS_SIGMA, MatrixState, MeasuredMatrix, Rows, difference
from ui.models.matrix_text import cell, element, heading, hover
from ui.style.format import minus

MatrixPage = Literal["In force", "Measured", "Difference"]
MATRIX_PAGES: dict[MatrixPage, str] = {
    "In force": "the matrix that the loop uses in this run",
    "Measured": "the newest measured matrix of this station that can be promoted",
    "Difference": "measured minus in force, in standard errors of the difference",
}
NONE_MEASURED = (
    "no measured matrix of this station is among the products: run the procedure response"
)


@dataclass(frozen=True, slots=True)
class Element:
    """One cell of the map."""

    text: str
    hover: str
    strength: float
    """In [-1, 1] for the whole range of colours."""


def elements(
    page: MatrixPage, matrix: MatrixState, measured: MeasuredMatrix | None
) -> Mapping[str, Mapping[str, Element]]:
    """Return what stands in each cell, by observable and actuator.

    Nothing where nothing is measured.
    """
    if page == "In force":
        return _cells(matrix.values, partial(_plain, matrix))
    if measured is None:
        return {}
    if page == "Measured":
        return _cells(matrix.values, partial(_measured, measured))
    sigmas = difference(measured.matrix, matrix)
    return _cells(
        sigmas, lambda one, name: _difference(sigmas[one][name], matrix, measured.matrix, one, name)
    )


def _cells(rows: Rows, made: Callable[[str, str], Element]) -> Mapping[str, Mapping[str, Element]]:
    return {one: {name: made(one, name) for name in row} for one, row in rows.items()}


def title(
    page: MatrixPage, matrix: MatrixState, measured: MeasuredMatrix | None, now_ns: int
) -> tuple[str, bool]:
    """Say which matrix is shown, and how old it is or how many elements differ.

    And whether somebody should look.
    """
    if page == "In force":
        return heading(matrix, now_ns)
    if measured is None:
        return NONE_MEASURED, False
    if page == "Measured":
        text, old = heading(measured.matrix, now_ns)
        return f"{text}{standing(matrix, measured)}", old
    sigmas = [one for row in difference(measured.matrix, matrix).values() for one in row.values()]
    far = sum(abs(one) > DIFFERS_SIGMA for one in sigmas)
    known = sum(map(math.isfinite, sigmas))
    exact = "" if matrix.stderr else f" · {matrix.name} has no errors: taken as exact"
    return (
        f"{'▲ ' if far else ''}{far} of {known} elements differ by more than {DIFFERS_SIGMA:g} "
        f"standard errors · {measured.matrix.name} − {matrix.name}{exact}"
    ), far > 0


def standing(matrix: MatrixState, measured: MeasuredMatrix) -> str:
    """Say what was done with a measured matrix; empty where nothing was."""
    if measured.matrix.name == matrix.name:
        return " · ✓ in force"
    return " · ✓ promoted: in force from the next start on" if measured.promoted else ""


def _plain(matrix: MatrixState, observable: str, actuator: str) -> Element:
    return Element(
        cell(matrix, observable, actuator),
        hover(matrix, observable, actuator),
        matrix.strength[observable][actuator],
    )


def _measured(measured: MeasuredMatrix, observable: str, actuator: str) -> Element:
    """Return one element; what would be in force as 0 looks like 0, with its number."""
    matrix = measured.matrix
    if math.isnan(matrix.values[observable][actuator]):
        return Element(
            "–", f"{ACTUATORS[actuator].label} → {OBSERVABLES[observable].label}: not measured", 0.0
        )
    whole = _plain(matrix, observable, actuator)
    if (observable, actuator) not in measured.taken_as_zero:
        return whole
    words = (
        f"{whole.hover}\nin force it would be 0: not told from 0 by {NEGLIGIBLE_SIGMA:g} "
        f"standard errors"
    )
    return Element(whole.text, words, 0.0)


def _difference(
    sigma: float, matrix: MatrixState, measured: MatrixState, observable: str, actuator: str
) -> Element:
    unit = element(observable, actuator).shown_unit
    found, now = (cell(one, observable, actuator) for one in (measured, matrix))
    words = (
        f"{ACTUATORS[actuator].label} → {OBSERVABLES[observable].label}: measured {found}, in "
        f"force {now} {unit}"
    )
    if math.isnan(sigma):
        return Element("–", f"{words}\nno error is known", 0.0)
    far = abs(sigma) > DIFFERS_SIGMA
    text = minus(f"{'▲ ' if far else ''}{sigma:+.1f}")
    return Element(
        text,
        minus(f"{words}\n{sigma:+.3g} standard errors apart"),
        sigma / DIFFERS_SIGMA,
    )
