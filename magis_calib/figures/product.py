"""The picture of what a procedure found, from its product alone: scan, matrix, deviations."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES
from magis_calib.host.files import replace_bytes
from magis_calib.products.store import read_product

Numbers = Mapping[str, Any]


def picture_of(numbers: Numbers) -> bytes | None:
    """Return the picture (PNG) of a product with these numbers.

    None where there is nothing to draw.
    """
    parts = [
        (one["name"], one["product"])
        for one in numbers.get("steps", ())
        if one["outcome"] == "done"
    ] or [("", numbers)]
    drawn = [
        (title, product, draw)
        for title, product in parts
        if (draw := _drawing(product)) is not None
    ]
    if not drawn:
        return None
    figure = Figure(figsize=(6, 2.6 * len(drawn)), layout="constrained")
    for (title, product, draw), axes in zip(
        drawn, figure.subplots(len(drawn), squeeze=False)[:, 0], strict=True
    ):
        axes.set_title(title)
        draw(axes, product)
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=110)
    return image.getvalue()


def write_picture(path: Path) -> Path | None:
    """Draw the product in a file beside it; return where, or None where there is nothing to draw.

    Raises `SessionError` or `OSError`.
    """
    image = picture_of(read_product(path).numbers)
    if image is None:
        return None
    picture = path.with_suffix(".png")
    replace_bytes(picture, image)
    return picture


def _drawing(numbers: Numbers) -> Callable[[Axes, Numbers], None] | None:
    """Return what draws a product, by what is in it."""
    return next((draw for keys, draw in _DRAWN.items() if keys <= numbers.keys()), None)


def _draw_scan(axes: Axes, product: Numbers) -> None:
    shown = ACTUATORS[product["actuator"]]
    for time_s in sorted({_time_s(one) for one in product["points"]}):
        points = [one for one in product["points"] if _time_s(one) == time_s]
        axes.errorbar(
            [one["at"] * shown.shown_scale for one in points],
            [one["seen"] for one in points],
            [one["stderr"] for one in points],
            fmt=".",
            label=f"T = {1e3 * time_s:.0f} ms",
        )
    if time_s:
        axes.legend()
    axes.axvline(product["optimum"] * shown.shown_scale, linestyle="--")
    axes.set_xlabel(f"{shown.label} {shown.shown_unit}")
    axes.set_ylabel(product["observed"].replace("_", " "))


def _time_s(point: Numbers) -> float:
    """Return the interrogation time of a point; 0 in a scan that has only one."""
    return float(point.get("interrogation_time_s", 0.0))


def _draw_way(axes: Axes, product: Numbers) -> None:
    shown = ACTUATORS[product["actuator"]]
    axes.plot([one * shown.shown_scale for one in product["way"]], "o-")
    axes.axhline(product["optimum"] * shown.shown_scale, linestyle="--")
    axes.set_xlabel("cycle of four drops")
    axes.set_ylabel(f"{shown.label} {shown.shown_unit}")


def _draw_response(axes: Axes, product: Numbers) -> None:
    names = list(product["actuator_units"])
    ratio = np.array(
        [[_sigmas(product, observable, name) for name in names] for observable in OBSERVABLES]
    )
    picture = axes.imshow(
        np.clip(ratio, -20, 20), cmap="coolwarm", vmin=-20, vmax=20, aspect="auto"
    )
    _name_actuators(axes, names)
    axes.set_yticks(range(len(OBSERVABLES)), [quantity.label for quantity in OBSERVABLES.values()])
    axes.get_figure().colorbar(picture, ax=axes, label="gain / standard error")  # type: ignore[union-attr]


def _sigmas(product: Numbers, observable: str, actuator: str) -> float:
    value, error = product["matrix"][observable][actuator], product["stderr"][observable][actuator]
    return value / error if value is not None and error else float("nan")


def _name_actuators(axes: Axes, names: Sequence[str]) -> None:
    labels = [ACTUATORS[name].label for name in names]
    axes.set_xticks(range(len(names)), labels, rotation=15, fontsize="small")


def _draw_ratios(axes: Axes, product: Numbers) -> None:
    names = [name for name, value in product["ratio"].items() if value is not None]
    axes.errorbar(
        range(len(names)),
        [product["ratio"][name] for name in names],
        [product["ratio_stderr"][name] or 0.0 for name in names],
        fmt="o",
    )
    axes.axhline(1.0, linestyle="--")
    _name_actuators(axes, names)
    axes.set_ylabel("measured / expected")


def _draw_stability(axes: Axes, product: Numbers) -> None:
    for name, shown in OBSERVABLES.items():
        deviation = product[name]["allan_deviation"]
        first = next(iter(deviation.values()), None)
        if first:
            lengths = [int(length) for length in deviation]
            relative = [one / first for one in deviation.values()]
            axes.loglog(lengths, relative, "o-", label=shown.label)
    axes.set_xlabel("drops averaged")
    axes.set_ylabel("Allan deviation / of one drop")
    axes.legend(ncols=3, fontsize="small")


_DRAWN: Mapping[frozenset[str], Callable[[Axes, Numbers], None]] = {
    frozenset({"points", "actuator", "observed", "optimum"}): _draw_scan,
    frozenset({"matrix", "stderr", "actuator_units"}): _draw_response,
    frozenset({"ratio", "ratio_stderr"}): _draw_ratios,
    frozenset({"way", "actuator", "optimum"}): _draw_way,
    frozenset(OBSERVABLES): _draw_stability,
}
"""What draws a product, by the numbers that it needs: a procedure of your own may have others."""
