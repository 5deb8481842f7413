"""The models `two_port` and `two_port_fringe` (docs/contracts.md).

Electrons in a bin = pixels·(background + gradients) + Σ_p N_p ∫∫ g_u g_v (1 ± C cos θ_p), + for
port a.
"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from magis_calib.config.station import Camera
from magis_calib.domain.camera import CameraFacts
from magis_calib.domain.estimate import Array, Measurement
from magis_calib.estimation.axis import column_of, row_of
from magis_calib.estimation.covariance import sigma_along, sigma_of
from magis_calib.estimation.grid import Grid, image_of, images_of
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
from magis_calib.estimation.port import FRINGE, PORTS, SIGN, WIDTHS, Displacements, Port
from magis_calib.estimation.standard import Standard, branch, positive
from magis_calib.estimation.start.two_port import BACKGROUND, two_port_start
from magis_calib.imaging.electrons import Electrons

LONE_SHARE = 0.1
"""In the loop a lone cloud this near a port's place is that port; in distances of the ports."""
DARK_SIGMA = 3.5
"""Light at the place of a dark port: it may be the rim of a port that the frame cuts."""
LONE_RADIANS, LONG_RADIANS = 3.0, 1.25
"""Less |κ·width| looks like a displaced cloud: where one port shines, where both do."""
LONG_RADIANS_SIGMA = 0.12
"""Beyond this standard error the numbers of a long fringe are no longer scattered like a Gaussian.
"""
APART_SIGMA = 3.0
"""Ports further than this from their nominal displacement may hide a long fringe."""
_PORT_UNITS = {
    name: unit
    for parts in PORTS.values()
    for name, unit in zip(parts, ("e", "m", "m"), strict=True)
}


def displacements_of(camera: Camera) -> Displacements:
    """Return the nominal places of the ports in this camera's view."""
    return {"a": camera.port_a_displacement_m, "b": camera.port_b_displacement_m}


