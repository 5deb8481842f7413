"""The certificate of calibration: one HTML page with the plots, beside the product that a finished plan leaves."""

from __future__ import annotations

import base64
import html
import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import magis_calib
from magis_calib.domain.config import Station
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES, utc_moment
from magis_calib.engine import Engine
from magis_calib.recording.products import Product, read_product

STYLE = (
    "body{font:14px sans-serif;max-width:60em;margin:2em auto}table{border-collapse:collapse}"
    "td,th{border:1px solid #999;padding:.2em .6em;text-align:left}.failed{font-weight:bold}img{max-width:100%}"
)


def write_certificate(engine: Engine, station: Station) -> None:
    """Write the page where the plan has ended well, and say where."""
    state = engine.snapshot.procedure
    if state is None or not state.good or not state.product:
        return
    path = Path(state.product)
    page = path.with_suffix(".html")
    page.write_text(certificate_page(read_product(path), station), encoding="utf-8")
    print(f"certificate: {page} (numbers in {path.name})", file=sys.stderr)


def certificate_page(product: Product, station: Station) -> str:
    """Return the page: who, when, every step, the last errors beside their tolerances, the plots."""
    steps = product.numbers["steps"]
    rows = "".join(
        f"<tr class={html.escape(one['outcome'])}><td>{html.escape(one['name'])}</td><td>{one['outcome']}</td>"
        f"<td>{html.escape(one['words'])}</td></tr>"
        for one in steps
    )
    plots = "".join(f'<h2>{html.escape(name)}</h2><img alt="{html.escape(name)}" src="data:image/png;base64,{image}">'
                    for name, image in _plots(steps))  # fmt: skip
    return (
        f"<!doctype html><meta charset=utf-8><title>Certificate of calibration</title><style>{STYLE}</style>"
        f"<h1>Certificate of calibration</h1><p>{html.escape(station.title)} ({html.escape(product.station)}), "
        f"{utc_moment(product.created_ns)}, valid for {product.valid_days:g} days.<br>"
        f"{html.escape(product.words)}<br>Session {html.escape(product.session or 'not recorded')}, drops "
        f"{product.drops[0]} to {product.drops[1]}; matrix in force {html.escape(station.loop.matrix)!r}; "
        f"magis-calib {magis_calib.__version__}.</p>"
        f"{_errors(steps, station)}<h2>Steps</h2><table>{rows}</table>{plots}"
        f"<p>Signed: ______________________ &nbsp; Date: ______________</p>\n"
    )


def _errors(steps: list[Mapping[str, Any]], station: Station) -> str:
    last = next((one["product"]["error"] for one in reversed(steps) if one["use"] == "in_tolerance"
                 and one["outcome"] == "done"), None)  # fmt: skip
    if last is None:
        return "<p>The loop was not closed in this plan.</p>"
    rows = "".join(
        f"<tr><td>{shown.label}</td><td>{shown.shown(station.loop.observables[name].target)}</td>"
        f"<td>{shown.shown(last[name])}</td><td>{shown.shown(station.loop.observables[name].tolerance)}</td>"
        f"<td>{shown.shown_unit}</td></tr>"
        for name, shown in OBSERVABLES.items()
    )
    head = "<tr><th>observable</th><th>target</th><th>error</th><th>tolerance</th><th>unit</th></tr>"
    return f"<h2>Last drop with the loop closed</h2><table>{head}{rows}</table>"


def _plots(steps: list[Mapping[str, Any]]) -> list[tuple[str, str]]:
    from matplotlib.figure import Figure

    found = []
    for one in steps:
        figure, product = Figure(figsize=(6, 2.6), layout="constrained"), one["product"]
        if one["outcome"] != "done" or one["use"] not in {"scan", "response", "stability"}:
            continue
        axes = figure.add_subplot()
        {"scan": _draw_scan, "response": _draw_response, "stability": _draw_stability}[one["use"]](axes, product)
        image = io.BytesIO()
        figure.savefig(image, format="png", dpi=110)
        found.append((one["name"], base64.b64encode(image.getvalue()).decode("ascii")))
    return found


def _draw_scan(axes: Any, product: Mapping[str, Any]) -> None:
    shown = ACTUATORS[product["actuator"]]
    points = product["points"]
    axes.errorbar([one["at"] * shown.shown_scale for one in points], [one["seen"] for one in points],
                  [one["stderr"] for one in points], fmt=".")  # fmt: skip
    axes.axvline(product["optimum"] * shown.shown_scale, linestyle="--")
    axes.set_xlabel(f"{shown.label} {shown.shown_unit}")
    axes.set_ylabel(product["observed"].replace("_", " "))


def _draw_response(axes: Any, product: Mapping[str, Any]) -> None:
    names = list(product["actuator_units"])
    ratio = np.array([[_sigmas(product, observable, name) for name in names] for observable in OBSERVABLES])
    picture = axes.imshow(np.clip(ratio, -20, 20), cmap="coolwarm", vmin=-20, vmax=20, aspect="auto")
    axes.set_xticks(range(len(names)), [ACTUATORS[name].label for name in names], rotation=20)
    axes.set_yticks(range(6), [quantity.label for quantity in OBSERVABLES.values()])
    axes.figure.colorbar(picture, label="gain / standard error")


def _sigmas(product: Mapping[str, Any], observable: str, actuator: str) -> float:
    value, error = product["matrix"][observable][actuator], product["stderr"][observable][actuator]
    return value / error if value is not None and error else float("nan")


def _draw_stability(axes: Any, product: Mapping[str, Any]) -> None:
    for name, shown in OBSERVABLES.items():
        deviation = product[name]["allan_deviation"]
        first = next(iter(deviation.values()), None)
        if first:
            axes.loglog([int(length) for length in deviation], [one / first for one in deviation.values()], "o-",
                        label=shown.label)  # fmt: skip
    axes.set_xlabel("drops averaged")
    axes.set_ylabel("Allan deviation / of one drop")
    axes.legend(ncols=3, fontsize="small")
