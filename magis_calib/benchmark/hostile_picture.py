"""Hostile pictures with known answers: several ingredients at once, each with a probability."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from magis_calib.benchmark.blemish import add_hot_pixels, add_tracks, kill_pixels
from magis_calib.benchmark.picture import Truth, photograph
from magis_calib.benchmark.scenes import ELECTRONS_PER_ATOM, camera_for
from magis_calib.config.station import Camera
from magis_calib.domain.camera import CameraFacts, Counts
from magis_calib.domain.estimate import Array

STREAM = 2
RESPONSE_SPREAD = 0.006


@dataclass(frozen=True, eq=False)
class HostilePicture:
    """One picture with everything that is known about it."""

    index: int
    counts: Counts
    truth: Truth
    facts: CameraFacts
    camera: Camera
    ingredients: tuple[str, ...]
    saturated: bool
    """Before hot pixels and tracks: light reaches saturation."""


@dataclass(eq=False)
class _Kitchen:
    """Draws ingredients and remembers which ones went in."""

    rng: np.random.Generator
    used: list[str] = field(default_factory=list)

    def adds(self, name: str, probability: float) -> bool:
        if self.rng.random() >= probability:
            return False
        self.used.append(name)
        return True

    def log_uniform(self, low: float, high: float) -> float:
        return math.exp(self.rng.uniform(math.log(low), math.log(high)))


def hostile_picture(seed: int, index: int) -> HostilePicture:
    """Return the hostile picture of this seed and index."""
    kitchen = _Kitchen(np.random.default_rng([seed, STREAM, index]))
    facts = _facts(kitchen)
    truth = _fringe(kitchen, _cloud(kitchen, facts), facts)
    facts = _saturation(kitchen, facts, truth)
    spread = RESPONSE_SPREAD if kitchen.adds("uneven response", 0.5) else 0.0
    counts = photograph(kitchen.rng, truth, facts, spread)
    saturated = bool(np.any(counts >= facts.saturation))
    _spoil(kitchen, counts, facts)
    return HostilePicture(
        index, counts, truth, facts, _camera(kitchen, truth), tuple(kitchen.used), saturated
    )


def _facts(kitchen: _Kitchen) -> CameraFacts:
    rng = kitchen.rng
    rows, columns = int(rng.integers(400, 1401)), int(rng.integers(600, 901))
    pixel_m = float(rng.choice([16e-6, 32e-6, 64e-6]))
    excess = 0.9 if kitchen.adds("atoms of 0.9 electrons", 0.5) else 0.0
    return CameraFacts(rows, columns, pixel_m, 0.24, 1600.0, 2.4, 65520, 12, 16, excess, "normal")


def _cloud(kitchen: _Kitchen, facts: CameraFacts) -> Truth:
    rng = kitchen.rng
    shorter = min(facts.rows, facts.columns)
    frame = np.array([facts.columns, facts.rows]) * facts.object_pixel_m
    width = kitchen.log_uniform(8.0, shorter / 4.0)
    other = float(np.clip(width * 2.0 ** rng.uniform(-1.0, 1.0), 8.0, shorter / 4.0))
    up = rng.uniform(0.15, 0.3) * float(frame[1])
    sideways = kitchen.adds("ports displaced sideways", 0.2)
    right = rng.uniform(-0.1, 0.1) * float(frame[0]) if sideways else 0.0
    centre_u, centre_v = _centre(kitchen, frame)
    electrons, share = _light(kitchen)
    level, slope_u, slope_v = _background(kitchen, frame)
    pixel_m = facts.object_pixel_m
    return Truth(
        level,
        slope_u,
        slope_v,
        share * electrons,
        centre_u + right,
        centre_v + up,
        (1.0 - share) * electrons,
        centre_u - right,
        centre_v - up,
        width * pixel_m,
        other * pixel_m,
        *(0.0, 0.0, 0.0, 0.0),
        (right, up),
        (-right, -up),
    )


def _centre(kitchen: _Kitchen, frame: Array) -> tuple[float, float]:
    """Return where the middle between the ports is (m)."""
    centre = kitchen.rng.normal(0.0, 0.03, 2) * frame
    if kitchen.adds("cloud near the edge", 0.2):
        axis = int(kitchen.rng.integers(2))
        centre[axis] = kitchen.rng.uniform(-0.6, 0.6) * frame[axis]
    return float(centre[0]), float(centre[1])


def _light(kitchen: _Kitchen) -> tuple[float, float]:
    """Return the electrons of both ports together, and the share of port a."""
    atoms = 0.0 if kitchen.adds("no cloud", 0.05) else kitchen.log_uniform(1e4, 1e7)
    lone = kitchen.adds("one port only", 0.15)
    share = float(kitchen.rng.choice([0.0, 1.0])) if lone else kitchen.rng.uniform(0.25, 0.75)
    return ELECTRONS_PER_ATOM * atoms, share


def _background(kitchen: _Kitchen, frame: Array) -> tuple[float, float, float]:
    """Return electrons per pixel, and their slopes to the right and up (per m)."""
    level = kitchen.log_uniform(1.0, 20.0)
    steepest = 0.3 if kitchen.adds("background gradient", 0.5) else 0.0
    slope_u, slope_v = (kitchen.rng.uniform(-steepest, steepest, 2) * level / frame).tolist()
    return level, slope_u, slope_v


def _fringe(kitchen: _Kitchen, truth: Truth, facts: CameraFacts) -> Truth:
    rng = kitchen.rng
    if kitchen.adds("no fringe", 0.15):
        return truth
    longest = 5.0 * max(truth.width_horizontal_m, truth.width_vertical_m)
    kappa = 2.0 * math.pi / kitchen.log_uniform(6.0 * facts.object_pixel_m, longest)
    direction = rng.uniform(-math.pi, math.pi)
    return replace(
        truth,
        fringe_horizontal_rad_per_m=kappa * math.cos(direction),
        fringe_vertical_rad_per_m=kappa * math.sin(direction),
        contrast=rng.uniform(0.05, 1.0),
        phase_rad=rng.uniform(-math.pi, math.pi),
    )


def _saturation(kitchen: _Kitchen, facts: CameraFacts, truth: Truth) -> CameraFacts:
    """Lower the saturation to somewhere round the brightest pixel expected."""
    if not kitchen.adds("low saturation", 0.1):
        return facts
    area = (
        2.0 * math.pi * truth.width_horizontal_m * truth.width_vertical_m / facts.object_pixel_m**2
    )
    peak = (
        max(truth.port_a_electrons, truth.port_b_electrons) / area
        + truth.background_electrons_per_px
    )
    counts = kitchen.log_uniform(0.3, 3.0) * (peak + 20.0) / facts.gain
    steps = min(
        round(counts / facts.lsb_counts), (facts.saturation - int(facts.offset)) // facts.lsb_counts
    )
    return replace(facts, saturation=int(facts.offset) + steps * facts.lsb_counts)


def _spoil(kitchen: _Kitchen, counts: Counts, facts: CameraFacts) -> None:
    if kitchen.adds("hot pixels", 0.5):
        add_hot_pixels(kitchen.rng, counts, facts, kitchen.log_uniform(1e-5, 1e-3))
    if kitchen.adds("cosmic rays", 0.4):
        add_tracks(kitchen.rng, counts, facts, int(kitchen.rng.integers(1, 11)))
    if kitchen.adds("dead pixels", 0.4):
        kill_pixels(kitchen.rng, counts, facts, kitchen.log_uniform(1e-5, 1e-3))


def _camera(kitchen: _Kitchen, truth: Truth) -> Camera:
    angle = kitchen.rng.uniform(-math.pi, math.pi)
    model = (
        "two_port"
        if truth.contrast == 0 and kitchen.adds("model without fringe", 0.3)
        else "two_port_fringe"
    )
    return camera_for(truth, (math.cos(angle), math.sin(angle)), model)
