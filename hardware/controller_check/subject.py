"""The controller that is checked: who speaks to it, and what it has told so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hardware.controller_check.conversation import Address, Conversation
from magis_calib.domain.quantities import ACTUATORS
from magis_calib.link.control_messages import Answer, ParameterMessage

LONGEST_SETTLING_S = 10.0
BUSY_TRIES = 5
BUSY_S = 0.5


@dataclass(slots=True)
class Subject:
    """What the stages of the check hand on."""

    to: Address
    first: Conversation
    """Has the lease."""
    patience_s: float
    move: bool
    """Whether anything may be moved."""
    tell: Callable[[str], None]
    """Takes a line about how it goes."""
    parameters: Mapping[str, ParameterMessage] = field(default_factory=dict)
    readback: Mapping[str, float] = field(default_factory=dict)

    @property
    def known(self) -> dict[str, float]:
        """The read-back of what is described, within its range: a setpoint that is accepted."""
        return {
            name: min(max(value, self.parameters[name].minimum), self.parameters[name].maximum)
            for name, value in self.readback.items()
            if name in self.parameters
        }

    def steps(self) -> dict[str, float]:
        """Return a setpoint for each that can be told from where it stands: the smallest."""
        found = {}
        for name, value in self.known.items():
            one = self.parameters[name]
            step = one.readback_tolerance + one.resolution
            target = value + step if value + step <= one.maximum else value - step
            if step <= one.step_limit and target >= one.minimum:
                found[name] = target
        return found

    def settling_s(self, *names: str) -> float:
        """Return how long these take to move, by their description."""
        told = [self.parameters[name].settle_time_s for name in names or self.parameters]
        return min(LONGEST_SETTLING_S, max(told, default=0.0))

    def read(self) -> Mapping[str, float]:
        """Ask for the read-back; an empty one where none is told."""
        answer = self.first.ask("read")
        return answer.readback or {} if answer is not None else {}

    def write(
        self, setpoints: Mapping[str, float], *, commit: bool, by: Conversation | None = None
    ) -> Answer | None:
        """Ask for a write, again while the device is busy."""
        who = by or self.first
        for _ in range(BUSY_TRIES):
            answer = who.ask("write", setpoints=dict(setpoints), commit=commit)
            if answer is None or answer.error is None or answer.error.code != "busy":
                break
            who.listen(BUSY_S)
        return answer

    def off(self, readback: Mapping[str, float], wanted: Mapping[str, float]) -> str:
        """Say which parameter reads otherwise than wanted; empty where all are near enough."""
        words = []
        for name, value in wanted.items():
            got = readback.get(name)
            if got is None or not abs(got - value) <= self.parameters[name].readback_tolerance:
                words.append(f"{name} reads {got}, not {self.with_unit(name, value)}")
        return "; ".join(words)

    def with_unit(self, name: str, value: float) -> str:
        """Write a number of this parameter, SI."""
        unit = ACTUATORS[name].unit if name in ACTUATORS else self.parameters[name].unit
        return f"{value:.10g} {unit}"
