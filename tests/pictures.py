"""Pictures with a known answer: single atoms thrown one by one.

Shares nothing with the fit or the simulators.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from magis_calib.domain.camera import CameraFacts, Frame, FrameHeader, ImagePair

PORT_M = {"a": 7.5e-3, "b": -7.5e-3}


@dataclass(frozen=True)
class Scene:
    """What really is in front of the cameras (SI)."""

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    kappa_x: float = 6283.0
    kappa_z: float = 0.0
    phase: float = 1.0
    contrast: float = 0.7
    atoms: float = 1e6
    width: float = 1.2e-3


SMALL = CameraFacts(512, 768, 64e-6, 0.24, 1600.0, 2.4, 65520, 12, 16, 0.9, "normal")
BACKGROUND = 4.0


def pair(
    rng: np.random.Generator, scene: Scene, drop_id: int = 1, facts: CameraFacts = SMALL
) -> ImagePair:
    """Throw the atoms once and photograph them from both sides."""
    number = rng.poisson(scene.atoms)
    x, y, z = (
        mean + scene.width * rng.standard_normal(number) for mean in (scene.x, scene.y, scene.z)
    )
    angle = scene.phase + scene.kappa_x * x + scene.kappa_z * z
    upper = rng.random(number) < 0.5 * (1.0 + scene.contrast * np.cos(angle))
    height = z + np.where(upper, PORT_M["a"], PORT_M["b"])
    frames = {
        view: frame(expose(rng, across, height, facts), view, drop_id, facts)
        for view, across in (("x", x), ("y", y))
    }
    return ImagePair(drop_id, frames)


def expose(
    rng: np.random.Generator, across: np.ndarray, height: np.ndarray, facts: CameraFacts
) -> np.ndarray:
    """Return the counts of a camera that sees these atoms."""
    column = np.rint(across / facts.object_pixel_m + (facts.columns - 1) / 2.0).astype(int)
    row = np.rint((facts.rows - 1) / 2.0 - height / facts.object_pixel_m).astype(int)
    seen = (column >= 0) & (column < facts.columns) & (row >= 0) & (row < facts.rows)
    atoms = np.bincount(
        row[seen] * facts.columns + column[seen], minlength=facts.rows * facts.columns
    )
    electrons = rng.poisson(
        facts.excess * atoms + BACKGROUND
    ) + facts.read_noise * rng.standard_normal(atoms.size)
    steps = np.rint(electrons / facts.gain / facts.lsb_counts)
    counts = np.clip(steps * facts.lsb_counts + facts.offset, 0, facts.saturation)
    return counts.astype(np.uint16).reshape(facts.rows, facts.columns)


def frame(counts: np.ndarray, view: str, drop_id: int = 1, facts: CameraFacts = SMALL) -> Frame:
    """Wrap counts as the frame of a drop."""
    camera = {"x": "LM1", "y": "LM2"}[view]
    header = FrameHeader(
        "bottom",
        camera,
        view,
        drop_id,
        "interferometer",
        "test",
        drop_id,
        10**18 + drop_id,
        1e-4,
        facts.rows,
        facts.columns,
        "Mono16",
        facts.bits,
        "left",
        f"{zlib.crc32(counts.tobytes()):08x}",
    )
    return Frame(header, counts, facts, 0.0)
