"""What cameras make of places of atoms: out of focus, magnified, rolled."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from magis_calib.domain.control import Setpoints
from simulators.instrument.numbers import PlantNumbers

Positions = npt.NDArray[np.float32]
Bounds = tuple[float, float, float, float]
"""Left, right, bottom, top in the object (m)."""

REACH_WIDTHS = 5.5
"""Blurred atoms further than this many widths from their place are not looked for: one in a hundred
million.
"""


@dataclass(frozen=True, slots=True)
class Optics:
    """How both cameras see."""

    blur_m: float = 0.0
    """Standard deviation in the object, each axis.

    An atom's light falls on one place, blurred as a whole.
    """
    magnification: float = 1.0
    """Relative to the one that the size of a pixel in the object was calibrated with."""
    roll_rad: float = 0.0
    """What is above is seen further to the right by this."""

    def seen(
        self, horizontal: Positions, vertical: Positions, random: np.random.Generator
    ) -> tuple[Positions, Positions]:
        """Return where the light of atoms at these places seems to come from."""
        if self == PERFECT:
            return horizontal, vertical
        right, up = self._turned(horizontal, vertical)
        blur = np.float32(self.blur_m) * random.standard_normal(
            (2, *horizontal.shape), dtype=np.float32
        )
        return right.astype(np.float32) + blur[0], up.astype(np.float32) + blur[1]

    def around(self, bounds: Bounds) -> Bounds:
        """Return the rectangle that holds the light of everything in this one."""
        if self == PERFECT:
            return bounds
        left, right, bottom, top = bounds
        across, up = self._turned(
            np.array([left, left, right, right]), np.array([bottom, top, bottom, top])
        )
        reach = REACH_WIDTHS * self.blur_m
        return (
            float(across.min()) - reach,
            float(across.max()) + reach,
            float(up.min()) - reach,
            float(up.max()) + reach,
        )

    def _turned(
        self, horizontal: npt.NDArray[np.floating], vertical: npt.NDArray[np.floating]
    ) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
        cos, sin = (self.magnification * one(self.roll_rad) for one in (math.cos, math.sin))
        return cos * horizontal + sin * vertical, cos * vertical - sin * horizontal


PERFECT = Optics()


def optics_of(numbers: PlantNumbers, places: Setpoints) -> Optics:
    """Return how the cameras see with the actuators at these true places."""
    beyond_m = places.get("focus_m", 0.0) - numbers.hidden.focus_m
    return Optics(
        numbers.optics.blur_per_focus * abs(beyond_m),
        1.0 + numbers.optics.magnification_per_m * beyond_m,
        numbers.hidden.roll_rad,
    )
