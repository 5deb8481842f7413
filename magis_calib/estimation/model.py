"""The interface of every model, built in or added by a user's package.

A user's package names its class in the entry-point group `magis_calib.models` (docs/models.md).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from magis_calib.config.station import Camera
from magis_calib.domain.camera import CameraFacts
from magis_calib.domain.estimate import Array, Measurement
from magis_calib.estimation.grid import Grid
from magis_calib.imaging.electrons import Electrons

Parameters = Mapping[str, float]
Wavevector = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where light is: middle and standard deviations, px (rows down, columns right)."""

    row: float
    column: float
    sigma_rows: float
    sigma_columns: float


@dataclass(frozen=True, slots=True)
class Layout:
    """What asks for fine bins: spots, and the fringe's wavevector along rows, columns (rad/px)."""

    spots: tuple[Spot, ...]
    wave_rows: float = 0.0
    wave_columns: float = 0.0

    @property
    def radians(self) -> float:
        """Phase across one standard deviation of the widest spot."""
        return max(
            math.hypot(self.wave_rows * s.sigma_rows, self.wave_columns * s.sigma_columns)
            for s in self.spots
        )


@dataclass(frozen=True, slots=True)
class Check:
    """What a second estimator says: Σ terms·parameter is `value` ± `sigma` (SI or px)."""

    what: str
    terms: Parameters
    value: float
    sigma: float
    circular: bool = False
    """Compare modulo 2π."""


@dataclass(frozen=True, slots=True)
class Start:
    """Start values. What this image cannot tell is `absent`: held at its start and not reported."""

    values: dict[str, float]
    absent: frozenset[str] = frozenset()
    reasons: tuple[str, ...] = ()
    """Why something is absent."""
    checks: tuple[Check, ...] = ()
    proven: bool = False
    """A picture without the fringe is ruled out by chi-square, however uncertain its contrast is.
    """
    suspected: bool = False
    """Chi-square hints at a long fringe that no fit could show: nothing of this fit is safe."""
    otherwise: Callable[[], Start] | None = None
    """Gives the next start, when the fringe that this one supposes does not stand out of its fit.
    """


class Fitted(Protocol):
    """What a model may look at when it doubts a fit."""

    @property
    def values(self) -> Mapping[str, float]:
        """Every parameter."""

    @property
    def names(self) -> tuple[str, ...]:
        """Those that were fitted, in the order of the covariance."""

    @property
    def absent(self) -> frozenset[str]:
        """Those that this image cannot tell; what is fixed by the configuration is in neither."""

    @property
    def covariance(self) -> Array:
        """Of `names`."""


@dataclass(frozen=True, slots=True)
class Fringe:
    """Names of the fringe's parameters. (κ, phase) and (-κ, -phase) are the same image."""

    horizontal: str
    vertical: str
    contrast: str = "contrast"
    phase: str = "phase_rad"

    @property
    def names(self) -> tuple[str, str, str, str]:
        """All four."""
        return self.horizontal, self.vertical, self.contrast, self.phase


@dataclass(frozen=True, eq=False)
class FitModel(ABC):
    """A named picture of one view.

    Subclasses give names with units, start values, background and signal.
    """

    camera: Camera
    """How the view is configured: displacements of the ports, the expected fringe."""
    name: ClassVar[str]
    parameters: ClassVar[Mapping[str, str]]
    """Name -> unit, in the order of the covariance."""
    quantities: ClassVar[Mapping[str, tuple[str, ...]]] = {"position": ()}
    """Quantity -> its parameters: "position" and others ("width", "fringe", "phase" …)."""
    fringe: ClassVar[Fringe | None] = None
    edge_widths: ClassVar[float] = 2.0
    """A cloud whose centre is closer than this to the frame's edge is cut by it."""

    @abstractmethod
    def guess(self, image: Electrons, expected: Wavevector | None) -> Start:
        """Return start values. Raises `FitError` "no cloud …" where there is nothing to fit.

        `expected` is the predicted wavevector in the loop (right, up; rad/m), None offline.
        """

    @abstractmethod
    def background(self, grid: Grid, values: Parameters) -> Array:
        """Return the electrons of each bin that are not signal: their noise is that of light."""

    @abstractmethod
    def signal(self, grid: Grid, values: Parameters) -> Array:
        """Return the electrons of each bin from atoms: (1 + excess) times their variance."""

    def jacobian(self, grid: Grid, values: Parameters, names: tuple[str, ...]) -> Array | None:
        """Return derivatives of background + signal, (names, bins).

        None lets lmfit take differences.
        """
        return None

    def layout(self, values: Parameters, shape: tuple[int, int], pixel_m: float) -> Layout | None:
        """Say where bins must be fine; None cuts the whole image evenly."""
        return None

    def complete(self, values: Parameters) -> dict[str, float]:
        """Return values of all parameters, those filled in that an image could not tell."""
        return dict.fromkeys(self.parameters, 0.0) | dict(values)

    def standard_form(
        self, values: dict[str, float], names: tuple[str, ...], expected: Wavevector | None
    ) -> tuple[dict[str, float], Array]:
        """Return the image in the standard way, and what turns the covariance of `names`."""
        return values, np.eye(len(names))

    def measurements(self, facts: CameraFacts) -> tuple[Measurement, ...]:
        """Say what the station learns from this view; by default nothing."""
        return ()

    def doubts(self, fit: Fitted, expected: Wavevector | None) -> list[str]:
        """Say what only this model knows against using a fit; `expected` as in `guess`."""
        return []
