"""What a procedure left, in a few lines for the window. No Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from magis_calib.domain.errors import SessionError
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES, Quantity
from magis_calib.products.store import Product, read_product
from ui.style.format import minus


def product_in_words(path: str) -> list[str]:
    """Return the lines of the product in a file, or why it cannot be read."""
    try:
        product = read_product(Path(path))
    except SessionError as error:
        return [f"▲ {error}"]
    return main_gains(product) + main_ratios(product)


@dataclass(frozen=True, slots=True)
class Optimum:
    """A setpoint that a procedure found to be the best."""

    kind: str
    actuator: str
    setpoint: float
    """SI."""
    words: str


def optimum_of(path: str) -> Optimum | None:
    """Return the optimum in a good product; None where it has none."""
    try:
        product = read_product(Path(path))
    except SessionError:
        return None
    actuator, value = product.numbers.get("actuator"), product.numbers.get("optimum")
    if not product.good or actuator is None or value is None:
        return None
    shown = ACTUATORS[actuator]
    error = product.numbers.get("optimum_stderr")
    told = shown.shown(value) if error is None else shown.with_error(value, error)
    return Optimum(
        product.kind.replace("_", " "),
        actuator,
        value,
        f"{shown.label} {told} {shown.shown_unit}".rstrip(),
    )


def main_gains(product: Product) -> list[str]:
    """Write what each main actuator does to its observable, value(error), in shown units."""
    lines = []
    for observable, actuator in product.numbers.get("mains", {}).items():
        value, error = (
            product.numbers[key].get(observable, {}).get(actuator) for key in ("matrix", "stderr")
        )
        if value is not None and error is not None:
            seen, moved = OBSERVABLES[observable], ACTUATORS[actuator]
            unit = f"{seen.shown_unit} per {moved.shown_unit}".rstrip()
            gain = Quantity("", "", "", unit, seen.shown_scale / moved.shown_scale, 3)
            lines.append(
                minus(f"{moved.label} → {seen.label} {gain.with_error(value, error)} {unit}")
            )
    return lines


def main_ratios(product: Product) -> list[str]:
    """Write how far each actuator moved what it mainly moves, of what the matrix in force says."""
    lines = []
    for actuator, value in product.numbers.get("ratio", {}).items():
        error = product.numbers["ratio_stderr"].get(actuator)
        ratio = Quantity("", "", "", "", 1.0, 2)
        known = value is not None and error is not None
        text = ratio.with_error(value, error) if known else ratio.with_error(math.nan, math.nan)
        lines.append(minus(f"{ACTUATORS[actuator].label} {text}"))
    return ["measured over expected", *lines] if lines else []
