"""What an operator may ask of a run. Commands are handed to the engine.

The answer is seen in the next snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from magis_calib.domain.control import Gain, Limits, Setpoints
from magis_calib.state.snapshot import LoopWord


@dataclass(frozen=True, slots=True)
class CloseLoop:
    """Send corrections from now on (also clears a latched fault)."""


@dataclass(frozen=True, slots=True)
class ShadowLoop:
    """Decide and log as if the loop were closed, send nothing."""


@dataclass(frozen=True, slots=True)
class HoldLoop:
    """Keep measuring, send nothing, keep the setpoints."""


@dataclass(frozen=True, slots=True)
class OpenLoop:
    """Keep measuring and let the operator move setpoints by hand."""


@dataclass(frozen=True, slots=True)
class StopRun:
    """End the run: stop accepting, drain, write the final state."""


@dataclass(frozen=True, slots=True)
class SetActuator:
    """Move one actuator to an absolute setpoint (SI) by hand; allowed while the loop is open."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class SetTarget:
    """Aim one observable at another value (SI) from now on."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class SetGain:
    """Believe another share of an observable's innovations from now on, for this run.

    "auto" learns it.
    """

    name: str
    value: Gain


@dataclass(frozen=True, slots=True)
class SetLimits:
    """Let the loop move one actuator within other limits (SI) from now on, for this run."""

    name: str
    limits: Limits


@dataclass(frozen=True, slots=True)
class ReturnTo:
    """Move to these setpoints in allowed steps. `label` names them in answers.

    Where the loop is closed, only what it does not move itself.
    """

    setpoints: Setpoints
    label: str


@dataclass(frozen=True, slots=True)
class StartProcedure:
    """Begin a procedure (the loop sends nothing while it runs); `options` are its own."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CancelProcedure:
    """End the procedure that runs; the setpoints go back to where it began."""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Say that somebody knows of an alarm; an empty key means all that stand."""

    key: str
    who: str


@dataclass(frozen=True, slots=True)
class NoteDrop:
    """Write a remark beside one drop."""

    drop_id: int
    text: str


@dataclass(frozen=True, slots=True)
class SetSpeed:
    """Replay only: times real time; infinity for as fast as possible, 0 for pause."""

    factor: float


@dataclass(frozen=True, slots=True)
class StepDrop:
    """Replay only: pause, but play one more drop."""


@dataclass(frozen=True, slots=True)
class JumpTo:
    """Replay only: go on with this drop, as if everything before it had been played."""

    drop_id: int


@dataclass(frozen=True, slots=True)
class Suppose:
    """Replay only: predict the recording with these targets (SI) and gains instead.

    Without any, forget it again.
    """

    targets: Mapping[str, float] = field(default_factory=dict)
    gains: Mapping[str, Gain] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Certify:
    """Count what was recorded so far and write the certificate."""


@dataclass(frozen=True, slots=True)
class MakeBundle:
    """Write log, configuration, newest drops and the last certificates into one file for whoever
    helps.
    """


@dataclass(frozen=True, slots=True)
class Promote:
    """Put the matrix of this product in force in the configuration file of the run, from the next
    start on.
    """

    product: str
    """Path."""
    who: str


Command = (
    CloseLoop
    | ShadowLoop
    | HoldLoop
    | OpenLoop
    | StopRun
    | SetActuator
    | SetTarget
    | SetGain
    | SetLimits
    | ReturnTo
    | StartProcedure
    | CancelProcedure
    | Acknowledge
    | NoteDrop
    | SetSpeed
    | StepDrop
    | JumpTo
    | Suppose
    | Certify
    | MakeBundle
    | Promote
)


TURNS: Mapping[type[Command], tuple[LoopWord, str]] = {
    CloseLoop: ("closed", "loop closed: corrections are sent"),
    ShadowLoop: ("shadow", "shadow: decides and logs, sends nothing"),
    HoldLoop: ("held", "loop held: nothing is sent"),
    OpenLoop: ("open", "loop open: setpoints may be moved by hand"),
}
"""What turns the loop's switch, to what, and how that is answered."""


def last_turn(commands: Sequence[Command]) -> LoopWord | None:
    """Return what the newest of these turns the loop's switch to; None where none does."""
    turns = [TURNS[type(one)][0] for one in commands if type(one) in TURNS]
    return turns[-1] if turns else None
