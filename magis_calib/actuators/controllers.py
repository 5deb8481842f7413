"""Send one setpoint vector: checked by every controller, then written to each, then read back.

Next on the path of a pair: `hardware/controller.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from magis_calib.actuators.checks import Status, strayed
from magis_calib.domain.control import Outcome, ParameterFacts, Setpoints
from magis_calib.domain.devices import Controller
from magis_calib.domain.errors import ControllerError, Refused, Silent


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
    answered: bool = False
    """Every controller said what it did: only the read-back may be off."""
    code: str = ""
    """Why it was not done as wanted, for who concludes from it; see `Decision.code`."""


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

    def learn(self) -> Setpoints:
        """Ask every controller what it has and where it stands; return all read-backs.

        Raises `ControllerError`.
        """
        readback: dict[str, float] = {}
        for name, controller in self.by_name.items():
            described = controller.describe()
            self.owner = {**self.owner, **dict.fromkeys(described, name)}
            self.facts = {**self.facts, **described}
            readback.update(controller.read())
            self.sessions[name] = controller.session()
        return readback

    def read(self) -> Setpoints:
        """Ask every controller where it stands. Raises `ControllerError`."""
        readback: dict[str, float] = {}
        for controller in self.by_name.values():
            readback.update(controller.read())
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

    def send(self, setpoints: Setpoints) -> Sent:
        """Move to these absolute setpoints. Never raises: what went wrong is the outcome."""
        absent = self.absent()
        if absent:
            return Sent("held", f"{absent}; nothing was sent", code="absent")
        parts = self._by_controller(setpoints)
        try:
            for name, part in parts.items():
                self.by_name[name].check(part)
        except Refused as error:
            return Sent("refused", str(error), code="refused")
        except ControllerError as error:
            return Sent("held", f"{error}; nothing was sent", code="unanswered")
        return self._write(parts)

    def _write(self, parts: Mapping[str, Setpoints]) -> Sent:
        sent: dict[str, float] = {}
        readback: dict[str, float] = {}
        effective: dict[str, int] = {}
        done: list[str] = []
        for name, part in parts.items():
            try:
                answer = self.by_name[name].write(part)
            except ControllerError as error:
                if isinstance(error, Silent):
                    sent.update(part)
                return self._broken(error, done, Sent("unverified", "", sent, readback, effective))
            done.append(name)
            sent.update(part)
            readback.update(answer.readback)
            effective.update(dict.fromkeys(part, answer.effective_drop))
        off = strayed(sent, readback, self.facts)
        outcome: Outcome = "unverified" if off else "applied"
        code = "readback_off" if off else ""
        return Sent(outcome, off, sent, readback, effective, True, code)

    def _broken(self, error: ControllerError, done: list[str], so_far: Sent) -> Sent:
        """One controller failed while writing: name what was done, and ask all where they stand."""
        outcome: Outcome = (
            "half_applied" if done else "refused" if isinstance(error, Refused) else "unverified"
        )
        reason = f"{error}; {' and '.join(done)} had already moved" if done else str(error)
        readback = dict(so_far.readback)
        for name, controller in self.by_name.items():
            try:
                readback.update(controller.read())
            except ControllerError as silence:
                reason += f"; the state of {name} is unknown ({silence})"
        return Sent(outcome, reason, so_far.sent, readback, so_far.effective, code=outcome)

    def _by_controller(self, setpoints: Setpoints) -> dict[str, dict[str, float]]:
        parts: dict[str, dict[str, float]] = {}
        for name, value in setpoints.items():
            parts.setdefault(self.owner[name], {})[name] = value
        return parts
