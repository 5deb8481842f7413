"""The configuration: one TOML file, judged whole at the door.

The commented default is `default.toml` beside this.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from magis_calib.config.controllers import (
    ControllerConfig,
    ControllerName,
    refuse_shared,
    with_older_names,
)
from magis_calib.config.fields import (
    Endpoint,
    Finite,
    Pair,
    PeerName,
    Positive,
    Strict,
    Wait,
    Whole,
    is_loopback,
    same_names,
)
from magis_calib.config.loop import LoopConfig
from magis_calib.config.recording import Recording
from magis_calib.domain.camera import Orientation, View
from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES


class Links(Strict):
    """Addresses of the wire and how patient to be."""

    camera: Endpoint
    telemetry: Endpoint
    sockets: Literal["curve", "plain"] = "curve"
    """curve: encrypted, and only whose key is known is let in. plain: neither, on this machine
    alone.
    """
    reply_timeout_s: Wait = 1.0
    heartbeat_s: Wait = 1.0
    silent_after_s: Wait = 5.0


class Pairing(Strict):
    """How frames of one drop find each other."""

    wait_s: Wait = 5.0
    queue_bytes: Annotated[int, Field(ge=50_000_000)] = 400_000_000


class InsistedFacts(Strict):
    """Camera facts that the user wrote down: the driver must announce the same."""

    rows: Whole | None = None
    columns: Whole | None = None
    object_pixel_m: Positive | None = None
    gain: Positive | None = None
    offset: Finite | None = None
    read_noise: Finite | None = None
    saturation: Whole | None = None
    bits: Whole | None = None
    lsb_counts: Whole | None = None
    excess: Finite | None = None
    orientation: Orientation | None = None


class ParameterRule(Strict):
    """How the fit may treat one parameter (its unit): held at `fixed`, or bounded."""

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

    name: PeerName
    view: View
    enabled: bool = True
    model: str
    """A model of `magis_calib.estimation.models`, built in or from a user's package."""
    parameters: dict[str, ParameterRule] = Field(default_factory=dict)
    """Parameters of the model that are fixed or bounded."""
    port_a_displacement_m: Pair = (0.0, 7.5e-3)
    port_b_displacement_m: Pair = (0.0, -7.5e-3)
    expected_fringe: Pair = (1.0, 0.0)
    defects: str = ""
    facts: InsistedFacts = InsistedFacts()


class Alarms(Strict):
    """When absence becomes an alarm."""

    no_frame_after_s: Positive = 180.0
    worker_silent_s: Positive = 20.0


