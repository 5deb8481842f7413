"""The models `gaussian` and `gaussian_fringe`: one rotated cloud on a background plane, in px.

Electrons per px = background + gradients·(column, row) + amplitude·exp(-½ q)·(1 + C cos θ), q the
squared distance in widths, θ = phase + κ·(column, row); phase and background are those at pixel (0,
0). Rows count downwards.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

import numpy as np

from magis_calib.domain.camera import CameraFacts
from magis_calib.domain.estimate import Array, Measurement
from magis_calib.estimation.covariance import sigma_of
from magis_calib.estimation.grid import Grid
from magis_calib.estimation.model import (
    FitModel,
    Fitted,
    Fringe,
    Layout,
    Parameters,
    Spot,
    Start,
    Wavevector,
)
from magis_calib.estimation.standard import Standard, branch, positive
from magis_calib.estimation.start.cloud import NO_CLOUD_SIGMA
from magis_calib.estimation.start.gaussian import ENDLESS_PX, PLANE, gaussian_start
from magis_calib.imaging.electrons import Electrons

SIGMAS = ("sigma_major_px", "sigma_minor_px")
FRINGE = Fringe("fringe_horizontal_rad_per_px", "fringe_vertical_rad_per_px")


class Gaussian(FitModel):
    """A rotated two-dimensional Gaussian on a background plane."""

    name = "gaussian"
    edge_widths = 1.5
    parameters: ClassVar = {
        "amplitude": "e/px",
        "horizontal_px": "px",
        "vertical_px": "px",
        "sigma_major_px": "px",
        "sigma_minor_px": "px",
        "angle_rad": "rad",
        PLANE[0]: "e/px",
        PLANE[1]: "e/px/px",
        PLANE[2]: "e/px/px",
    }
    quantities: ClassVar = {
        "position": ("horizontal_px", "vertical_px"),
        "amplitude": ("amplitude",),
        "width": SIGMAS,
    }

    def guess(self, image: Electrons, expected: Wavevector | None) -> Start:
        """Return start values from the brightest cloud.

        What a profile of one row cannot tell is absent.
        """
        return gaussian_start(image, self.fringe, self.parameters)

    def background(self, grid: Grid, values: Parameters) -> Array:
        """Return the electrons of the background plane."""
        level, right, down = (values[name] for name in PLANE)
        plane: Array = level + right * grid.columns + down * grid.rows
        return plane * grid.pixels

    def signal(self, grid: Grid, values: Parameters) -> Array:
        """Return the electrons of the cloud."""
        return grid.integrate(lambda row, column: _Shape(row, column, values).light())

    def jacobian(self, grid: Grid, values: Parameters, names: tuple[str, ...]) -> Array:
        """Return the derivatives by each named parameter, (names, bins)."""
        flat = {
            PLANE[0]: grid.pixels,
            PLANE[1]: grid.pixels * grid.columns,
            PLANE[2]: grid.pixels * grid.rows,
        }
        return np.stack([self._column(name, values, grid, flat).ravel() for name in names])

    @staticmethod
    def _column(name: str, values: Parameters, grid: Grid, flat: Mapping[str, Array]) -> Array:
        """Return the derivative of every bin by one parameter."""
        if name in flat:
            return flat[name]
        return grid.integrate(lambda row, column: _Shape(row, column, values).by(name))

    def layout(self, values: Parameters, shape: tuple[int, int], pixel_m: float) -> Layout:
        """Say where the cloud is; bins must resolve it along its narrowest section."""
        cosine, sine = math.cos(values["angle_rad"]), math.sin(values["angle_rad"])
        major, minor = (values[name] for name in SIGMAS)
        across = math.hypot(cosine / major, sine / minor) ** -1
        down = math.hypot(sine / major, cosine / minor) ** -1
        spot = Spot(values["vertical_px"], values["horizontal_px"], down, across)
        return Layout((spot,), values.get(FRINGE.vertical, 0.0), values.get(FRINGE.horizontal, 0.0))

    def complete(self, values: Parameters) -> dict[str, float]:
        """Return all values; across a profile of one row the light is everywhere the same."""
        angle = 0.0 if "horizontal_px" in values else math.pi / 2.0
        return super().complete({SIGMAS[1]: ENDLESS_PX, "angle_rad": angle, **values})

    def standard_form(
        self, values: dict[str, float], names: tuple[str, ...], expected: Wavevector | None
    ) -> Standard:
        """Return widths > 0, the major one larger, the angle of the major axis in (-π/2, π/2]."""
        values, turn = positive(values, names, *SIGMAS)
        if set(SIGMAS) <= set(names) and values[SIGMAS[0]] < values[SIGMAS[1]]:
            values[SIGMAS[0]], values[SIGMAS[1]] = values[SIGMAS[1]], values[SIGMAS[0]]
            values["angle_rad"] += math.pi / 2.0
            turn = _swap(names) @ turn
        values["angle_rad"] = math.pi / 2.0 - (math.pi / 2.0 - values["angle_rad"]) % math.pi
        return values, turn

    def doubts(self, fit: Fitted, expected: Wavevector | None) -> list[str]:
        """Doubt a cloud that does not stand out of its own error."""
        if "amplitude" not in fit.names:
            return []
        score = fit.values["amplitude"] / sigma_of(fit, "amplitude")
        return [] if score > NO_CLOUD_SIGMA else [f"no cloud: {score:.1f} standard errors"]

    def measurements(self, facts: CameraFacts) -> tuple[Measurement, ...]:
        """Say where the cloud is in the object plane: right and up from the middle of the image."""
        a = facts.object_pixel_m
        return (
            Measurement("horizontal_m", {"horizontal_px": a}, (facts.columns - 1) / 2.0 * a),
            Measurement("vertical_m", {"vertical_px": -a}, -(facts.rows - 1) / 2.0 * a),
        )


def _swap(names: tuple[str, ...]) -> Array:
    """Return the matrix that exchanges the two widths."""
    swap = np.eye(len(names))
    at = [names.index(name) for name in SIGMAS]
    swap[at] = swap[at[::-1]]
    return swap


class GaussianFringe(Gaussian):
    """A rotated Gaussian that carries a fringe."""

    name = "gaussian_fringe"
    parameters: ClassVar = {
        **Gaussian.parameters,
        "contrast": "1",
        "phase_rad": "rad",
        FRINGE.horizontal: "rad/px",
        FRINGE.vertical: "rad/px",
    }
    quantities: ClassVar = {
        **Gaussian.quantities,
        "fringe": FRINGE.names[:2],
        "contrast": ("contrast",),
        "phase": ("phase_rad",),
    }
    fringe = FRINGE

    def standard_form(
        self, values: dict[str, float], names: tuple[str, ...], expected: Wavevector | None
    ) -> Standard:
        """Return the standard Gaussian, contrast >= 0, the branch chosen, the phase wrapped."""
        values, first = super().standard_form(values, names, expected)
        seen = (expected[0], -expected[1]) if expected else None
        values, second = branch(values, names, FRINGE, seen, self.camera.expected_fringe)
        return values, second @ first

    def measurements(self, facts: CameraFacts) -> tuple[Measurement, ...]:
        """Add the wavevector, and the phase at the middle of the image."""
        per_m = 1.0 / facts.object_pixel_m
        middle = {
            FRINGE.horizontal: (facts.columns - 1) / 2.0,
            FRINGE.vertical: (facts.rows - 1) / 2.0,
        }
        return (
            *super().measurements(facts),
            Measurement("fringe_horizontal_rad_per_m", {FRINGE.horizontal: per_m}),
            Measurement("fringe_vertical_rad_per_m", {FRINGE.vertical: -per_m}),
            Measurement("phase_rad", {"phase_rad": 1.0, **middle}),
        )


class _Shape:
    """The light per pixel at some rows and columns, and its derivatives."""

    def __init__(self, row: Array, column: Array, values: Parameters) -> None:
        self.row = row
        self.column = column
        self.values = values
        self.cosine = math.cos(values["angle_rad"])
        self.sine = math.sin(values["angle_rad"])
        right, down = column - values["horizontal_px"], row - values["vertical_px"]
        self.major = values["sigma_major_px"]
        self.minor = values["sigma_minor_px"]
        self.along = right * self.cosine + down * self.sine
        self.beside = down * self.cosine - right * self.sine
        self.envelope = np.exp(
            -0.5 * ((self.along / self.major) ** 2 + (self.beside / self.minor) ** 2)
        )
        self.contrast = values.get("contrast", 0.0)
        self.wave = 1.0 + self.contrast * np.cos(self.theta) if self.contrast else 1.0

    @cached_property
    def theta(self) -> Array:
        """Phase of the fringe (rad)."""
        found: Array = (
            self.values.get("phase_rad", 0.0)
            + self.values.get(FRINGE.horizontal, 0.0) * self.column
            + self.values.get(FRINGE.vertical, 0.0) * self.row
        )
        return found

    def light(self) -> Array:
        """Return the light per pixel."""
        found: Array = self.values["amplitude"] * self.envelope * self.wave
        return found

    def by(self, name: str) -> Array:
        """Return the derivative by one parameter."""
        light = self.light()
        along, beside = self.along / self.major**2, self.beside / self.minor**2
        if name in FRINGE.names:
            return self._by_fringe(name)
        factor: dict[str, Array | float] = {
            "amplitude": 1.0 / self.values["amplitude"] if self.values["amplitude"] else 0.0,
            "horizontal_px": along * self.cosine - beside * self.sine,
            "vertical_px": along * self.sine + beside * self.cosine,
            "sigma_major_px": self.along**2 / self.major**3,
            "sigma_minor_px": self.beside**2 / self.minor**3,
            "angle_rad": self.along * self.beside * (self.minor**-2 - self.major**-2),
        }
        return light * factor[name]

    def _by_fringe(self, name: str) -> Array:
        bright = self.values["amplitude"] * self.envelope
        if name == "contrast":
            return bright * np.cos(self.theta)
        slope: Array = -bright * self.contrast * np.sin(self.theta)
        if name == FRINGE.phase:
            return slope
        across: Array = self.column if name == FRINGE.horizontal else self.row
        return slope * across
