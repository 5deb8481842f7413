"""Good pictures as a station takes them: a grid of atoms, fringe periods and kinds of noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from magis_calib.benchmark.picture import Truth
from magis_calib.config.station import Camera
from magis_calib.domain.camera import CameraFacts

ELECTRONS_PER_ATOM = 0.9
"""Also where `excess` is 0: the same light, but without the atoms' own shot noise."""
WIDTH_M = 1.2e-3
PORT_M = 7.5e-3
PIXEL_M = 16e-6
FRAME_WIDTHS = 4.5
"""The sensor reaches this many widths beyond the outermost place of a port."""
OFFSET_M = 0.25e-3
WIDTH_SPREAD = 0.05
BACKGROUND = 4.0
SLOPE = 0.15
"""The background changes by up to this much of itself across the frame."""
CROSS_FRINGE = 200.0
"""Up to this much wavevector across the fringe's main direction, rad/m."""
CONTRAST = (0.3, 0.9)

ATOMS = (1e5, 1e6, 1e7)
PERIODS_M = (200e-6, 500e-6, 1e-3, 2e-3)
LONG_PERIOD_M = 5e-3
EXCESSES = (0.0, 0.9)


@dataclass(frozen=True, slots=True)
class Cell:
    """One place of the grid."""

    atoms: float
    """In both ports together."""
    period_m: float
    excess: float

    def in_words(self) -> str:
        """The cell for a person."""
        return f"{self.atoms:.0e} atoms, {self.period_m * 1e3:g} mm, excess {self.excess:g}"


GRID = tuple(
    Cell(atoms, period, excess) for excess in EXCESSES for atoms in ATOMS for period in PERIODS_M
)
LONG = tuple(Cell(atoms, LONG_PERIOD_M, excess) for excess in EXCESSES for atoms in ATOMS)


def small_sensor(excess: float) -> CameraFacts:
    """Return the smallest sensor that holds both ports of every good picture."""
    reach = OFFSET_M + FRAME_WIDTHS * WIDTH_M * (1.0 + WIDTH_SPREAD)
    rows, columns = (2 * math.ceil(half / PIXEL_M) for half in (PORT_M + reach, reach))
    return sensor(rows, columns, PIXEL_M, excess)


def sensor(rows: int, columns: int, pixel_m: float, excess: float) -> CameraFacts:
    """Return a camera of the default station's kind with this many pixels."""
    return CameraFacts(rows, columns, pixel_m, 0.24, 1600.0, 2.4, 65520, 12, 16, excess, "normal")


def draw(rng: np.random.Generator, cell: Cell, facts: CameraFacts) -> Truth:
    """Return a random truth of this cell; the fringe is mainly horizontal, of either sign."""
    right, up = rng.uniform(-OFFSET_M, OFFSET_M, 2).tolist()
    wide, tall = (WIDTH_M * (1.0 + rng.uniform(-WIDTH_SPREAD, WIDTH_SPREAD, 2))).tolist()
    share = rng.uniform(0.45, 0.55)
    electrons = ELECTRONS_PER_ATOM * cell.atoms
    slope_u, slope_v = (
        rng.uniform(-SLOPE, SLOPE, 2)
        * BACKGROUND
        / (np.array([facts.columns, facts.rows]) * facts.object_pixel_m)
    ).tolist()
    kappa = float(rng.choice([-1.0, 1.0])) * 2.0 * math.pi / cell.period_m
    return Truth(
        BACKGROUND,
        slope_u,
        slope_v,
        share * electrons,
        right,
        up + PORT_M,
        (1.0 - share) * electrons,
        right,
        up - PORT_M,
        wide,
        tall,
        kappa,
        rng.uniform(-CROSS_FRINGE, CROSS_FRINGE),
        rng.uniform(*CONTRAST),
        rng.uniform(-math.pi, math.pi),
        (0.0, PORT_M),
        (0.0, -PORT_M),
    )


def camera_for(
    truth: Truth, expected_fringe: tuple[float, float], model: str = "two_port_fringe"
) -> Camera:
    """Return the configuration of a camera that knows the ports' places and the branch."""
    return Camera.model_validate(
        {
            "name": "benchmark",
            "view": "x" if model == "two_port_fringe" else "y",
            "model": model,
            "port_a_displacement_m": truth.displacement_a_m,
            "port_b_displacement_m": truth.displacement_b_m,
            "expected_fringe": expected_fringe,
        }
    )
