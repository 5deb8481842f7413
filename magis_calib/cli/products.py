"""`magis-calib products`: what procedures found: list, show, draw, certify, compare, promote into a
configuration.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from magis_calib.cli.options import default_products_dir
from magis_calib.domain.errors import ConfigError, SessionError
from magis_calib.domain.quantities import OBSERVABLES, quantity_of, utc_moment
from magis_calib.host.user import login_name
from magis_calib.products.promotion import promote
from magis_calib.products.store import Product, products_in, read_product
from magis_calib.state.matrix import DIFFERS_SIGMA, sigmas_apart


def main(argv: Sequence[str]) -> int:
    """Do one of these. Exit 0, or 2 where a product or configuration cannot be used."""
    arguments = _parser().parse_args(argv)
    folder = (arguments.products_dir or default_products_dir()).absolute()
    try:
        if arguments.what == "list":
            _list(folder, arguments.kind)
        elif arguments.what == "show":
            print("\n".join(_shown(read_product(_found(folder, arguments.product)))))
        elif arguments.what == "compare":
            one, other = (
                read_product(_found(folder, name)) for name in (arguments.product, arguments.other)
            )
            print("\n".join(compared(one, other)))
        elif arguments.what == "picture":
            from magis_calib.figures.product import (
                write_picture,
            )  # matplotlib takes half a second to load

            print(write_picture(_found(folder, arguments.product)) or "nothing to draw")
        elif arguments.what == "certificate":
            from magis_calib.figures.certificate import write_page  # and so does this

            print(write_page(_found(folder, arguments.product)))
        else:
            print(
                promote(
                    _found(folder, arguments.product),
                    arguments.config,
                    arguments.station,
                    login_name(),
                )
            )
    except (SessionError, ConfigError, OSError) as error:
        print(f"magis-calib products: {error}", file=sys.stderr)
        return 2
    return 0


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


def _list(folder: Path, kind: str | None) -> None:
    whole = products_in(folder)
    found = [(path, one) for path, one in whole if kind in (None, one.kind)]
    for path, one in found:
        state = "valid" if one.valid else "failed" if not one.good else "too old"
        print(f"{path.name}  {one.age_days:5.1f} days  {state:7s}  {one.words}")
    for path in sorted(set(folder.glob("*.json")) - {path for path, _ in whole}):
        print(f"{path.name}  broken: `magis-calib products show {path.name}` tells why")
    if not found:
        print(f"no products in {folder}: `magis-calib response` or `magis-calib poke` leave some")


def _shown(product: Product) -> list[str]:
    lines = [
        f"{product.kind} of {product.station}, {utc_moment(product.created_ns)}, "
        f"{product.age_days:.1f} days old",
        product.words,
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="magis-calib products", description=__doc__)
    parser.add_argument(
        "--products-dir",
        type=Path,
        metavar="DIR",
        help=f"folder of products (default {default_products_dir()})",
    )
    commands = parser.add_subparsers(dest="what", required=True)
    listed = commands.add_parser("list", help="all products, oldest first, with age and validity")
    listed.add_argument("--kind", metavar="KIND", help="only of this procedure")
    commands.add_parser("show", help="one product").add_argument("product", metavar="PRODUCT")
    drawing = commands.add_parser("picture", help="draw one product beside it, as PNG; print where")
    drawing.add_argument("product", metavar="PRODUCT")
    paper = commands.add_parser(
        "certificate", help="write the certificate of a finished plan beside it; print where"
    )
    paper.add_argument("product", metavar="PRODUCT")
    comparing = commands.add_parser("compare", help="two response matrices, element by element")
    comparing.add_argument("product", metavar="PRODUCT")
    comparing.add_argument("other", metavar="OTHER")
    promoting = commands.add_parser(
        "promote", help="put a measured matrix in force in a configuration file"
    )
    promoting.add_argument("product", metavar="PRODUCT")
    promoting.add_argument(
        "--config", type=Path, required=True, metavar="FILE", help="configuration to change"
    )
    promoting.add_argument("--station", metavar="NAME", help="station other than the default one")
    return parser
