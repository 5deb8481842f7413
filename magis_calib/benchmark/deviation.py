"""How far a fit is from the truth, in its own standard errors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from magis_calib.benchmark.picture import PARAMETERS, Truth
from magis_calib.domain.estimate import Value, ViewEstimate
from magis_calib.domain.quantities import wrap_phase

BRANCH = ("fringe_horizontal_rad_per_m", "fringe_vertical_rad_per_m", "phase_rad")
"""The image stays the same when all three change their sign (docs/contracts.md, "Branch")."""
MEASURES = {
    "position": (
        "port_a_horizontal_m",
        "port_a_vertical_m",
        "port_b_horizontal_m",
        "port_b_vertical_m",
    ),
    "atoms": ("port_a_electrons", "port_b_electrons"),
    "width": ("width_horizontal_m", "width_vertical_m"),
    "fringe": BRANCH[:2],
    "contrast": ("contrast",),
    "phase": ("phase_rad",),
}
"""The parameters behind each usable quantity."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """One parameter: value minus truth, and the standard error that the fit gives it (SI)."""

    error: float
    stderr: float

    @property
    def pull(self) -> float:
        """The error in standard errors."""
        return self.error / self.stderr


def deviations(estimate: ViewEstimate, truth: Truth) -> Mapping[str, Deviation]:
    """Return the deviation of each parameter with an error, in the nearer of both branches."""
    return min((_in_branch(estimate, truth, sign) for sign in (1, -1)), key=_distance)


def _distance(found: Mapping[str, Deviation]) -> float:
    return sum(found[name].pull ** 2 for name in BRANCH if name in found)


def _in_branch(estimate: ViewEstimate, truth: Truth, sign: int) -> dict[str, Deviation]:
    found = {name: _deviation(estimate, truth, name, sign) for name in PARAMETERS}
    return {name: one for name, one in found.items() if one is not None}


def _deviation(estimate: ViewEstimate, truth: Truth, name: str, sign: int) -> Deviation | None:
    found = estimate.parameters.get(name, Value())
    if not (math.isfinite(found.value) and math.isfinite(found.stderr) and found.stderr > 0):
        return None
    error = (sign if name in BRANCH else 1) * found.value - truth.value(name)
    return Deviation(wrap_phase(error) if name == "phase_rad" else error, found.stderr)
