"""What a procedure declares of itself, how it asks for what it needs, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from magis_calib.config.station import Station
from magis_calib.domain.camera import SequenceType
from magis_calib.domain.control import ParameterFacts, Setpoints
from magis_calib.domain.drop_record import DropRecord
from magis_calib.state.procedure import Axes


@dataclass(frozen=True, slots=True)
class Request:
    """Take so many drops of this type at these setpoints (absolute, SI.

    What is not named stays).
    """

    setpoints: Setpoints
    words: str
    drops: int = 1
    sequence_type: SequenceType = "interferometer"
    loop: Literal["off", "closed", "as_wanted"] = "off"
    """Whether the loop corrects meanwhile: not, in any case, or as the operator wants it."""
    curves: tuple[Axes, ...] = ()
    """What is drawn of the drops.

    Points are added for as long as what is asked for draws the same.
    """
    part: str = ""
    """Which of several curves in one plot the drops belong to, in words."""


@dataclass(frozen=True, slots=True)
class ProcedureResult:
    """How a procedure ended."""

    good: bool
    words: str
    """A line that a person reads."""
    product: Mapping[str, Any] = field(default_factory=dict)
    """Numbers to be kept: names, units and errors stand beside the values."""
    keep: Setpoints = field(default_factory=dict)
    """Setpoints to stay at; all others go back to where the procedure began."""


@dataclass(frozen=True, slots=True)
class StartingPoint:
    """Where a procedure begins."""

    station: Station
    facts: Mapping[str, ParameterFacts]
    base: Setpoints
    """Setpoints in force."""


def over_drops(station: Station, observables: Iterable[str]) -> tuple[Axes, ...]:
    """Return what shows these observables drop by drop beside their targets."""
    wanted = station.loop.observables
    return tuple(
        Axes(name, target=wanted[name].target, tolerance=wanted[name].tolerance)
        for name in observables
    )


@dataclass(frozen=True, slots=True)
class Option:
    """A keyword of the function that begins a procedure, and how the command line calls it."""

    name: str
    flag: str
    meaning: str
    read: Callable[[str], Any] = float
    """Reads one word of the command line."""
    default: Any = None
    many: bool = False
    """It may be given several times: the keyword takes a list."""


@dataclass(frozen=True, slots=True)
class ProcedureSpec:
    """What one procedure is: the command line and the window both follow from it."""

    name: str
    summary: str
    begin: Callable[..., Procedure]
    """Takes a `StartingPoint` and the options as keywords."""
    planned: Callable[[Mapping[str, Any]], int]
    """Tells from the options about how many drops it takes."""
    options: tuple[Option, ...] = ()
    moves: str = "every actuator of the loop a little to both sides, and back at the end"
    """What moves, for whoever is asked before it begins."""
    about: str = ""
    """What the command's help says beyond the summary."""
    group: str = ""
    """It is one of several under this command: `scan detuning` is the procedure scan_detuning."""
    beside_loop: bool = False
    """It runs beside the closed loop."""

    @property
    def drops(self) -> int:
        """About how many drops it takes where no option is given."""
        return self.planned({})


Procedure = Generator[Request, tuple[DropRecord, ...], ProcedureResult]
"""Yields what it asks for, is sent the drops, returns the result.

`ProcedureError` where it cannot go on.
"""
