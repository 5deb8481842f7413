"""What can go wrong in the simulated station, in which drops or how often (docs/faults.md)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, ClassVar, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from simulators.instrument.numbers import Finite, Strict

DropNumber = Annotated[int, Field(ge=1, strict=True)]
"""Drops are counted from the first of the run, which is 1."""
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Observable = Literal["x_m", "y_m", "z_m", "fringe_x_rad_per_m", "fringe_z_rad_per_m", "phase_rad"]


class KnownNames(NamedTuple):
    """What a fault may speak of: the context that a file of faults is judged in."""

    actuators: Collection[str]
    controllers: Collection[str]


def one_of(names: Collection[str], name: str) -> str:
    """Return the name. Raises `ValueError` where it is none of these."""
    if name not in names:
        raise ValueError(f"wanted one of {sorted(names)}, got {name!r}")
    return name


def _actuator(name: str, info: ValidationInfo) -> str:
    return one_of(info.context.actuators if info.context else (), name)


def _controller(name: str, info: ValidationInfo) -> str:
    """Without a context, any name: who makes a fault in code knows its controllers."""
    return one_of(info.context.controllers, name) if info.context else name


ActuatorName = Annotated[str, AfterValidator(_actuator)]
Controller = Annotated[str, AfterValidator(_controller)]


class Timed(Strict):
    """In which drops: `from_drop` to `until_drop`, or each with the probability `rate`."""

    momentary: ClassVar[bool] = False
    """Where neither `until_drop` nor `rate` is given: in one drop, rather than for ever."""
    from_drop: DropNumber = 1
    until_drop: DropNumber | None = None
    rate: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.until_drop is not None and self.until_drop < self.from_drop:
            raise ValueError(
                f"until_drop: wanted at least from_drop = {self.from_drop}, got {self.until_drop}"
            )
        return self

    def covers(self, number: int) -> bool:
        """Say whether the drop of this number is within the range."""
        if self.until_drop is None and self.rate is None and self.momentary:
            return number == self.from_drop
        return self.from_drop <= number and (self.until_drop is None or number <= self.until_drop)


class ActuatorFault(Timed):
    """Moves `factor` times as far as it is told, counted from where it stood."""

    kind: Literal["actuator"]
    name: ActuatorName
    factor: Finite


class Displacement(Timed):
    """A step added to the true disturbance."""

    observable: Observable
    size: Finite


class Disturbance(Displacement):
    """One that stays."""

    kind: Literal["disturbance"]


class Wild(Displacement):
    """One of a single drop."""

    momentary = True
    kind: Literal["wild"]


class Drifts(Displacement):
    """A disturbance that grows by `size` with each drop."""

    kind: Literal["drifts"]


class PhaseScrambled(Timed):
    """A phase that has nothing to do with the setpoints."""

    kind: Literal["phase_scrambled"]


class ContrastLost(Timed):
    """Clouds without a fringe."""

    kind: Literal["contrast_lost"]


class OutOfView(Timed):
    """Clouds beyond the edge of both pictures."""

    kind: Literal["out_of_view"]


class TwoClouds(Timed):
    """Half of the atoms in a second cloud beside the first."""

    kind: Literal["two_clouds"]


class NoAtoms(Timed):
    """A picture of the background alone."""

    kind: Literal["no_atoms"]


class FewAtoms(Timed):
    """A picture with a part of the atoms."""

    kind: Literal["few_atoms"]
    factor: Share


class Saturated(Timed):
    """A picture whose rows with atoms are at full scale."""

    kind: Literal["saturated"]


class Dark(Timed):
    """A picture that no light has reached."""

    kind: Literal["dark"]


class HalfExposed(Timed):
    """A picture whose lower half no light has reached."""

    kind: Literal["half_exposed"]


class OfController(Timed):
    """Something one of the controllers does wrong."""

    controller: Controller


class ControllerSilent(OfController):
    """Answers nothing and sends no heartbeat."""

    kind: Literal["controller_silent"]


class ControllerRestart(OfController):
    """A power cycle just before the drop; `setpoints` (SI): those not nominal after it."""

    momentary = True
    kind: Literal["controller_restart"]
    setpoints: Mapping[ActuatorName, Finite] = Field(default_factory=dict)


class ControllerSlow(OfController):
    """Answers so much later."""

    kind: Literal["controller_slow"]
    delay_s: Annotated[float, Field(gt=0, allow_inf_nan=False)]


class UnitChanged(Timed):
    """Describes a parameter in another unit than before."""

    kind: Literal["unit_changed"]
    name: ActuatorName
    unit: str


class ControllerDiesAfterCheck(OfController):
    """Neither does nor answers a committed write."""

    kind: Literal["controller_dies_after_check"]


class Refuses(OfController):
    """Refuses every write."""

    kind: Literal["refuses"]


class Clamps(Timed):
    """Limits what is written without a word, in the parameter's unit (SI)."""

    kind: Literal["clamps"]
    name: ActuatorName
    minimum: Finite
    maximum: Finite

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.maximum < self.minimum:
            raise ValueError(
                f"maximum: wanted at least minimum = {self.minimum:g}, got {self.maximum:g}"
            )
        return self


class ReadsOff(Timed):
    """Reads back wrong, by `size` in the parameter's unit (SI)."""

    kind: Literal["reads_off"]
    name: ActuatorName
    size: Finite


class ReadsOld(OfController):
    """The answer to a write shows where everything was before it: the motion takes time."""

    kind: Literal["reads_old"]


class KnowsNoDrops(OfController):
    """Does not say from which drop on a write takes effect."""

    kind: Literal["knows_no_drops"]


class ReadsMore(OfController):
    """Reads back a parameter that it never described."""

    kind: Literal["reads_more"]


class ActsLate(OfController):
    """What is written takes effect a drop later than it says."""

    kind: Literal["acts_late"]


class Exchanged(Timed):
    """Two actuators, each of which makes the steps that the other one is told to make."""

    kind: Literal["exchanged"]
    name: ActuatorName
    other: ActuatorName


class Unlocked(Timed):
    """The laser has lost its lock."""

    kind: Literal["unlocked"]
