"""The hidden truth: what the setpoints in force, drift and jitter make of each drop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from magis_calib.domain.camera import SequenceType
from magis_calib.domain.control import Setpoints
from magis_calib.domain.quantities import OBSERVABLES, TWO_PI, wrap_phase
from simulators.faults.active import NO_FAULTS, Faults
from simulators.instrument.numbers import COORDINATES, Coordinate, PlantNumbers
from simulators.instrument.optics import optics_of
from simulators.instrument.pulses import contrast, population, pulses_of
from simulators.instrument.randomness import stream
from simulators.instrument.scene import Scene, made_for


class TrueMotion:
    """Every actuator stands where it was told to, except while a fault has hold of it."""

    def __init__(self, start: Setpoints) -> None:
        self._told = dict(start)
        self._stands = dict(start)

    def move(self, setpoints: Setpoints, factors: Mapping[str, float]) -> dict[str, float]:
        """Move by `factors` times the change of the setpoints, absolutely where there is no factor.

        Return the places.

        The setpoints are those in force, one call for each drop.
        """
        for name, told in setpoints.items():
            if name in factors:
                self._stands[name] += factors[name] * (told - self._told[name])
            else:
                self._stands[name] = told
        self._told = dict(setpoints)
        return dict(self._stands)


Array = npt.NDArray[np.float64]

LOOP_ACTUATORS = (
    "trap_x_m",
    "trap_y_m",
    "launch_frequency_hz",
    "mirror_tilt_x_rad",
    "timing_asymmetry_s",
    "final_pulse_phase_rad",
)
"""The columns of the response written into the truth file."""
PHASE = COORDINATES.index("phase_rad")
FRINGE_Y = COORDINATES.index("fringe_y_rad_per_m")
Y = COORDINATES.index("y_m")


LONGEST_WALK = 20_000
"""Drops of drift that are made up for; numbers further on are dates: drift begins there."""


@dataclass(frozen=True, slots=True)
class DropTruth:
    """One drop: observables = disturbance + noise-free response + jitter, the phase modulo 2π."""

    drop_id: int
    observables: Mapping[str, float]
    actuators: Setpoints
    noise_free_response: Mapping[str, float]
    disturbance: Mapping[str, float]
    jitter: Mapping[str, float]
    scene: Scene


class Plant:
    """The station's response, its drift and its jitter.

    `drop` must be called with rising drop ids.
    """

    def __init__(
        self, numbers: PlantNumbers, preset: str, seed: int, faults: Faults = NO_FAULTS
    ) -> None:
        self._numbers = numbers
        self._uniform_phase = numbers.presets[preset].uniform_phase_jitter
        self._seed = seed
        self._faults = faults
        self._reference = _vector(numbers.reference)
        self._walk = _vector(numbers.start)
        self._walked_to = 1
        self.nominal = {name: one.nominal for name, one in numbers.actuators.items()}
        if "interrogation_time_s" in self.nominal:
            self.nominal["interrogation_time_s"] = numbers.presets[preset].interrogation_time_s
        self._motion = TrueMotion(self.nominal)
        self._columns = {name: _vector(one.moves) for name, one in numbers.actuators.items()}
        self._sources = {
            name: self._columns[one.like] if one.like else _vector(one.moves)
            for name, one in numbers.sources.items()
        }

    def response(self) -> Array:
        """Return the response of the six observables to the six loop actuators."""
        return np.stack([self._columns[name] for name in LOOP_ACTUATORS], axis=1)[:6]

    def drift_cov(self) -> Array:
        """Return the covariance of one drop's drift of the six observables."""
        return self._covariance({name: one.drift for name, one in self._numbers.sources.items()})

    def jitter_cov(self) -> Array:
        """Return the covariance of one drop's jitter of the six observables."""
        covariance = self._covariance(
            {name: one.jitter for name, one in self._numbers.sources.items()}
        )
        if self._uniform_phase:
            covariance[PHASE, :] = covariance[:, PHASE] = 0.0
            covariance[PHASE, PHASE] = TWO_PI**2 / 12.0
        return covariance

    def drop(
        self, drop_id: int, setpoints: Setpoints, sequence_type: SequenceType = "interferometer"
    ) -> DropTruth:
        """Return the truth of this drop for the setpoints in force.

        Its numbers are those of the interferometer, whatever the drop is made for; its scene is
        what is seen.
        """
        told = self._exchanged(drop_id, setpoints)
        places = self._motion.move(told, self._faults.factors(drop_id))
        response = self._noise_free(places)
        disturbance = self._disturbance(drop_id)
        jitter = self._jitter(drop_id)
        total = response + disturbance + jitter
        line_of_sight = float(total[FRINGE_Y] * total[Y])
        phase_at_origin = float(total[PHASE])
        disturbance[PHASE] += line_of_sight
        total[PHASE] = wrap_phase(phase_at_origin + line_of_sight)
        scene = self._scene(drop_id, total, phase_at_origin, places, sequence_type)
        return DropTruth(
            drop_id,
            _named(total),
            dict(setpoints),
            _named(response),
            _named(disturbance),
            _named(jitter),
            scene,
        )

    def _exchanged(self, drop_id: int, setpoints: Setpoints) -> Setpoints:
        """Return what reaches the actuators: where two are exchanged, each other's steps."""
        reached = dict(setpoints)
        for one, other in self._faults.exchanged(drop_id):
            for name, source in ((one, other), (other, one)):
                reached[name] = self.nominal[name] + setpoints[source] - self.nominal[source]
        return reached

    def _scene(
        self,
        drop_id: int,
        total: Array,
        phase_at_origin: float,
        places: Setpoints,
        sequence_type: SequenceType,
    ) -> Scene:
        x, y, z, fringe_x, fringe_z, _, fringe_y = (float(value) for value in total)
        numbers = self._numbers
        pulses = pulses_of(numbers, places, self.nominal)
        scene = Scene(
            drop_id,
            (x, y, z),
            (fringe_x, fringe_y, fringe_z),
            wrap_phase(phase_at_origin),
            contrast(pulses, numbers),
            optics=optics_of(numbers, places),
        )
        shear = numbers.reference.get("fringe_x_rad_per_m", 0.0)
        return made_for(sequence_type, scene, shear, population(pulses, numbers))

    def _noise_free(self, places: Setpoints) -> Array:
        total = self._reference.copy()
        square_time = places.get("interrogation_time_s", 0.0) ** 2
        for name, numbers in self._numbers.actuators.items():
            moved = places[name] - self.nominal[name]
            total += self._columns[name] * moved
            if numbers.per_square_time:
                total += _vector(numbers.per_square_time) * (square_time * moved)
        return total

    def _disturbance(self, drop_id: int) -> Array:
        if drop_id - self._walked_to > LONGEST_WALK:
            self._walked_to = drop_id - 1
        while self._walked_to < drop_id:
            self._walked_to += 1
            for name, column in self._sources.items():
                sigma = self._numbers.sources[name].drift
                step = stream(self._seed, self._walked_to, f"drift {name}").standard_normal()
                self._walk = self._walk + column * (sigma * step)
        displaced: Array = self._walk + _vector(self._faults.displaced(drop_id))
        return displaced

    def _jitter(self, drop_id: int) -> Array:
        total = np.zeros(len(COORDINATES))
        for name, column in self._sources.items():
            sigma = self._numbers.sources[name].jitter
            total += column * (
                sigma * stream(self._seed, drop_id, f"jitter {name}").standard_normal()
            )
        if self._uniform_phase:
            total[PHASE] = stream(self._seed, drop_id, "jitter phase").uniform(-math.pi, math.pi)
        return total

    def _covariance(self, sigmas: Mapping[str, float]) -> Array:
        columns = np.stack(
            [column * sigmas[name] for name, column in self._sources.items()], axis=1
        )[:6]
        covariance: Array = columns @ columns.T
        return covariance


def _vector(moves: Mapping[Coordinate, float]) -> Array:
    return np.array([moves.get(name, 0.0) for name in COORDINATES])


def _named(vector: Array) -> dict[str, float]:
    return {name: float(value) for name, value in zip(OBSERVABLES, vector, strict=False)}
