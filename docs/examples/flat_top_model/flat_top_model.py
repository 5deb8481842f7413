"""The fit model `flat_top`: two clouds whose profile is flatter (or more pointed) than a Gaussian.

Electrons per area of a port = N / A · exp(-½ s^p) with
s = (u - u0)²/width_horizontal² + (v - v0)²/width_vertical²,
p the flatness (1: a Gaussian) and
A = π·width_horizontal·width_vertical·2^(1/p)·Γ(1 + 1/p), so that N is the integral.
"""

import math
from typing import ClassVar

import numpy as np

from magis_calib.domain.errors import FitError
from magis_calib.domain.estimate import Measurement
from magis_calib.estimation.model import FitModel, Layout, Spot, Start
from magis_calib.estimation.standard import positive
from magis_calib.estimation.two_port import TwoPort

PORTS = {
    port: (f"port_{port}_electrons", f"port_{port}_horizontal_m", f"port_{port}_vertical_m")
    for port in "ab"
}
WIDTHS = ("width_horizontal_m", "width_vertical_m")


class FlatTop(FitModel):
    """Two super-Gaussian clouds of equal widths and flatness on an even background, no fringes."""

    name = "flat_top"
    parameters: ClassVar = {
        "background_electrons_per_px": "e/px",
        **dict(zip(PORTS["a"], ("e", "m", "m"), strict=True)),
        **dict(zip(PORTS["b"], ("e", "m", "m"), strict=True)),
        **dict.fromkeys(WIDTHS, "m"),
        "flatness": "1",
    }
    quantities: ClassVar = {
        "position": (*PORTS["a"][1:], *PORTS["b"][1:]),
        "atoms": (PORTS["a"][0], PORTS["b"][0]),
        "width": WIDTHS,
        "flatness": ("flatness",),
    }

    def guess(self, image, expected):
        """Start from the moments that `two_port` starts from, as a Gaussian."""
        start = TwoPort(self.camera).guess(image, expected)
        if start.absent:
            raise FitError(f"flat_top needs both ports: {'; '.join(start.reasons)}")
        return Start(
            {name: start.values.get(name, 1.0) for name in self.parameters}, checks=start.checks
        )

    def background(self, grid, values):
        """Return the electrons of stray light in each bin."""
        return values["background_electrons_per_px"] * grid.pixels

    def signal(self, grid, values):
        """Return the electrons of both clouds in each bin."""
        rows, columns = grid.shape
        power = values["flatness"]
        right, up = (values[name] for name in WIDTHS)
        area = math.pi * right * up * 2 ** (1 / power) * math.gamma(1 + 1 / power)

        def per_pixel(row, column):
            u = (column - (columns - 1) / 2) * grid.pixel_m
            v = ((rows - 1) / 2 - row) * grid.pixel_m
            light = 0.0
            for names in PORTS.values():
                electrons, u0, v0 = (values[name] for name in names)
                s = ((u - u0) / right) ** 2 + ((v - v0) / up) ** 2
                light = light + electrons / area * np.exp(-0.5 * s**power)
            return light * grid.pixel_m**2

        return grid.integrate(per_pixel)

    def layout(self, values, shape, pixel_m):
        """Say where the clouds are: there the bins are fine."""
        rows, columns = shape
        right, up = (abs(values[name]) / pixel_m for name in WIDTHS)
        spots = (
            Spot(
                (rows - 1) / 2 - values[v] / pixel_m,
                (columns - 1) / 2 + values[u] / pixel_m,
                up,
                right,
            )
            for _, u, v in PORTS.values()
        )
        return Layout(tuple(spots))

    def standard_form(self, values, names, expected):
        """Return widths above 0: only their squares count."""
        return positive(values, names, *WIDTHS)

    def measurements(self, facts):
        """Tell the loop the position: of each port, less the place where it should be."""
        told = []
        places = (self.camera.port_a_displacement_m, self.camera.port_b_displacement_m)
        for (_, u, v), (right, up) in zip(PORTS.values(), places, strict=True):
            told += [
                Measurement("horizontal_m", {u: 1.0}, right),
                Measurement("vertical_m", {v: 1.0}, up),
            ]
        return tuple(told)
