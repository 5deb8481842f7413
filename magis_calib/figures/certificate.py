"""The certificate of calibration: a page of HTML with plots, beside the product of its plan."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import magis_calib
from magis_calib.domain.errors import SessionError
from magis_calib.domain.quantities import OBSERVABLES, utc_moment
from magis_calib.figures.product import picture_of
from magis_calib.host.files import replace_text
from magis_calib.products.store import Product, read_product

STYLE = (
    "body{font:14px sans-serif;max-width:60em;margin:2em auto}table{border-collapse:collapse}"
    "td,th{border:1px solid #999;padding:.2em "
    ".6em;text-align:left}.failed{font-weight:bold}img{max-width:100%}"
)


def write_page(path: Path) -> Path:
    """Write the certificate beside the product of a plan that ended well, and return where.

    Raises `SessionError` where the product is no such, `OSError` where it cannot be written.
    """
    product = read_product(path)
    if not product.good or not {"steps", "station"} <= product.numbers.keys():
        raise SessionError(
            f"{path}: wanted a plan that ended well, got {product.kind}: {product.words}"
        )
    page = path.with_suffix(".html")
    replace_text(page, certificate_page(product))
    return page


def certificate_page(product: Product) -> str:
    """Return the page: who, when, every step, last errors beside tolerances, plots."""
    steps, station = product.numbers["steps"], product.numbers["station"]
    rows = "".join(_step_row(one) for one in steps)
    picture = base64.b64encode(picture_of(product.numbers) or b"").decode("ascii")
    return (
        f"<!doctype html><meta charset=utf-8><title>Certificate of "
        f"calibration</title><style>{STYLE}</style>"
        f"<h1>Certificate of calibration</h1><p>{html.escape(station['title'])} "
        f"({html.escape(product.station)}), "
        f"{utc_moment(product.created_ns)}, valid for {product.valid_days:g} days.<br>"
        f"{html.escape(product.words)}<br>Session "
        f"{html.escape(product.session or 'not recorded')}, drops "
        f"{product.drops[0]} to {product.drops[1]}; matrix in force "
        f"{html.escape(station['matrix'])!r}; "
        f"magis-calib {magis_calib.__version__}.</p>"
        f"{_errors(steps, station)}<h2>Steps</h2><table>{rows}</table>"
        f'<img alt="what the steps found" src="data:image/png;base64,{picture}">'
        f"<p>Signed: ______________________ &nbsp; Date: ______________</p>\n"
    )


def _step_row(one: Mapping[str, Any]) -> str:
    return (
        f"<tr class={html.escape(one['outcome'])}><td>{html.escape(one['name'])}</td>"
        f"<td>{one['outcome']}</td>"
        f"<td>{html.escape(one['words'])}</td></tr>"
    )


def _errors(steps: list[Mapping[str, Any]], station: Mapping[str, Any]) -> str:
    closed = [
        one["product"]["error"]
        for one in steps
        if one["use"] == "in_tolerance" and one["outcome"] == "done"
    ]
    if not closed:
        return "<p>The loop was not closed in this plan.</p>"
    rows = "".join(_error_row(name, closed[-1][name], station) for name in OBSERVABLES)
    head = (
        "<tr><th>observable</th><th>target</th><th>error</th><th>tolerance</th><th>unit</th></tr>"
    )
    return f"<h2>Last drop with the loop closed</h2><table>{head}{rows}</table>"


def _error_row(name: str, error: float, station: Mapping[str, Any]) -> str:
    shown = OBSERVABLES[name]
    return (
        f"<tr><td>{shown.label}</td><td>{shown.shown(station['targets'][name])}</td>"
        f"<td>{shown.shown(error)}</td><td>{shown.shown(station['tolerances'][name])}</td>"
        f"<td>{shown.shown_unit}</td></tr>"
    )