class Station(Strict):
    """One imaging station: its links, controllers, cameras, loop and matrices."""

    title: str
    links: Links
    controllers: dict[ControllerName, ControllerConfig]
    pairing: Pairing = Pairing()
    recording: Recording = Recording()
    cameras: Annotated[list[Camera], Field(min_length=1)]
    loop: LoopConfig
    matrices: dict[str, dict[str, dict[str, Finite]]]
    made_at: dict[str, dict[str, Finite]] = Field(default_factory=dict)
    """Of a matrix: setpoints outside the loop that it holds for."""
    alarms: Alarms = Alarms()

    @model_validator(mode="before")
    @classmethod
    def _knows_older_files(cls, table: Any) -> Any:
        return with_older_names(table)

    @model_validator(mode="after")
    def _plain_on_loopback_only(self) -> Self:
        far = [one for one in self.endpoints.values() if not is_loopback(one)]
        if self.links.sockets == "plain" and far:
            raise ValueError(
                'links.sockets = "plain": wanted addresses of this machine alone (127.0.0.1, '
                f'ipc), got {far}; others need "curve"'
            )
        return self

    @model_validator(mode="after")
    def _parameters_have_one_owner(self) -> Self:
        refuse_shared(self.controllers)
        for name in self.loop.actuators:
            if name not in self.owners:
                raise ValueError(f"loop.actuators.{name}: no controller has it as a parameter")
        return self

    @model_validator(mode="after")
    def _one_camera_per_view(self) -> Self:
        for view in ("x", "y"):
            names = [
                camera.name for camera in self.cameras if camera.enabled and camera.view == view
            ]
            if len(names) != 1:
                raise ValueError(
                    f"cameras: view {view!r} needs exactly one enabled camera, got {names}"
                )
        return self

    @model_validator(mode="after")
    def _matrices_are_whole(self) -> Self:
        if self.loop.matrix not in self.matrices:
            raise ValueError(
                f"loop.matrix: wanted one of {sorted(self.matrices)}, got {self.loop.matrix!r}"
            )
        for name, matrix in self.matrices.items():
            same_names(f"matrices.{name}", set(matrix), set(OBSERVABLES))
            for observable, row in matrix.items():
                unknown = sorted(set(row) - set(self.loop.actuators))
                if unknown:
                    raise ValueError(
                        f"matrices.{name}.{observable}: {unknown} are not actuators of the loop"
                    )
            self.loop.refuse_singular(name, self.response(name))
        return self

    @model_validator(mode="after")
    def _made_at_what_there_is(self) -> Self:
        for name, setpoints in self.made_at.items():
            if name not in self.matrices:
                raise ValueError(f"made_at: wanted one of {sorted(self.matrices)}, got {name!r}")
            wrong = sorted(set(setpoints) - (set(ACTUATORS) - set(self.loop.actuators)))
            if wrong:
                raise ValueError(f"made_at.{name}: {wrong} are not actuators outside the loop")
        return self

    @model_validator(mode="after")
    def _targets_are_in_reach(self) -> Self:
        self.loop.refuse_far_targets(self.response())
        return self

    @property
    def endpoints(self) -> dict[str, str]:
        """Every address: of the cameras' socket, of the telemetry, and of each controller."""
        own = {"camera": self.links.camera, "telemetry": self.links.telemetry}
        return own | {name: one.endpoint for name, one in self.controllers.items()}

    def at(self, endpoints: Mapping[str, str]) -> Self:
        """Return the same station at these addresses, by the names in `endpoints`."""
        links = {name: one for name, one in endpoints.items() if name not in self.controllers}
        controllers = {
            name: one.model_copy(update={"endpoint": endpoints.get(name, one.endpoint)})
            for name, one in self.controllers.items()
        }
        moved = self.links.model_copy(update=links)
        return self.model_copy(update={"links": moved, "controllers": controllers})

    @property
    def owners(self) -> dict[str, str]:
        """The controller that has each parameter."""
        return {one: name for name, has in self.controllers.items() for one in has.parameters}

    @property
    def announcer(self) -> str:
        """The controller that announces drops."""
        return next(name for name, one in self.controllers.items() if one.announces_drops)

    def camera(self, view: View) -> Camera:
        """The enabled camera that serves this view."""
        return next(camera for camera in self.cameras if camera.enabled and camera.view == view)

    def response(self, name: str | None = None) -> Array:
        """The response matrix (observables x actuators, SI), in force or by name.

        Columns as in `loop.actuators`.
        """
        rows = self.matrices[name or self.loop.matrix]
        return np.array([[rows[o].get(a, 0.0) for a in self.loop.actuators] for o in OBSERVABLES])


class Config(Strict):
    """The whole file."""

    schema_number: Annotated[Literal[1], Field(alias="schema")]
    default_station: str
    stations: Annotated[dict[PeerName, Station], Field(min_length=1)]

    @model_validator(mode="after")
    def _default_exists(self) -> Self:
        if self.default_station not in self.stations:
            raise ValueError(
                f"default_station: wanted one of {sorted(self.stations)}, got "
                f"{self.default_station!r}"
            )
        return self


def default_text() -> str:
    """Return the commented default configuration."""
    return (
        importlib.resources.files("magis_calib.config")
        .joinpath("default.toml")
        .read_text(encoding="utf-8")
    )


DEFAULT_SOURCE = Path("default.toml")
"""Name shown in messages about the shipped default."""