class TwoPort(FitModel):
    """Two clouds of equal widths on a background with gradients, without fringes."""

    name = "two_port"
    parameters: ClassVar = {
        **dict(zip(BACKGROUND, ("e/px", "e/px/m", "e/px/m"), strict=True)),
        **_PORT_UNITS,
        **dict.fromkeys(WIDTHS, "m"),
    }
    quantities: ClassVar = {
        "position": tuple(name for parts in PORTS.values() for name in parts[1:]),
        "atoms": tuple(parts[0] for parts in PORTS.values()),
        "width": WIDTHS,
    }

    def guess(self, image: Electrons, expected: Wavevector | None) -> Start:
        """Return start values from moments, or from a search where these see no whole clouds."""
        return two_port_start(image, displacements_of(self.camera), None)

    def background(self, grid: Grid, values: Parameters) -> Array:
        """Return the electrons of the background alone."""
        level, right, up = (values[name] for name in BACKGROUND)
        tall, wide = grid.sides
        plane = [
            (tall, wide * (level + right * grid.u.middles_m)),
            (tall * (up * grid.v.middles_m), wide),
        ]
        return image_of(plane)

    def signal(self, grid: Grid, values: Parameters) -> Array:
        """Return the electrons of both ports."""
        a, b = self.ports(grid, values)
        return image_of(a.light() + b.light())

    def jacobian(self, grid: Grid, values: Parameters, names: tuple[str, ...]) -> Array:
        """Return the derivatives by each named parameter, (names, bins)."""
        tall, wide = grid.sides
        flat = (
            [(tall, wide)],
            [(tall, wide * grid.u.middles_m)],
            [(tall * grid.v.middles_m, wide)],
        )
        products = dict(zip(BACKGROUND, flat, strict=True))
        with_fringe = any(name in names for name in FRINGE)
        for port in self.ports(grid, values):
            for name, found in port.derivatives(with_fringe).items():
                products[name] = products.get(name, []) + found
        return images_of([products[name] for name in names]).reshape(len(names), -1)

    def ports(self, grid: Grid, values: Parameters) -> tuple[Port, Port]:
        """Return both ports on this grid."""
        places = displacements_of(self.camera)
        a, b = (Port.of(grid, places[name], name, values) for name in SIGN)
        return a, b

    def layout(self, values: Parameters, shape: tuple[int, int], pixel_m: float) -> Layout:
        """Say where the ports are, and how fine the fringe is."""
        rows, columns = shape
        width, height = abs(values[WIDTHS[0]]) / pixel_m, abs(values[WIDTHS[1]]) / pixel_m
        spots = tuple(
            Spot(
                row_of(values[up], rows, pixel_m),
                column_of(values[right], columns, pixel_m),
                height,
                width,
            )
            for _, right, up in PORTS.values()
        )
        wave_rows = values.get(FRINGE[1], 0.0) * pixel_m
        return Layout(spots, wave_rows, values.get(FRINGE[0], 0.0) * pixel_m)

    def complete(self, values: Parameters) -> dict[str, float]:
        """Return all values; a port too faint to be placed is put where the other one says."""
        whole = dict(values)
        places = displacements_of(self.camera)
        for port, other in (("a", "b"), ("b", "a")):
            for way, (name, known) in enumerate(
                zip(PORTS[port][1:], PORTS[other][1:], strict=True)
            ):
                if name not in values and known in values:
                    whole[name] = values[known] + places[port][way] - places[other][way]
        return super().complete(whole)

    def standard_form(
        self, values: dict[str, float], names: tuple[str, ...], expected: Wavevector | None
    ) -> Standard:
        """Return widths >= 0."""
        return positive(values, names, *WIDTHS)

    def measurements(self, facts: CameraFacts) -> tuple[Measurement, ...]:
        """Say what each port tells of the position."""
        places = displacements_of(self.camera)
        told = []
        for port, (_, right, up) in PORTS.items():
            told.append(Measurement("horizontal_m", {right: 1.0}, places[port][0]))
            told.append(Measurement("vertical_m", {up: 1.0}, places[port][1]))
        return tuple(told)

    def doubts(self, fit: Fitted, expected: Wavevector | None) -> list[str]:
        """Doubt which port a lone cloud is, and what a long faint fringe could have made."""
        if fit.absent & set(self.quantities["position"]):
            return self._doubt_lone_port(fit, expected)
        if self._radians(fit) < LONG_RADIANS:
            return [
                f"a fringe of {self._radians(fit):.2f} radians across a width cannot be told from "
                f"displaced ports"
            ]
        if self._radians_sigma(fit) > LONG_RADIANS_SIGMA:
            return [
                "a long fringe is there, but it is not sure how long: it hides among position and "
                "width"
            ]
        return self._doubt_distance(fit) if self._may_hide_fringe(fit) else []

    def _doubt_lone_port(self, fit: Fitted, expected: Wavevector | None) -> list[str]:
        """Offline the other port may lie outside the frame.

        In the loop the cloud is near its target.
        """
        places = displacements_of(self.camera)
        lone = [name for name, parts in PORTS.items() if not fit.absent & set(parts[1:])]
        if not lone:
            return ["no cloud: neither port stands out"]
        if expected is None:
            return ["one port alone: it may be either of the two"]
        port = lone[0]
        away = math.dist((fit.values[PORTS[port][1]], fit.values[PORTS[port][2]]), places[port])
        if not away <= LONE_SHARE * math.dist(places["a"], places["b"]):
            return [
                f"one port alone, {away * 1e3:.1f} mm from the place of port {port}: it may be "
                f"either of the two"
            ]
        dark = PORTS["b" if port == "a" else "a"][0]
        if dark in fit.names and (doubts := _doubt_darkness(fit, dark)):
            return doubts
        hidden = "one port alone cannot tell a long fringe from a displaced cloud"
        return [hidden] if self._may_hide_fringe(fit) or self._radians(fit) < LONE_RADIANS else []

    def _radians(self, fit: Fitted) -> float:
        """Return the fringe's phase across a width; infinite without a fringe."""
        if self.fringe is None or self.fringe.phase in fit.absent:
            return math.inf
        pairs = zip(FRINGE[:2], WIDTHS, strict=True)
        return math.hypot(*(fit.values[kappa] * fit.values[width] for kappa, width in pairs))

    def _radians_sigma(self, fit: Fitted) -> float:
        """Return the standard error of a long fringe's phase across a width; 0 for others."""
        radians = self._radians(fit)
        if not 0 < radians < LONE_RADIANS or not set(FRINGE[:2]) <= set(fit.names):
            return 0.0
        slope = np.array(
            [fit.values[FRINGE[way]] * fit.values[WIDTHS[way]] ** 2 / radians for way in (0, 1)]
        )
        return sigma_along(fit, FRINGE[:2], slope)

    def _doubt_distance(self, fit: Fitted) -> list[str]:
        places = displacements_of(self.camera)
        for way, (one, other) in enumerate(zip(PORTS["a"][1:], PORTS["b"][1:], strict=True)):
            if not {one, other} <= set(fit.names):
                continue
            away = fit.values[one] - fit.values[other] - (places["a"][way] - places["b"][way])
            sigma = sigma_along(fit, (one, other), np.array([1.0, -1.0]))
            if not abs(away) <= APART_SIGMA * sigma:
                return [
                    f"no fringe, but the ports are {away * 1e6:.1f} µm further apart than they "
                    f"should be ({abs(away) / sigma:.1f} standard errors): a long fringe?"
                ]
        return []

    def _may_hide_fringe(self, fit: Fitted) -> bool:
        return self.fringe is not None and self.fringe.phase in fit.absent


