"""Send one setpoint vector: checked by every controller, then written to each, then read back.

Next on the path of a pair: `hardware/controller.py`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from magis_calib.actuators.checks import Status, strayed
from magis_calib.domain.control import Outcome, ParameterFacts, Setpoints, WriteAnswer
from magis_calib.domain.devices import Controller, Oddity
from magis_calib.domain.errors import ControllerError, Refused

LONGEST_WAIT_S = 2.0
"""A motion is waited for so long in place; a longer one holds the loop until it is read back."""
FIRST_LOOK_S = 0.005
"""Pause before a read-back that is off is asked for again; each further pause is longer."""
FURTHEST_DROPS = 1_000
"""A write that is said to take effect later than this many drops is not believed."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of sending a vector."""

    outcome: Outcome
    reason: str
    sent: Setpoints = field(default_factory=dict)
    """What was written, whether answered or not."""
    readback: Setpoints = field(default_factory=dict)
    effective: Mapping[str, int] = field(default_factory=dict)
    """First drop that sees it, by actuator."""
    guessed: frozenset[str] = frozenset()
    """Actuators of which the controller did not say from which drop on."""
    unanswered: frozenset[str] = frozenset()
    """Actuators that were written, of which nobody knows whether it was done."""
    code: str = ""
    """Why it was not done as wanted, for who concludes from it; see `Decision.code`."""
    time_s: float = 0.0
    """When the last of it was written (monotonic)."""


