"""The safety state: whether anything may reach the hardware now, and why.

Each change with its cause.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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
    """Remembers the state and how it came about, and lets writes pass or not. For any thread.

    What the loop sends passes in `closed` (or as part of a procedure) alone, what the operator or a
    procedure moves in `idle` alone: the state is changed, and told, before anything is sent.
    """

    def __init__(self) -> None:
        """Begin idle."""
        self.state: SafetyWord = "idle"
        self.cause = "the run begins"
        self.announce: Callable[[], None] = lambda: None
        """Has a change shown to everybody before what it is about happens."""
        self._changes: deque[SafetyChange] = deque(maxlen=CHANGES_KEPT)
        self._changing = threading.RLock()
        self._switch = "open"
        self._fault = ""
        self._passing = ""
        """What passes now: "correction", "move" or nothing."""
        self._words = ""

    @property
    def changes(self) -> tuple[SafetyChange, ...]:
        """The newest changes, oldest first."""
        return tuple(self._changes)

    def follow(self, switch: str, fault: str, obstacle: str) -> None:
        """Take in what is wanted, and why wanted corrections are not sent.

        An obstacle of the drop before does not count while a correction passes: it was judged anew.
        """
        with self._changing:
            self._switch = switch
            self._fault = fault
            self._follow(obstacle)

    @contextmanager
    def correcting(self) -> Iterator[str]:
        """Let a correction of the loop pass: yield why not, empty where it may be sent.

        The state cannot change while it is sent.
        """
        with self._passed("correction", "corrections are sent"), self._changing:
            self._follow("")
            allowed = self.state == "closed" or (
                self.state == "idle" and self._switch == "procedure"
            )
            yield "" if allowed else f"safety state {self.state}: {self.cause}"

    @contextmanager
    def moving(self, words: str) -> Iterator[str]:
        """Let a move pass that the operator, a procedure or the end of the run wants."""
        with self._passed("move", words), self._changing:
            yield "" if self.state != "stopped" else "the run has ended"

    def become(self, state: SafetyWord, cause: str) -> None:
        """Change, and log it. Raises `ValueError` for a change that there is not."""
        with self._changing:
            self._become(state, cause)

    @contextmanager
    def _passed(self, what: str, words: str) -> Iterator[None]:
        """Have the state follow what passes, and shown, before and after."""
        with self._changing:
            before = self.state
            self._passing = what
            self._words = words
            self._follow("")
            changed = self.state != before
        if changed:
            self.announce()
        try:
            yield
        finally:
            with self._changing:
                self._passing = ""

    def _follow(self, obstacle: str) -> None:
        if self.state == "stopped":
            return
        if self._passing == "move":
            self._become("idle", self._words)
        else:
            passing = self._passing == "correction"
            self._become(*safety_of(self._switch, self._fault, "" if passing else obstacle))

    def _become(self, state: SafetyWord, cause: str) -> None:
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
