"""What a fit says: values, errors, covariance, and whether it may be used."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from magis_calib.domain.camera import View
from magis_calib.domain.quantities import DIAGNOSTICS, OBSERVABLES

Array = npt.NDArray[np.float64]
NAN = math.nan


@dataclass(frozen=True, slots=True)
class Value:
    """A number with its standard error, SI or the model's unit; both NaN when there is none."""

    value: float = NAN
    stderr: float = NAN


Told = Literal[
    "horizontal_m",
    "vertical_m",
    "fringe_horizontal_rad_per_m",
    "fringe_vertical_rad_per_m",
    "phase_rad",
]


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a fit tells the station: Σ terms·parameter - offset (SI), image coordinates."""

    told: Told
    terms: Mapping[str, float]
    offset: float = 0.0


Pixels = npt.NDArray[np.intp]
"""Flat indices into an upright image, rising."""


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """Pixels that a fit leaves out.

    Of each kind evenly thinned to `MOST`: an image may be all saturated.
    """

    MOST: ClassVar[int] = 1000
    saturated: Pixels
    masked: Pixels
    """As defects, hot or outliers; not those that are saturated."""
    saturated_px: int
    """How many there are in all."""
    masked_px: int

    @classmethod
    def of(cls, saturated: Pixels, masked: Pixels) -> Self:
        """Thin out these, all of them."""
        few = [pixels[:: 1 + len(pixels) // cls.MOST].copy() for pixels in (saturated, masked)]
        return cls(few[0], few[1], len(saturated), len(masked))

    @classmethod
    def of_many(cls, saturated: npt.NDArray[np.bool_]) -> Self:
        """Thin out what is marked in an image, without a list of all of it."""
        count = int(np.count_nonzero(saturated))
        places = np.arange(0, saturated.size, 1 + count // cls.MOST)
        few = places[saturated.flat[places]]
        return cls(few, few[:0], count, 0)


@dataclass(frozen=True, slots=True, eq=False)
class ViewEstimate:
    """The fit of one view. `names` orders `covariance`; parameters follow docs/contracts.md."""

    view: View
    drop_id: int
    model: str
    parameters: Mapping[str, Value]
    names: tuple[str, ...]
    covariance: Array
    usable: bool
    """The fit converged and at least the position can be used."""
    usable_quantities: tuple[str, ...]
    """Of the model's quantities: "position", "atoms", "width", "fringe", "contrast", "phase" …"""
    reasons: tuple[str, ...]
    """Why something cannot be used; empty when all can."""
    chi2_per_dof: float
    """Over the bins where the signal exceeds the background."""
    atoms: Value
    saturated_px: int
    masked_px: int
    evaluations: int
    displacements: Mapping[str, tuple[float, float]]
    """Nominal place of port "a" and "b" in the image: right, up (m)."""
    disagreement_sigma: float = NAN
    """Largest difference from the second estimator, in its standard errors.

    NaN where that has nothing to say.
    """
    diagnostics: Mapping[str, Value] = field(default_factory=dict)
    """`roll_rad` and `port_phase_difference_rad` of two-port fits."""
    measurements: tuple[Measurement, ...] = ()
    """What the station may take from the parameters."""
    left_out: LeftOut | None = field(default=None, metadata={"recorded": False})
    """None where the fit is read back."""
    noise_estimated: bool = False
    """Nobody described the noise: standard errors come from the scatter of the residuals."""

    def value(self, name: str) -> float:
        """The value of a parameter; NaN when the model has none of that name."""
        found = self.parameters.get(name)
        return NAN if found is None else found.value


@dataclass(frozen=True, slots=True, eq=False)
class StationEstimate:
    """Both views of one drop as one vector of observables with covariance.

    `values` and `stderr` hold every name of `OBSERVABLES` and `DIAGNOSTICS`, NaN where not usable.
    `covariance` is 6x6 in the order of `OBSERVABLES`, NaN where not usable.
    """

    drop_id: int
    values: Mapping[str, float]
    stderr: Mapping[str, float]
    covariance: Array
    usable: bool
    """At least one controlled observable can be used."""
    reasons: tuple[str, ...]
    views: Mapping[View, ViewEstimate] = field(default_factory=dict)
    consistency_chi2: float = NAN
    """Of what both views measure (z, and in a z-shear κz and phase), with `consistency_dof` degrees
    of freedom.
    """
    consistency_dof: int = 0

    @property
    def vector(self) -> Array:
        """The six observables in the order of `OBSERVABLES`."""
        return np.array([self.values[name] for name in OBSERVABLES])

    def tells(self, name: str) -> bool:
        """Whether there is a value with an error."""
        return math.isfinite(self.values[name]) and math.isfinite(self.stderr[name])


def doubted(estimate: StationEstimate, why: str) -> StationEstimate:
    """Return an estimate of pictures that are perhaps not of its drop: kept, and of no use.

    As it is where `why` is empty.
    """
    if not why:
        return estimate
    return replace(estimate, usable=False, reasons=(why, *estimate.reasons))


def unusable_station(drop_id: int, *reasons: str) -> StationEstimate:
    """An estimate that says nothing but why: all values NaN."""
    names = [*OBSERVABLES, *DIAGNOSTICS]
    nothing = dict.fromkeys(names, NAN)
    return StationEstimate(drop_id, nothing, dict(nothing), np.full((6, 6), NAN), False, reasons)