class ControllerSet:
    """The controllers of one station and what they said about their parameters.

    `facts` and `owner` are replaced, never changed: other threads look at them.
    """

    def __init__(self, controllers: Mapping[str, Controller]) -> None:
        """Hold the controllers by name; nothing is asked of them yet."""
        self.by_name = controllers
        self.facts: dict[str, ParameterFacts] = {}
        self.owner: dict[str, str] = {}
        self.sessions: dict[str, str | None] = {}
        self.latest_drop = 0
        """The newest drop whose frames came, told by who works on them."""

    def learn(self) -> Setpoints:
        """Ask every controller what it has and where it stands; return all read-backs.

        Raises `ControllerError`.
        """
        facts: dict[str, ParameterFacts] = {}
        owner: dict[str, str] = {}
        for name, controller in self.by_name.items():
            self.sessions[name] = controller.session()
            described = controller.describe()
            owner.update(dict.fromkeys(described, name))
            facts.update(described)
        self.facts = facts
        self.owner = owner
        return self.read()

    def read(self) -> Setpoints:
        """Ask every controller where it stands. Raises `ControllerError`.

        A parameter is told by the controller that describes it: what others say is left out.
        """
        readback: dict[str, float] = {}
        for name, controller in self.by_name.items():
            told = controller.read()
            readback.update(
                {key: value for key, value in told.items() if self.owner.get(key) == name}
            )
        return readback

    def statuses(self) -> dict[str, Status]:
        """Ask every controller for its state words. Raises `ControllerError`."""
        return {name: controller.status() for name, controller in self.by_name.items()}

    def absent(self) -> str:
        """Say which controllers are not there; empty when all are. Never blocks."""
        links = (controller.link() for controller in self.by_name.values())
        return "; ".join(f"{link.name}: {link.detail}" for link in links if not link.connected)

    def restarted(self) -> list[str]:
        """Return the controllers whose session is no longer the one that was learnt."""
        return [
            name
            for name, controller in self.by_name.items()
            if controller.session() != self.sessions.get(name)
        ]

    def newest_drop(self) -> int:
        """Return the last drop whose setpoints are latched: announced, or even photographed."""
        announced = (one.newest_drop() for one in self.by_name.values())
        return max(self.latest_drop, *announced)

    def late_writes(self) -> list[tuple[Setpoints, WriteAnswer]]:
        """Return the writes that were answered after their deadline, each once."""
        return [late for one in self.by_name.values() for late in one.late_writes()]

    def oddities(self) -> dict[str, Oddity]:
        """Return what controllers said lately that is not as agreed, by controller."""
        told = {name: controller.oddity() for name, controller in self.by_name.items()}
        return {name: oddity for name, oddity in told.items() if oddity is not None}

    def check(self, setpoints: Setpoints) -> Sent | None:
        """Ask every controller whether it would take these; return what speaks against sending."""
        absent = self.absent()
        if absent:
            return Sent("held", f"{absent}; nothing was sent", code="absent")
        try:
            for name, part in self._by_controller(setpoints).items():
                self.by_name[name].check(part)
        except Refused as error:
            return Sent("refused", str(error), code="refused")
        except ControllerError as error:
            return Sent("held", f"{error}; nothing was sent", code="unanswered")
        return None

    def write(self, setpoints: Setpoints) -> Sent:
        """Have every controller move. Never raises: what went wrong is the outcome."""
        so_far = Sent("unverified", "")
        for name, part in self._by_controller(setpoints).items():
            announced = self.newest_drop()
            try:
                answer = self.by_name[name].write(part)
            except Refused as error:
                return self._broken(error, so_far)
            except ControllerError as error:
                written = {**so_far.sent, **part}
                return self._broken(
                    error, replace(so_far, sent=written, unanswered=frozenset(part))
                )
            told = _believed(answer.effective_drop, announced)
            first = self.newest_drop() + 1 if told is None else told
            so_far = replace(
                so_far,
                sent={**so_far.sent, **part},
                readback={**so_far.readback, **self._own(name, answer.readback)},
                effective={**so_far.effective, **dict.fromkeys(part, first)},
                guessed=so_far.guessed | (part.keys() if told is None else set()),
            )
        return replace(so_far, time_s=time.monotonic())

    def arrived(self, sent: Sent) -> Sent:
        """Wait for the motion to end, as long as was described, and say whether it did."""
        if sent.reason:
            return sent
        end_s = sent.time_s + min(LONGEST_WAIT_S, self._settle_time_s(sent))
        pause_s = FIRST_LOOK_S
        looked = False
        while strayed(sent.sent, sent.readback, self.facts) and not (
            looked and time.monotonic() > end_s
        ):
            time.sleep(pause_s)
            pause_s *= 1.5
            looked = True
            try:
                sent = replace(sent, readback={**sent.readback, **self.read()})
            except ControllerError as error:
                return replace(sent, reason=str(error), code="unverified")
        off = "; ".join(strayed(sent.sent, sent.readback, self.facts).values())
        if off:
            return replace(sent, reason=off, code="readback_off")
        return replace(sent, outcome="applied")

    def _settle_time_s(self, sent: Sent) -> float:
        off = strayed(sent.sent, sent.readback, self.facts)
        return max((self.facts[name].settle_time_s for name in off), default=0.0)

    def _own(self, name: str, readback: Setpoints) -> dict[str, float]:
        return {key: value for key, value in readback.items() if self.owner.get(key) == name}

    def _broken(self, error: ControllerError, so_far: Sent) -> Sent:
        """One controller failed while writing: name what was done, and ask all where they stand."""
        done = sorted({self.owner[name] for name in so_far.sent.keys() - so_far.unanswered})
        outcome: Outcome = (
            "half_applied" if done else "refused" if isinstance(error, Refused) else "unverified"
        )
        reason = f"{error}; {' and '.join(done)} had already moved" if done else str(error)
        readback = dict(so_far.readback)
        for name, controller in self.by_name.items():
            try:
                readback.update(self._own(name, controller.read()))
            except ControllerError as silence:
                reason += f"; the state of {name} is unknown ({silence})"
        return replace(
            so_far,
            outcome=outcome,
            reason=reason,
            readback=readback,
            code=outcome,
            time_s=time.monotonic(),
        )

    def _by_controller(self, setpoints: Setpoints) -> dict[str, dict[str, float]]:
        parts: dict[str, dict[str, float]] = {}
        for name, value in setpoints.items():
            parts.setdefault(self.owner[name], {})[name] = value
        return parts


def _believed(told: int | None, announced: int) -> int | None:
    """Return the first drop that a controller says sees a write; None where that cannot be.

    `announced`: the last drop announced before it was sent, whose setpoints were latched then. A
    controller that does not hear of drops cannot know.
    """
    possible = told is not None and announced < told <= announced + FURTHEST_DROPS
    return told if possible else None
