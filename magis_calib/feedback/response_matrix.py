"""What the setpoints should do to the observables: the response matrix in force, by name, SI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from magis_calib.config.station import Station
from magis_calib.domain.control import Setpoints
from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import OBSERVABLES

NEGLIGIBLE = 1e-3
"""A coupling that moves a channel by less than this of its noise does not matter."""


@dataclass(frozen=True, eq=False)
class Response:
    """Observables = reference + matrix · (setpoints - nominal), before any disturbance."""

    matrix: Array
    """6 observables (order of `OBSERVABLES`) x actuators (order of `actuators`)."""
    actuators: tuple[str, ...]
    nominal: Array
    reference: Array
    unit: Array
    """Motion of each actuator that makes one standard deviation of its main observable."""
    noise: Array
    """Standard deviation of each observable."""
    mains: tuple[str, ...]
    """Main actuator of each observable."""
    to_channels: Array
    """Turns disturbances of observables into those of channels, in their main units."""

    @classmethod
    def of(cls, station: Station) -> Self:
        """Return the response in force in this configuration."""
        loop = station.loop
        matrix = station.response()
        actuators = tuple(loop.actuators)
        noise = np.array([loop.observables[name].noise for name in OBSERVABLES])
        mains = [actuators.index(loop.observables[name].actuator) for name in OBSERVABLES]
        own = matrix[range(len(OBSERVABLES)), mains]
        unit = np.ones(len(actuators))
        unit[mains] = noise / np.abs(own)
        return cls(
            matrix,
            actuators,
            np.array([loop.actuators[name].nominal for name in actuators]),
            np.array([loop.observables[name].reference for name in OBSERVABLES]),
            unit,
            noise,
            tuple(loop.observables[name].actuator for name in OBSERVABLES),
            own[:, None] * np.linalg.inv(matrix)[mains],
        )

    @cached_property
    def from_channels(self) -> Array:
        """Turns disturbances of the channels back into those of the observables."""
        return np.asarray(np.linalg.inv(self.to_channels), dtype=np.float64)

    @cached_property
    def needed(self) -> npt.NDArray[np.bool_]:
        """Which observables (columns) each channel (row) needs to be known."""
        found: npt.NDArray[np.bool_] = (
            np.abs(self.to_channels) * self.noise > NEGLIGIBLE * self.noise[:, None]
        )
        np.fill_diagonal(found, True)
        return found

    def predict(self, setpoints: Setpoints) -> Array:
        """Return the six observables these setpoints give without disturbance."""
        return self.reference + self.effect(setpoints)

    def effect(self, setpoints: Setpoints) -> Array:
        """Return the matrix product in force: what these setpoints add to the reference."""
        product: Array = self.matrix @ (self.vector(setpoints) - self.nominal)
        return product

    def vector(self, setpoints: Setpoints) -> Array:
        """Return the loop's setpoints as a vector."""
        return np.array([setpoints[name] for name in self.actuators])

    def block(self, observables: Sequence[str], actuators: Sequence[str]) -> Array:
        """Return the part of the matrix between these observables and actuators."""
        rows = [list(OBSERVABLES).index(name) for name in observables]
        columns = [self.actuators.index(name) for name in actuators]
        return self.matrix[rows][:, columns]
