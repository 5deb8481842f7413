"""Draw a fit: data, model and residual side by side, and every parameter below."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from magis_calib.batch.fit_files import FittedFile
from magis_calib.domain.errors import ImageError
from magis_calib.domain.estimate import Value, ViewEstimate
from magis_calib.domain.quantities import Quantity
from magis_calib.estimation.picture import FittedPicture, extent_m, extent_px, fitted_picture
from magis_calib.imaging.address import Address
from magis_calib.imaging.electrons import Electrons

RESIDUAL_SIGMA = 5.0
VERDICT_POINTS, LINE_POINTS = 16.0, 14.0
"""Height of a line of text."""
TEXT_COLUMNS = 3
TEXT_WIDTH = 150


class Plotter:
    """Draws each fit into a file of its own."""

    def __init__(self, path: Path, several: bool) -> None:
        """`several`: the image's name is appended to the file's."""
        self._path = path
        self._several = several
        self._used: set[Path] = set()

    def draw(self, fitted: FittedFile) -> None:
        """Draw one fit. Raises `ImageError` where the file cannot be written."""
        path = self._free(fitted.name)
        try:
            _figure(fitted).savefig(path, dpi=120)
        except OSError as error:
            raise ImageError(
                f"{path}: wanted a file to draw into, got: {error.strerror or error}"
            ) from error

    def _free(self, name: str) -> Path:
        """Return the file for this image; images of one name in several folders are numbered."""
        if not self._several:
            return self._path
        address = Address.parse(name)
        words = (
            self._path.stem,
            address.path.stem,
            address.dataset,
            *(str(at) for at in address.index),
        )
        base = "_".join(re.sub(r"[^\w.+-]+", "_", word).strip("_") for word in words if word)
        path = self._path.with_name(base + self._path.suffix)
        number = 1
        while path in self._used:
            number += 1
            path = self._path.with_name(f"{base}_{number}{self._path.suffix}")
        self._used.add(path)
        return path


def _figure(fitted: FittedFile) -> Figure:
    picture = fitted_picture(fitted.image, fitted.camera, fitted.estimate) or _data_alone(fitted)
    verdict, parameters = _verdict(fitted), _parameters(fitted)
    text_inches = (
        VERDICT_POINTS * len(verdict) + LINE_POINTS * (parameters[0].count("\n") + 3)
    ) / 72.0
    panel_inches = _panel_inches(picture)
    layout = ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.1)
    figure = Figure(figsize=(15, panel_inches + text_inches), layout=layout)
    figure.suptitle(
        f"{fitted.name}    view {fitted.camera.view}    {fitted.camera.model}", fontsize=13
    )
    (above,), (below,) = figure.subfigures(
        2, 1, squeeze=False, height_ratios=(panel_inches, text_inches)
    )
    draw = _draw_profile if 1 in picture.data.shape else _draw_panels
    draw(above, picture, fitted)
    _write(below.subplots(), verdict, parameters)
    return figure


def _panel_inches(picture: FittedPicture) -> float:
    """Return the height for pictures of this shape side by side, with titles and colour bars."""
    left, right, bottom, top = picture.extent_m
    wanted = 4.7 * abs((top - bottom) / (right - left))
    return min(max(wanted, 2.5), 8.0) + 2.0


def _draw_panels(figure: SubFigure, picture: FittedPicture, fitted: FittedFile) -> None:
    extent, unit = _extent(picture, fitted)
    levels = {
        "vmin": float(np.nanmin(picture.data)),
        "vmax": float(np.nanmax(picture.data)),
        "cmap": "viridis",
    }
    sigma = {"vmin": -RESIDUAL_SIGMA, "vmax": RESIDUAL_SIGMA, "cmap": "RdBu_r"}
    light = "electrons per px" if fitted.in_electrons else "value per px"
    panels = (
        ("data", picture.data, levels, light),
        ("fit", picture.fit, levels, light),
        ("residual", picture.residual, sigma, "standard errors"),
    )
    for axes, (title, values, style, label) in zip(
        figure.subplots(1, 3, sharey=True), panels, strict=True
    ):
        image = axes.imshow(values, extent=extent, origin="upper", interpolation="nearest", **style)
        figure.colorbar(
            image,
            ax=axes,
            location="bottom",
            shrink=0.9,
            label=label,
            extend="both" if title == "residual" else "neither",
        )
        axes.set_title(title)
        axes.set_xlabel(f"horizontal ({unit})")
    figure.axes[0].set_ylabel(f"vertical ({unit})")


def _draw_profile(figure: SubFigure, picture: FittedPicture, fitted: FittedFile) -> None:
    (left, right, bottom, top), unit = _extent(picture, fitted)
    across = picture.data.shape[0] == 1
    edges = np.linspace(*((left, right) if across else (top, bottom)), picture.data.size + 1)
    middles = [(low + high) / 2.0 for low, high in pairwise(edges)]
    light, errors = figure.subplots(2, 1, sharex=True, height_ratios=(2.5, 1.0))
    light.plot(middles, picture.data.ravel(), "o", markersize=4, label="data")
    light.plot(middles, picture.fit.ravel(), "-", label="fit")
    light.set_ylabel("electrons per px" if fitted.in_electrons else "value per px")
    light.legend()
    errors.axhline(0.0, color="grey", linewidth=0.8)
    errors.plot(middles, picture.residual.ravel(), "o", markersize=4)
    errors.set_ylim(-RESIDUAL_SIGMA, RESIDUAL_SIGMA)
    errors.set_ylabel("residual\n(standard errors)")
    errors.set_xlabel(f"{'horizontal' if across else 'vertical'} ({unit})")


def _data_alone(fitted: FittedFile) -> FittedPicture:
    """Return the picture of an image that nothing was fitted to."""
    image = fitted.image
    data = image.tiles.electrons / image.tiles.pixels
    nothing = np.full_like(data, np.nan)
    return FittedPicture(data, nothing, nothing, extent_m(image), extent_px(image))


def _extent(
    picture: FittedPicture, fitted: FittedFile
) -> tuple[tuple[float, float, float, float], str]:
    """Return left, right, bottom, top in the positions' unit: mm, or px with rows downwards."""
    if "m" in fitted.units.values():
        left, right, bottom, top = picture.extent_m
        return (left * 1e3, right * 1e3, bottom * 1e3, top * 1e3), "mm"
    return picture.extent_px, "px"


