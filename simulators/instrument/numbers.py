"""Read `plant.toml`: every number of the simulated station."""

from __future__ import annotations

import importlib.resources
import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from magis_calib.config.fields import toml_table
from magis_calib.domain.errors import ConfigError
from magis_calib.domain.quantities import ACTUATORS
from magis_calib.host.files import read_text

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]

Coordinate = Literal[
    "x_m",
    "y_m",
    "z_m",
    "fringe_x_rad_per_m",
    "fringe_z_rad_per_m",
    "phase_rad",
    "fringe_y_rad_per_m",
]
COORDINATES: tuple[Coordinate, ...] = get_args(Coordinate)
"""What the plant knows of a drop: the six observables in their order, then the fringe along the
line of sight.
"""
Moves = dict[Coordinate, Finite]


class Strict(BaseModel):
    """A table whose names must all be known and whose values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CloudNumbers(Strict):
    """The atoms of one drop; `atoms` is a number of them, contrast and loss are fractions."""

    atoms: NotNegative
    width_m: Positive
    contrast: Annotated[float, Field(ge=0, le=1)]
    port_displacement_m: Finite
    pulse_area_loss: NotNegative


class CameraNumbers(Strict):
    """What both cameras have in common, in electrons and counts."""

    electrons_per_atom: Positive
    background: NotNegative
    read_noise: NotNegative
    gain: Positive
    offset_counts: int
    lsb_counts: int
    bits: int
    saturation_counts: int
    pixel_response_spread: NotNegative
    hot_pixel_fraction: NotNegative
    hot_pixel_electrons: NotNegative
    exposure_s: Positive


class PulseNumbers(Strict):
    """What pulse area and detuning do to the laser's pulses."""

    rabi_frequency_hz: Positive = 5e3
    doppler_width_hz: NotNegative = 1.4e3
    area_loss_per_square_tilt: NotNegative = 265.33e3


class OpticsNumbers(Strict):
    """What both cameras do out of focus (SI)."""

    blur_per_focus: NotNegative = 0.023
    magnification_per_m: Finite = 2.6


class HiddenNumbers(Strict):
    """What is off and nobody knows, beside the first disturbance (SI; pulse area: a ratio)."""

    pulse_area: Finite = 0.0
    detuning_hz: Finite = 0.0
    focus_m: Finite = 0.0
    roll_rad: Finite = 0.0


class SensorNumbers(Strict):
    """The size of a sensor."""

    rows: int
    columns: int
    object_pixel_m: Positive


class PresetNumbers(Strict):
    """What differs between the presets."""

    interrogation_time_s: Positive
    uniform_phase_jitter: bool


class SourceNumbers(Strict):
    """Something that moves by itself, by so much a drop (SI)."""

    moves: Moves = {}
    like: str = ""
    drift: NotNegative
    jitter: NotNegative


class ActuatorNumbers(Strict):
    """One parameter of a controller, in its own unit (SI), and what it moves."""

    controller: str
    """Who has it, by its name in the configuration."""
    nominal: Finite
    minimum: Finite
    maximum: Finite
    step_limit: Positive
    resolution: Positive
    settle_time_s: NotNegative
    moves: Moves = {}
    per_square_time: Moves = {}


class PlantNumbers(Strict):
    """The whole file."""

    reference: dict[Coordinate, Finite]
    start: dict[Coordinate, Finite]
    hidden: HiddenNumbers = HiddenNumbers()
    cloud: CloudNumbers
    pulses: PulseNumbers = PulseNumbers()
    optics: OpticsNumbers = OpticsNumbers()
    camera: CameraNumbers
    sensors: dict[str, SensorNumbers]
    presets: dict[str, PresetNumbers]
    sources: dict[str, SourceNumbers]
    actuators: dict[str, ActuatorNumbers]
    locks: tuple[str, ...] = ("laser",)
    """Controllers whose status says whether they are `locked`."""

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        unknown = sorted(set(self.actuators) - set(ACTUATORS))
        if unknown:
            raise ValueError(f"actuators: unknown {unknown}, known are {sorted(ACTUATORS)}")
        for name, source in self.sources.items():
            if source.like and source.like not in self.actuators:
                raise ValueError(
                    f"sources.{name}.like: wanted one of {sorted(self.actuators)}, got "
                    f"{source.like!r}"
                )
        return self

    @property
    def controllers(self) -> set[str]:
        """Everybody who has a parameter."""
        return {one.controller for one in self.actuators.values()}


def load_plant_numbers(path: Path | None = None) -> PlantNumbers:
    """Return the numbers in this file, or the shipped ones for None. Raises `ConfigError`."""
    source = str(path or "plant.toml")
    try:
        if path is None:
            text = (
                importlib.resources.files("simulators")
                .joinpath("plant.toml")
                .read_text(encoding="utf-8")
            )
        else:
            text = read_text(path)
        return PlantNumbers.model_validate(toml_table(text))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigError(f"{source}: {error}") from error