def _doubt_darkness(fit: Fitted, dark: str) -> list[str]:
    """Doubt that a port is dark whose light stands out of its error."""
    light = fit.values[dark]
    sigma = sigma_of(fit, dark)
    words = f"one port alone, but the other is not dark: {light / sigma:.1f} standard errors"
    return [] if abs(light) <= DARK_SIGMA * sigma else [words]


class TwoPortFringe(TwoPort):
    """Two clouds with fringes in antiphase."""

    name = "two_port_fringe"
    parameters: ClassVar = {
        **TwoPort.parameters,
        **dict(zip(FRINGE, ("rad/m", "rad/m", "1", "rad"), strict=True)),
    }
    quantities: ClassVar = {
        **TwoPort.quantities,
        "fringe": FRINGE[:2],
        "contrast": FRINGE[2:3],
        "phase": FRINGE[3:],
    }
    fringe = Fringe(*FRINGE)

    def guess(self, image: Electrons, expected: Wavevector | None) -> Start:
        """Return start values; without a fringe the parameters of the fringe are absent."""
        return two_port_start(image, displacements_of(self.camera), self.fringe, expected)

    def standard_form(
        self, values: dict[str, float], names: tuple[str, ...], expected: Wavevector | None
    ) -> Standard:
        """Return widths and contrast >= 0, the branch chosen, the phase wrapped."""
        values, first = positive(values, names, *WIDTHS)
        values, second = branch(
            values, names, Fringe(*FRINGE), expected, self.camera.expected_fringe
        )
        return values, second @ first

    def measurements(self, facts: CameraFacts) -> tuple[Measurement, ...]:
        """Say what the ports tell of the position, and the fringe of wavevector and phase."""
        return (
            *super().measurements(facts),
            Measurement("fringe_horizontal_rad_per_m", {FRINGE[0]: 1.0}),
            Measurement("fringe_vertical_rad_per_m", {FRINGE[1]: 1.0}),
            Measurement("phase_rad", {"phase_rad": 1.0}),
        )
