"""The safety state: whether anything may reach the hardware now, and why.

Each change with its cause.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

log = logging.getLogger(__name__)

SafetyWord = Literal["idle", "shadow", "closed", "held", "fault", "stopped"]
"""idle: the operator or a procedure moves setpoints, the loop sends nothing. shadow: it decides and
sends nothing.
closed: corrections are sent. held: they are wanted, or paused by the operator, and nothing is sent.
fault: something broke. stopped: the run has ended."""

CHANGES: Mapping[SafetyWord, frozenset[SafetyWord]] = {
    "idle": frozenset({"shadow", "closed", "held", "fault", "stopped"}),
    "shadow": frozenset({"idle", "closed", "held", "fault", "stopped"}),
    "closed": frozenset({"idle", "shadow", "held", "fault", "stopped"}),
    "held": frozenset({"idle", "shadow", "closed", "fault", "stopped"}),
    "fault": frozenset({"idle", "shadow", "closed", "held", "stopped"}),
    "stopped": frozenset(),
}
"""What may follow what (docs/security.md, "Safety state"): a run that has stopped never begins
again.
"""
STATE_WANTED: Mapping[str, SafetyWord] = {
    "open": "idle",
    "procedure": "idle",
    "shadow": "shadow",
    "held": "held",
    "closed": "closed",
}
"""What the loop's switch asks for."""
CHANGES_KEPT = 200


@dataclass(frozen=True, slots=True)
class SafetyChange:
    """One state that was left for another."""

    time_ns: int
    """UTC."""
    before: SafetyWord
    state: SafetyWord
    cause: str


def safety_of(switch: str, fault: str, obstacle: str) -> tuple[SafetyWord, str]:
    """Return the state and its cause.

    `switch`: the loop's; `obstacle`: why wanted corrections are not sent.
    """
    if fault:
        return "fault", fault
    state = STATE_WANTED[switch]
    if state == "closed":
        return ("held", obstacle) if obstacle else ("closed", "corrections are sent")
    return state, obstacle or f"the loop's switch: {switch}"


class Safety:
    """Remembers the state and how it came about. Used by one thread at a time."""

    def __init__(self) -> None:
        """Begin idle."""
        self.state: SafetyWord = "idle"
        self.cause = "the run begins"
        self._changes: deque[SafetyChange] = deque(maxlen=CHANGES_KEPT)

    @property
    def changes(self) -> tuple[SafetyChange, ...]:
        """The newest changes, oldest first."""
        return tuple(self._changes)

    def become(self, state: SafetyWord, cause: str) -> None:
        """Change, and log it. Raises `ValueError` for a change that there is not."""
        if state == self.state:
            self.cause = cause
            return
        if state not in CHANGES[self.state]:
            wanted = sorted(CHANGES[self.state])
            raise ValueError(
                f"safety state after {self.state}: wanted one of {wanted}, got {state}"
            )
        log.info("safety state %s -> %s: %s", self.state, state, cause)
        self._changes.append(SafetyChange(time.time_ns(), self.state, state, cause))
        self.state = state
        self.cause = cause
