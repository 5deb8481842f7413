"""The configuration: one TOML file, judged whole at the door. The commented default is `default.toml` beside this."""

from __future__ import annotations

import importlib.resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from magis_calib.domain.camera import Orientation, View
from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Endpoint = Annotated[str, Field(pattern=r"^(tcp://[^:\s]+:\d+|ipc://\S+)$")]
Pair = tuple[Finite, Finite]

LEAST_STRENGTH = 0.1
"""Smallest over largest singular value of a scaled response matrix that may be used."""


class Strict(BaseModel):
    """A table whose names must all be known and whose values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Links(Strict):
    """Addresses of the wire and how patient to be."""

    camera: Endpoint
    laser: Endpoint
    drop_system: Endpoint
    telemetry: Endpoint
    reply_timeout_s: Positive = 1.0
    heartbeat_s: Positive = 1.0
    silent_after_s: Positive = 5.0


class Pairing(Strict):
    """How frames of one drop find each other."""

    wait_s: Positive = 5.0
    queue_bytes: Annotated[int, Field(ge=50_000_000)] = 400_000_000


class InsistedFacts(Strict):
    """Camera facts that the user wrote down: the driver must announce the same."""

    rows: int | None = None
    columns: int | None = None
    object_pixel_m: Positive | None = None
    gain: Positive | None = None
    offset: Finite | None = None
    read_noise: Finite | None = None
    saturation: int | None = None
    bits: int | None = None
    lsb_counts: int | None = None
    excess: Finite | None = None
    orientation: Orientation | None = None


class ParameterRule(Strict):
    """How the fit may treat one parameter: held at `fixed`, or kept between `minimum` and `maximum`."""

    fixed: Finite | None = None
    minimum: Finite | None = None
    maximum: Finite | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.fixed is None) == (self.minimum is None and self.maximum is None):
            raise ValueError("wanted either fixed, or minimum and/or maximum")
        if self.minimum is not None and self.maximum is not None and self.minimum >= self.maximum:
            raise ValueError(f"minimum {self.minimum:g} must be less than maximum {self.maximum:g}")
        return self


class Camera(Strict):
    """One camera and how its view is fitted."""

    name: str
    view: View
    enabled: bool = True
    model: str
    """A model of `magis_calib.estimation.models`, built in or from a user's package."""
    parameters: dict[str, ParameterRule] = {}
    """Parameters of the model that are fixed or bounded."""
    port_a_displacement_m: Pair = (0.0, 7.5e-3)
    port_b_displacement_m: Pair = (0.0, -7.5e-3)
    expected_fringe: Pair = (1.0, 0.0)
    defects: str = ""
    facts: InsistedFacts = InsistedFacts()


class ObservableConfig(Strict):
    """How one observable is controlled."""

    target: Finite
    reference: Finite
    tolerance: Positive
    gain: float | Literal["auto"] = "auto"
    """Share of an innovation that is believed; "auto" learns it from drift and noise."""
    noise: Positive
    actuator: str

    @field_validator("gain", mode="before")
    @classmethod
    def _stable(cls, gain: object) -> object:
        if gain == "auto" or (isinstance(gain, (int, float)) and 0 < gain < 2):
            return gain
        raise ValueError(f'wanted "auto" or a number greater than 0 and less than 2, got {gain!r}')


class ActuatorConfig(Strict):
    """What the loop may do with one actuator."""

    controller: Literal["laser", "drop_system"]
    nominal: Finite
    minimum: Finite
    maximum: Finite
    step_cap: Positive
    direction: Literal[1, -1] = 1
    """Sign of the motion for a rising setpoint when the matrix was made; the controller must say the same."""
    excursion: Positive | Literal["range"] = "range"
    """Largest distance from the point that the operator approved last; "range": the range is the only limit."""

    @model_validator(mode="after")
    def _range_holds_nominal(self) -> Self:
        if not self.minimum <= self.nominal <= self.maximum:
            raise ValueError(f"nominal {self.nominal:g} must lie in [minimum, maximum] = "
                             f"[{self.minimum:g}, {self.maximum:g}]")  # fmt: skip
        return self


class Loop(Strict):
    """Targets, gains, ranges and the matrix in force."""

    matrix: str = "nominal"
    start: Literal["closed", "open", "shadow"] = "closed"
    on_stop: Literal["keep", "start", "last_good"] = "keep"
    observables: dict[str, ObservableConfig]
    actuators: dict[str, ActuatorConfig]

    @model_validator(mode="before")
    @classmethod
    def _knows_the_older_word(cls, table: Any) -> Any:
        """Read `restore_on_stop`, which stands in sessions recorded before there was `on_stop`."""
        if not isinstance(table, dict) or not isinstance(table.get("restore_on_stop"), bool):
            return table
        rest = {name: value for name, value in table.items() if name != "restore_on_stop"}
        return {"on_stop": "start" if table["restore_on_stop"] else "keep", **rest}

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        _same_names("loop.observables", set(self.observables), set(OBSERVABLES))
        unknown = sorted(set(self.actuators) - set(ACTUATORS))
        if unknown:
            raise ValueError(f"loop.actuators: unknown {unknown}, known are {sorted(ACTUATORS)}")
        mains = [one.actuator for one in self.observables.values()]
        if sorted(mains) != sorted(self.actuators):
            raise ValueError(f"each actuator must be the main one of exactly one observable: wanted "
                             f"{sorted(self.actuators)}, got {sorted(mains)}")  # fmt: skip
        return self