def _verdict(fitted: FittedFile) -> list[str]:
    estimate = fitted.estimate
    reasons = [line for reason in estimate.reasons for line in textwrap.wrap(reason, TEXT_WIDTH)]
    return ["    ".join(_parts(estimate, fitted.image)), *reasons]


def _parts(estimate: ViewEstimate, image: Electrons) -> Iterator[str]:
    if not estimate.parameters:
        yield "no fit"
    if math.isfinite(estimate.chi2_per_dof):
        yield f"χ²/dof {estimate.chi2_per_dof:.2f}"
    if not image.noise_known:
        yield "noise estimated from the image"
    usable = f"usable: {', '.join(estimate.usable_quantities)}"
    yield usable if estimate.usable else "NOT USABLE"


def _parameters(fitted: FittedFile) -> list[str]:
    """Return the text of each column: a line for each parameter, value(error) unit."""
    found = fitted.estimate.parameters
    lines = [_line(name, unit, found.get(name, Value())) for name, unit in fitted.units.items()]
    height = -(-len(lines) // TEXT_COLUMNS)
    return ["\n".join(lines[at : at + height]) for at in range(0, len(lines), height)]


def _line(name: str, unit: str, found: Value) -> str:
    if not math.isfinite(found.value):
        return f"{name:<30} –"
    shown_unit, scale = ("mm", 1e3) if unit == "m" else ("" if unit == "1" else unit, 1.0)
    power = _power_of_ten(found, scale)
    shown = Quantity(name, name, unit, shown_unit, scale / 10.0**power, 4).with_error(
        found.value, found.stderr
    )
    return f"{name:<30} {shown}{f'e{power}' if power else ''} {shown_unit}".rstrip()


def _power_of_ten(found: Value, scale: float) -> int:
    """Return the power of ten to write beside a number; 0 where it reads well without."""
    largest = max(abs(found.value), found.stderr if math.isfinite(found.stderr) else 0.0) * scale
    power = math.floor(math.log10(largest)) if largest > 0 else 0
    return 0 if -3 <= power < 7 else power


def _write(axes: Axes, verdict: list[str], parameters: list[str]) -> None:
    axes.set_axis_off()
    place: dict[str, Any] = {
        "xycoords": "axes fraction",
        "textcoords": "offset points",
        "va": "top",
    }
    axes.annotate("\n".join(verdict), (0.0, 1.0), (0, 0), fontsize=11, **place)
    below = -VERDICT_POINTS * (len(verdict) + 0.6)
    for column, text in enumerate(parameters):
        axes.annotate(
            text,
            (column / TEXT_COLUMNS, 1.0),
            (0, below),
            fontsize=9.5,
            family="monospace",
            **place,
        )
