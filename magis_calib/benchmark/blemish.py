"""What spoils real pictures: hot pixels, tracks of cosmic rays, dead pixels.

Each changes the counts in place.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from magis_calib.domain.camera import CameraFacts, Counts

HOT_ELECTRONS = 4000.0
TRACK_PX = (3, 30)
TRACK_ELECTRONS = (500.0, 20_000.0)

Indices = npt.NDArray[np.int64]


def add_hot_pixels(
    rng: np.random.Generator, counts: Counts, facts: CameraFacts, fraction: float
) -> Indices:
    """Add exponential charge of mean 4000 electrons to this fraction of the pixels.

    Return their flat indices.
    """
    at = _some_of(rng, counts, fraction)
    _add(counts, at, rng.exponential(HOT_ELECTRONS, at.size), facts)
    return at


def add_tracks(rng: np.random.Generator, counts: Counts, facts: CameraFacts, number: int) -> None:
    """Add straight tracks of 3 to 30 pixels, each of 500 to 20 000 electrons in all."""
    rows, columns = counts.shape
    for _ in range(number):
        length = int(rng.integers(*TRACK_PX, endpoint=True))
        angle = rng.uniform(0.0, math.pi)
        steps = np.arange(length)
        row = np.rint(rng.uniform(0, rows) + steps * math.sin(angle)).astype(np.int64)
        column = np.rint(rng.uniform(0, columns) + steps * math.cos(angle)).astype(np.int64)
        inside = (row < rows) & (column >= 0) & (column < columns)
        charge = np.exp(rng.uniform(*np.log(TRACK_ELECTRONS))) / length
        _add(counts, (row * columns + column)[inside], np.full(int(inside.sum()), charge), facts)


def kill_pixels(
    rng: np.random.Generator, counts: Counts, facts: CameraFacts, fraction: float
) -> None:
    """Let this fraction of the pixels say the offset, whatever light they get."""
    at = _some_of(rng, counts, fraction)
    counts.reshape(-1)[at] = np.uint16(facts.offset)


def _some_of(rng: np.random.Generator, counts: Counts, fraction: float) -> Indices:
    """Return flat indices of this fraction of the pixels, none twice."""
    number = round(fraction * counts.size)
    return rng.choice(counts.size, number, replace=False, shuffle=False)


def _add(
    counts: Counts, at: Indices, electrons: npt.NDArray[np.float64], facts: CameraFacts
) -> None:
    steps = np.rint(electrons / (facts.gain * facts.lsb_counts)).astype(np.int64)
    flat = counts.reshape(-1)
    flat[at] = np.minimum(flat[at] + steps * facts.lsb_counts, facts.saturation)
