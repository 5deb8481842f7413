"""What an operator may ask of a run. Commands are handed to the engine; the answer is seen in the next snapshot."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CloseLoop:
    """Send corrections from now on (also clears a latched fault)."""


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
class NoteDrop:
    """Write a remark beside one drop."""

    drop_id: int
    text: str


@dataclass(frozen=True, slots=True)
class SetSpeed:
    """Replay only: times real time; infinity for as fast as possible, 0 for pause."""

    factor: float


Command = CloseLoop | HoldLoop | OpenLoop | StopRun | SetActuator | NoteDrop | SetSpeed
