"""`magis-calib products`: what procedures found: list, show, draw, certify, compare, promote into a
configuration.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from magis_calib.cli.options import add_products_dir_option, default_products_dir
from magis_calib.domain.errors import SessionError
from magis_calib.domain.quantities import OBSERVABLES, quantity_of, utc_moment
from magis_calib.host.command_line import Parser
from magis_calib.host.user import login_name
from magis_calib.products.promotion import promote
from magis_calib.products.store import Product, numbers_of, products_in, read_product
from magis_calib.state.matrix import DIFFERS_SIGMA, sigmas_apart


def run(asked: argparse.Namespace) -> int:
    """Do one of these. Raises `SessionError` or `ConfigError` where it cannot be done."""
    folder = (asked.products_dir or default_products_dir()).absolute()
    with numbers_of(Path(getattr(asked, "product", folder))):
        lines = DO[asked.what](folder, asked)
    print("\n".join(lines))
    return 0


def _compare(folder: Path, asked: argparse.Namespace) -> list[str]:
    one, other = (read_product(_found(folder, name)) for name in (asked.product, asked.other))
    return compared(one, other)


def _picture(folder: Path, asked: argparse.Namespace) -> list[str]:
    from magis_calib.figures.product import write_picture  # matplotlib takes half a second to load

    return [str(write_picture(_found(folder, asked.product)) or "nothing to draw")]


def _certificate(folder: Path, asked: argparse.Namespace) -> list[str]:
    from magis_calib.figures.certificate import write_page  # matplotlib takes half a second to load

    return [str(write_page(_found(folder, asked.product)))]


def _promote(folder: Path, asked: argparse.Namespace) -> list[str]:
    product = _found(folder, asked.product)
    return [promote(product, asked.config, asked.station, login_name())]


def compared(one: Product, other: Product) -> list[str]:
    """Return how the elements of two response matrices differ, in standard errors.

    Raises `SessionError`.
    """
    for product in (one, other):
        if "matrix" not in product.numbers:
            raise SessionError(
                f"{product.kind}: has no matrix to compare; wanted two of kind response"
            )
    lines = []
    for observable, row in one.numbers["matrix"].items():
        for actuator, value in row.items():
            theirs = other.numbers["matrix"].get(observable, {}).get(actuator)
            errors = [
                product.numbers["stderr"].get(observable, {}).get(actuator)
                for product in (one, other)
            ]
            if value is None or theirs is None or None in errors:
                continue
            sigma = sigmas_apart(value, theirs, errors)
            word = "  <-- differs" if abs(sigma) > DIFFERS_SIGMA else ""
            lines.append(
                f"{observable:20s} {actuator:22s} {value:12.5g} {theirs:12.5g}  {sigma:+5.1f} "
                f"s.e.{word}"
            )
    return lines


def _list(folder: Path, asked: argparse.Namespace) -> list[str]:
    whole = products_in(folder)
    found = [(path, one) for path, one in whole if asked.kind in (None, one.kind)]
    if not found:
        return [f"no products in {folder}: `magis-calib response` or `magis-calib poke` leave some"]
    lines = []
    for path, one in found:
        lines.append(f"{path.name}  {one.age_days:5.1f} days  {_state(one):7s}  {one.words}")
    broken = sorted(set(folder.glob("*.json")) - {path for path, _ in whole})
    return lines + [
        f"{path.name}  broken: `magis-calib products show {path.name}` tells why" for path in broken
    ]


def _state(product: Product) -> str:
    if product.valid:
        return "valid" if product.checksum else "valid, not proven (no checksum)"
    return product.why_not_valid if product.good else "failed"


def _show(folder: Path, asked: argparse.Namespace) -> list[str]:
    product = read_product(_found(folder, asked.product))
    lines = [
        f"{product.kind} of {product.station}, {utc_moment(product.created_ns)}, "
        f"{product.age_days:.1f} days old",
        product.words,
        "its checksum fits" if product.checksum else "older than checksums: not proven",
        f"drops {product.drops[0]} to {product.drops[1]} of session "
        f"{product.session or '(not recorded)'}",
        "began at "
        + ", ".join(_setpoint(name, value) for name, value in product.operating_point.items()),
    ]
    for observable, row in product.numbers.get("matrix", {}).items():
        errors = product.numbers["stderr"][observable]
        elements = (
            f"{name} {value:.5g} ± {errors[name]:.2g}"
            for name, value in row.items()
            if value is not None
        )
        lines.append(f"{OBSERVABLES[observable].label}: {'; '.join(elements)}")
    return lines


def _setpoint(name: str, value: float) -> str:
    shown = quantity_of(name)
    return f"{shown.label} {shown.shown(value)} {shown.shown_unit}".rstrip()


def _found(folder: Path, name: str) -> Path:
    """Return the product: a path, or the beginning of a name in the folder.

    Raises `SessionError`.
    """
    if Path(name).is_file():
        return Path(name)
    fitting = [path for path in sorted(folder.glob("*.json")) if path.name.startswith(name)]
    if len(fitting) != 1:
        raise SessionError(f"{name}: wanted one product of {folder}, got {len(fitting)}")
    return fitting[0]


DO: dict[str, Callable[[Path, argparse.Namespace], list[str]]] = {
    "list": _list,
    "show": _show,
    "picture": _picture,
    "certificate": _certificate,
    "compare": _compare,
    "promote": _promote,
}
ABOUT = {
    "list": "all products, oldest first, with age and validity",
    "show": "one product",
    "picture": "draw one product beside it, as PNG; print where",
    "certificate": "write the certificate of a finished plan beside it; print where",
    "compare": "two response matrices, element by element",
    "promote": "put a measured matrix in force in a configuration file",
}


def add_options(parser: Parser) -> None:
    """Add what may be done, each with its own options."""
    add_products_dir_option(parser)
    commands = parser.add_subparsers(dest="what", required=True)
    made = {what: commands.add_parser(what, help=words) for what, words in ABOUT.items()}
    made["list"].add_argument("--kind", metavar="KIND", help="only of this procedure")
    for what in made.keys() - {"list"}:
        made[what].add_argument("product", metavar="PRODUCT")
    made["compare"].add_argument("other", metavar="OTHER")
    made["promote"].add_argument(
        "--config", type=Path, required=True, metavar="FILE", help="configuration to change"
    )
    made["promote"].add_argument(
        "--station", metavar="NAME", help="station other than the default one"
    )
