"""The pictures that the clock is held to: both views of a drop on the sensors of the station."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from magis_calib.benchmark.blemish import Indices, add_hot_pixels
from magis_calib.benchmark.picture import Truth, photograph
from magis_calib.benchmark.scenes import (
    BACKGROUND,
    ELECTRONS_PER_ATOM,
    OFFSET_M,
    PORT_M,
    WIDTH_M,
    camera_for,
    sensor,
)
from magis_calib.config.station import Camera
from magis_calib.domain.camera import VIEWS, CameraFacts, Counts, View

STREAM = 5
ATOMS = 1e6
EXCESS = 0.9
HOT_FRACTION = 3e-4


@dataclass(frozen=True, slots=True)
class Setup:
    """A sensor and a fringe."""

    name: str
    rows: int
    columns: int
    pixel_m: float
    period_m: float
    repeats_share: float = 1.0
    """Share of the repeats that this setup gets."""


SETUPS = (
    Setup("2 × 6.3 Mpix, 1 mm", 2048, 3072, 16e-6, 1e-3),
    Setup("2 × 6.3 Mpix, 0.2 mm", 2048, 3072, 16e-6, 0.2e-3),
    Setup("2 × 61 Mpix, 1 mm", 6388, 9576, 25e-6, 1e-3, 0.2),
)


@dataclass(frozen=True, slots=True, eq=False)
class ClockedPicture:
    """One view in memory, with its truth and its hot pixels."""

    counts: Counts
    facts: CameraFacts
    camera: Camera
    truth: Truth
    hot: Indices
    """Flat indices."""


def clocked_pair(seed: int, setup: Setup) -> dict[View, ClockedPicture]:
    """Return both views of a drop: view x with the fringe, view y without."""
    facts = sensor(setup.rows, setup.columns, setup.pixel_m, EXCESS)
    up = float(np.random.default_rng([seed, STREAM]).uniform(-OFFSET_M, OFFSET_M))
    return {
        view: _picture(np.random.default_rng([seed, STREAM, number]), setup, facts, view, up)
        for number, view in enumerate(VIEWS)
    }


def _picture(
    rng: np.random.Generator, setup: Setup, facts: CameraFacts, view: View, up: float
) -> ClockedPicture:
    port = 0.5 * ELECTRONS_PER_ATOM * ATOMS
    kappa, contrast = (2.0 * math.pi / setup.period_m, 0.7) if view == "x" else (0.0, 0.0)
    right = rng.uniform(-OFFSET_M, OFFSET_M)
    truth = Truth(
        BACKGROUND,
        0.0,
        0.0,
        port,
        right,
        up + PORT_M,
        port,
        right,
        up - PORT_M,
        WIDTH_M,
        WIDTH_M,
        kappa,
        0.0,
        contrast,
        rng.uniform(-math.pi, math.pi),
    )
    counts = photograph(rng, truth, facts)
    hot = add_hot_pixels(rng, counts, facts, HOT_FRACTION)
    model = "two_port_fringe" if view == "x" else "two_port"
    return ClockedPicture(counts, facts, camera_for(truth, (1.0, 0.0), model), truth, hot)