class Alarms(Strict):
    """When absence becomes an alarm."""

    no_frame_after_s: Positive = 180.0


class Station(Strict):
    """One imaging station: its links, cameras, loop and matrices."""

    title: str
    links: Links
    pairing: Pairing = Pairing()
    cameras: Annotated[list[Camera], Field(min_length=1)]
    loop: Loop
    matrices: dict[str, dict[str, dict[str, Finite]]]
    alarms: Alarms = Alarms()

    @model_validator(mode="after")
    def _one_camera_per_view(self) -> Self:
        for view in ("x", "y"):
            names = [camera.name for camera in self.cameras if camera.enabled and camera.view == view]
            if len(names) != 1:
                raise ValueError(f"cameras: view {view!r} needs exactly one enabled camera, got {names}")
        return self

    @model_validator(mode="after")
    def _matrices_are_whole(self) -> Self:
        if self.loop.matrix not in self.matrices:
            raise ValueError(f"loop.matrix: wanted one of {sorted(self.matrices)}, got {self.loop.matrix!r}")
        for name, matrix in self.matrices.items():
            _same_names(f"matrices.{name}", set(matrix), set(OBSERVABLES))
            for observable, row in matrix.items():
                unknown = sorted(set(row) - set(self.loop.actuators))
                if unknown:
                    raise ValueError(f"matrices.{name}.{observable}: {unknown} are not actuators of the loop")
            self._refuse_singular(name)
        return self

    @model_validator(mode="after")
    def _targets_are_in_reach(self) -> Self:
        loop = self.loop
        away = np.array([loop.observables[name].target - loop.observables[name].reference for name in OBSERVABLES])
        needed = np.linalg.solve(self.response(), away)
        for (name, one), step in zip(loop.actuators.items(), needed, strict=True):
            if not one.minimum <= one.nominal + step <= one.maximum:
                raise ValueError(f"loop.observables: targets out of reach, they need {name} = "
                                 f"{one.nominal + step:.6g}, wanted [{one.minimum:g}, {one.maximum:g}]")  # fmt: skip
        return self

    def _refuse_singular(self, name: str) -> None:
        left, strengths, _ = np.linalg.svd(self.scaled_response(name))
        if not strengths[-1] >= LEAST_STRENGTH * strengths[0]:
            weakest = list(OBSERVABLES)[int(np.argmax(np.abs(left[:, -1])))]
            raise ValueError(f"matrices.{name}: singular: the actuators move {weakest} too little, wanted the weakest "
                             f"combination at least {LEAST_STRENGTH:g} of the strongest after scaling, got "
                             f"{strengths[-1] / max(strengths[0], 1e-300):.2g}")  # fmt: skip

    def camera(self, view: View) -> Camera:
        """The enabled camera that serves this view."""
        return next(camera for camera in self.cameras if camera.enabled and camera.view == view)

    def response(self, name: str | None = None) -> Array:
        """The response matrix (observables x actuators, SI), in force or by name; columns as in `loop.actuators`."""
        rows = self.matrices[name or self.loop.matrix]
        return np.array([[rows[o].get(a, 0.0) for a in self.loop.actuators] for o in OBSERVABLES])

    def scaled_response(self, name: str | None = None) -> Array:
        """The response with observables in units of their noise and actuators in units of what moves that much."""
        response = self.response(name)
        noise = np.array([self.loop.observables[o].noise for o in OBSERVABLES])
        order = list(self.loop.actuators)
        unit = np.ones(len(order))
        for row, observable in enumerate(OBSERVABLES):
            column = order.index(self.loop.observables[observable].actuator)
            gain = abs(response[row, column])
            unit[column] = noise[row] / gain if gain > 0 else 1.0
        scaled: Array = response * unit[None, :] / noise[:, None]
        return scaled


class Config(Strict):
    """The whole file."""

    schema_number: Annotated[Literal[1], Field(alias="schema")]
    default_station: str
    stations: Annotated[dict[str, Station], Field(min_length=1)]

    @model_validator(mode="after")
    def _default_exists(self) -> Self:
        if self.default_station not in self.stations:
            raise ValueError(f"default_station: wanted one of {sorted(self.stations)}, got {self.default_station!r}")
        return self


def _same_names(where: str, got: set[str], wanted: set[str]) -> None:
    if got != wanted:
        missing, unknown = sorted(wanted - got), sorted(got - wanted)
        raise ValueError(f"{where}: missing {missing}, unknown {unknown}, known are {sorted(wanted)}")


def default_text() -> str:
    """Return the commented default configuration."""
    return importlib.resources.files("magis_calib.domain").joinpath("default.toml").read_text(encoding="utf-8")


DEFAULT_SOURCE = Path("default.toml")
"""Name shown in messages about the shipped default."""
