"""The atoms of one drop, drawn once and seen by both views."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magis_calib.domain.camera import View
from simulators.instrument.numbers import CloudNumbers
from simulators.instrument.optics import Bounds, Positions
from simulators.instrument.randomness import choices, normal_pool, stream
from simulators.instrument.scene import Scene

NORMAL = normal_pool()
REACH_WIDTHS = 4.5
"""No atom is further from its port's centre than this many widths."""


@dataclass(frozen=True, slots=True, eq=False)
class Atoms:
    """Where the atoms are when the light goes on (m): x, y, and z with the port's displacement."""

    x: Positions
    y: Positions
    z: Positions

    def seen_by(self, view: View, scene: Scene, seed: int) -> tuple[Positions, Positions]:
        """Return the horizontal and vertical positions in this view's picture."""
        random = stream(seed, scene.drop_id, f"optics {view}")
        return scene.optics.seen(self.x if view == "x" else self.y, self.z, random)


def draw_atoms(scene: Scene, cloud: CloudNumbers, seed: int, share: float = 1.0) -> Atoms:
    """Return this share of the atoms, each in port a with the probability P + C cos(θ)/2."""
    number = _number(scene, cloud, seed, share)
    random = stream(seed, scene.drop_id, "atoms")
    x, y, z = NORMAL.take(choices(random, 3 * number), mode="wrap").reshape(3, number)
    for position, centre in zip((x, y, z), scene.centre_m, strict=True):
        position *= np.float32(cloud.width_m)
        position += np.float32(centre)
    likely = _fringe(scene, (x, y, z)) + np.float32(scene.population)
    in_port_a = random.random(number, dtype=np.float32) < likely
    z += np.where(
        in_port_a, np.float32(cloud.port_displacement_m), np.float32(-cloud.port_displacement_m)
    )
    return Atoms(x, y, z)


def _number(scene: Scene, cloud: CloudNumbers, seed: int, share: float) -> int:
    """Return how many atoms are there, of how many were caught."""
    caught = int(stream(seed, scene.drop_id, "atom number").poisson(cloud.atoms))
    there = stream(seed, scene.drop_id, "atoms there")
    return int(there.binomial(caught, share * scene.share_of_atoms))


def _fringe(scene: Scene, positions: tuple[Positions, Positions, Positions]) -> Positions:
    """Return C cos(θ)/2 at the place of each atom."""
    angle = np.full(len(positions[0]), scene.phase_rad, dtype=np.float32)
    for position, fringe in zip(positions, scene.fringe_rad_per_m, strict=True):
        if fringe:
            angle += np.float32(fringe) * position
    np.cos(angle, out=angle)
    angle *= np.float32(0.5 * scene.contrast)
    return angle


def bounds_of(scene: Scene, cloud: CloudNumbers, view: View) -> Bounds:
    """Return the rectangle of a view that holds the atoms of both ports."""
    x, y, z = scene.centre_m
    middle = x if view == "x" else y
    reach = REACH_WIDTHS * cloud.width_m
    high = abs(cloud.port_displacement_m) + reach
    return scene.optics.around((middle - reach, middle + reach, z - high, z + high))
