"""The model against a brute-force sum over fine points, and its Jacobian against differences of
itself.
"""

from __future__ import annotations

import numpy as np
import pytest

from magis_calib.config.station import Camera
from magis_calib.estimation.grid import Grid
from magis_calib.estimation.two_port import TwoPortFringe

PIXEL_M = 64e-6
SHAPE = (300, 200)
VALUES = {
    "background_electrons_per_px": 3.0,
    "background_gradient_horizontal": 40.0,
    "background_gradient_vertical": -20.0,
    "port_a_electrons": 2e5,
    "port_a_horizontal_m": 3e-4,
    "port_a_vertical_m": 5.2e-3,
    "port_b_electrons": 3e5,
    "port_b_horizontal_m": 2e-4,
    "port_b_vertical_m": -4.9e-3,
    "width_horizontal_m": 0.9e-3,
    "width_vertical_m": 1.1e-3,
    "fringe_horizontal_rad_per_m": 5000.0,
    "fringe_vertical_rad_per_m": -1500.0,
    "contrast": 0.6,
    "phase_rad": 2.1,
}
NAMES = tuple(TwoPortFringe.parameters)
DISPLACEMENTS = {"a": (1e-4, 5e-3), "b": (0.0, -5e-3)}


def model() -> tuple[TwoPortFringe, Grid]:
    rows = np.array([*range(0, 300, 3), 300], dtype=np.intp)
    columns = np.array([*range(0, 200, 2), 200], dtype=np.intp)
    camera = Camera(
        name="LM1",
        view="x",
        model="two_port_fringe",
        port_a_displacement_m=DISPLACEMENTS["a"],
        port_b_displacement_m=DISPLACEMENTS["b"],
    )
    return TwoPortFringe(camera), Grid(rows, columns, SHAPE, PIXEL_M)


def brute_force(fine: int = 8) -> np.ndarray:
    """Electrons per pixel from the definition in docs/contracts.md, summed over `fine`² points of
    each pixel.
    """
    rows, columns = SHAPE
    sub = (np.arange(fine) + 0.5) / fine - 0.5
    column = (np.arange(columns)[:, None] + sub).ravel()
    row = (np.arange(rows)[:, None] + sub).ravel()
    u, v = np.meshgrid((column - (columns - 1) / 2) * PIXEL_M, ((rows - 1) / 2 - row) * PIXEL_M)
    p = VALUES
    density = p["background_electrons_per_px"] + p["background_gradient_horizontal"] * u
    density = (density + p["background_gradient_vertical"] * v) / PIXEL_M**2
    for port, sign in (("a", 1), ("b", -1)):
        du, dv = u - p[f"port_{port}_horizontal_m"], v - p[f"port_{port}_vertical_m"]
        su, sv = p["width_horizontal_m"], p["width_vertical_m"]
        envelope = np.exp(-0.5 * (du / su) ** 2 - 0.5 * (dv / sv) ** 2) / (2 * np.pi * su * sv)
        right, up = DISPLACEMENTS[port]
        theta = p["phase_rad"] + p["fringe_horizontal_rad_per_m"] * (u - right)
        theta = theta + p["fringe_vertical_rad_per_m"] * (v - up)
        density = density + p[f"port_{port}_electrons"] * envelope * (
            1 + sign * p["contrast"] * np.cos(theta)
        )
    cell = (PIXEL_M / fine) ** 2
    return density.reshape(rows, fine, columns, fine).sum(axis=(1, 3)) * cell


def test_the_image_is_the_integral_of_the_definition_over_each_bin() -> None:
    image, grid = model()
    wanted = np.add.reduceat(
        np.add.reduceat(brute_force(), grid.row_edges[:-1], axis=0), grid.column_edges[:-1], axis=1
    )
    got = image.background(grid, VALUES) + image.signal(grid, VALUES)
    assert got == pytest.approx(wanted, abs=2e-3 * wanted.max() ** 0.5)
    assert got.sum() == pytest.approx(wanted.sum(), rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_the_jacobian_is_the_derivative_of_the_image(name: str) -> None:
    image, grid = model()
    scale = {
        "electrons": 1.0,
        "_m": 1e-7,
        "rad_per_m": 0.1,
        "contrast": 1e-4,
        "phase": 1e-4,
        "gradient": 1.0,
    }
    step = next(size for word, size in scale.items() if word in name)
    up, down = ({**VALUES, name: VALUES[name] + sign * step} for sign in (1, -1))
    total = [image.background(grid, values) + image.signal(grid, values) for values in (up, down)]
    wanted = ((total[0] - total[1]) / (2 * step)).ravel()
    got = image.jacobian(grid, VALUES, NAMES)[NAMES.index(name)]
    assert got == pytest.approx(wanted, abs=1e-4 * np.abs(wanted).max())
