"""What the cameras photograph, also in a drop that is not for the interferometer."""

from __future__ import annotations

from dataclasses import dataclass, replace

from magis_calib.domain.camera import SequenceType
from simulators.instrument.optics import PERFECT, Optics


@dataclass(frozen=True, slots=True)
class Scene:
    """One drop before the cameras (SI, laboratory coordinates, phase at their origin)."""

    drop_id: int
    centre_m: tuple[float, float, float]
    fringe_rad_per_m: tuple[float, float, float]
    phase_rad: float
    contrast: float
    sequence_type: SequenceType = "interferometer"
    population: float = 0.5
    """Share of the atoms in port a, the mean over the fringe."""
    share_of_atoms: float = 1.0
    optics: Optics = PERFECT


def made_for(
    sequence_type: SequenceType, scene: Scene, shear_rad_per_m: float, population: float
) -> Scene:
    """Return what a drop of this type shows, where one for the interferometer shows `scene`.

    `shear_rad_per_m`: what the mirror at its nominal tilt gives along x. A z-shear gives it along z
    instead, with the same phase at the laboratory's origin. `population`: what a pi pulse brings to
    port a.
    """
    scene = replace(scene, sequence_type=sequence_type)
    match sequence_type:
        case "interferometer":
            return scene
        case "no_atoms":
            return replace(scene, share_of_atoms=0.0)
        case "z_shear":
            x, y, z = scene.fringe_rad_per_m
            return replace(scene, fringe_rad_per_m=(x - shear_rad_per_m, y, z + shear_rad_per_m))
        case "pi_test":
            return replace(scene, contrast=0.0, population=population)
