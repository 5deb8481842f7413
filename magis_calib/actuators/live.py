"""Moves the actuators: knows where they stand, and says exactly what became of a move.

Next on the path of a pair: `magis_calib/actuators/controllers.py`.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Mapping
from dataclasses import replace

from magis_calib.actuators.checks import disagreements, elsewhere, not_ready, strayed
from magis_calib.actuators.controllers import ControllerSet, Sent
from magis_calib.actuators.moves import MOST_STEPS, MoveResult, next_step, still_away, unreachable
from magis_calib.actuators.timeline import Timeline
from magis_calib.config.station import Station
from magis_calib.domain.control import Decision, ParameterFacts, Setpoints
from magis_calib.domain.devices import ActuatorState
from magis_calib.domain.errors import ControllerError
from magis_calib.domain.limits import BrokenLimit, broken_limit
from magis_calib.domain.quantities import ACTUATORS
from magis_calib.feedback.evaluation import Evaluation
from magis_calib.state.answer import Refusal


class LiveActuators:
    """Moves the actuators of one station. Used by the worker thread only."""

    def __init__(self, controllers: ControllerSet, station: Station) -> None:
        """Know nothing yet: `prepare` asks the controllers."""
        self._controllers = controllers
        self._station = station
        self._names = tuple(station.loop.actuators)
        self._timeline: Timeline | None = None
        self._setpoints: dict[str, float] = {}
        self._readback: dict[str, float] = {}
        self._latest_drop = 0
        self._start: dict[str, float] = {}
        self.problem = "the controllers have not been asked yet"
        """Why nothing can be sent now; empty when all is known."""
        self.doubt = ""
        """Why the loop should not send although it could: read-back, lock, or a scan.

        The operator may.
        """
        self.astray = ""
        """Which actuators read other than commanded; empty where none does."""

    @property
    def facts(self) -> Mapping[str, ParameterFacts]:
        """What the controllers say about their parameters."""
        return self._controllers.facts

    @property
    def held(self) -> str:
        """Why the loop may not send anything now; empty when the controllers are ready."""
        return self.problem or self.doubt

    def prepare(self) -> bool:
        """Ask the controllers again where needed, and whether they are ready.

        Return whether they can be sent to.
        """
        absent = self._controllers.absent()
        if absent:
            self.problem = absent
            return False
        try:
            if self.problem or self._controllers.restarted():
                self._learn()
            else:
                self._notice(self._controllers.read())
            self._doubt_again()
        except ControllerError as error:
            self.problem = str(error)
        return not self.problem

    def _learn(self) -> None:
        """Ask the controllers what they have, and where they stand."""
        readback = self._controllers.learn()
        self.problem = disagreements(self.facts, self._controllers.owner, self._station)
        if readback.keys() >= set(self._names):
            self._settle(readback)

    def _doubt_again(self) -> None:
        """Judge anew whether the loop should send."""
        self.astray = strayed(self._setpoints, self._readback, self.facts)
        self.doubt = (
            not_ready(self._controllers.statuses())
            or self.astray
            or elsewhere(self._station, self._readback, self.facts)
        )

    def accept(self) -> None:
        """Take the actuators where they stand: the operator closes the loop there."""
        if self._timeline is not None:
            self._settle(self._readback)

    def in_force(self, drop_id: int) -> Setpoints:
        """Return the setpoints that the atoms of this drop saw.

        Empty before the controllers are known.
        """
        self._latest_drop = max(self._latest_drop, drop_id)
        return self._timeline.in_force(drop_id) if self._timeline else {}

    def commanded(self) -> Setpoints:
        """Return where the actuators go by everything sent so far, as read back."""
        return self._timeline.newest() if self._timeline else {}

    def waiting_for_drop(self) -> int | None:
        """Return the first drop that sees the newest setpoints, while it has not come."""
        first = self._timeline.first_drop_with_newest() if self._timeline else None
        return first if first is not None and first > self._latest_drop else None

    def act(self, drop_id: int, evaluation: Evaluation, received_s: float) -> Decision:
        """Send the proposal of one drop unless it is held; return the ledger's entry."""
        decided_ns = time.time_ns()
        if evaluation.hold is not None or evaluation.proposal is None:
            return evaluation.held(drop_id, decided_ns)
        sent = self._send(evaluation.proposal.limited)
        applied_s = time.monotonic() - received_s
        return replace(
            evaluation.held(drop_id, decided_ns),
            outcome=sent.outcome,
            reason=sent.reason,
            code=sent.code,
            sent=sent.sent,
            readback={name: sent.readback[name] for name in self._names if name in sent.readback},
            effective_drop=max(sent.effective.values(), default=None),
            received_to_applied_s=applied_s if sent.outcome == "applied" else None,
        )

    def by_hand(self, name: str, value: float) -> str:
        """Move one actuator for the operator; return in words what became of it."""
        if not self.prepare():
            return Refusal(f"not sent: {self.problem}")
        if name not in self.facts:
            return Refusal(f"not sent: {name} is not an actuator of any controller")
        sent = self._send({name: value})
        shown = ACTUATORS[name]
        if sent.outcome == "applied":
            there = shown.shown(sent.readback[name])
            return (
                f"{shown.label} set by hand, reads {there} {shown.shown_unit} from drop "
                f"{sent.effective[name]} on"
            )
        return f"{shown.label} {sent.outcome.replace('_', ' ')}: {sent.reason}"

    def restore(self) -> MoveResult:
        """Go back to the setpoints found at the start."""
        if not self._start:
            return MoveResult(True, "the setpoints of the start were never read: nothing was moved")
        return self.go_to(
            {name: self._start[name] for name in self._names}, "the setpoints of the start"
        )

    def go_to(self, goal: Setpoints, words: str) -> MoveResult:
        """Go to these setpoints in steps that every controller allows.

        `words` name them in what is said of it.
        """
        failed = f"did not go to {words}: "
        if not self.prepare() or not goal:
            return MoveResult(False, failed + (self.problem or "they are not known"))
        away = still_away(goal, self._readback, self.facts)
        if not away:
            return MoveResult(True, f"stands at {words} already: nothing was moved")
        if problem := unreachable(away, self._readback, self.facts):
            return MoveResult(False, failed + problem)
        number, problem = self._walk(away)
        if problem:
            return MoveResult(False, failed + problem)
        plural = "s" if number > 1 else ""
        return MoveResult(True, f"went to {words} in {number} step{plural}, read back")

    def _walk(self, goal: Setpoints) -> tuple[int, str]:
        """Go there in steps; return how many, and what stopped it (empty where nothing did)."""
        for number in range(1, MOST_STEPS + 1):
            steps = next_step(goal, self._readback, self.facts)
            sent = self._send(steps)
            if sent.outcome != "applied":
                return number, f"{sent.reason} (at step {number})"
            if steps == goal:
                return number, ""
        return MOST_STEPS, f"not there after {MOST_STEPS} steps"

    def final_readback(self) -> Setpoints:
        """Ask the controllers once more where they stand; what does not answer is left out."""
        found: dict[str, float] = {}
        for controller in self._controllers.by_name.values():
            try:
                found.update(controller.read())
            except ControllerError as error:
                self.problem = str(error)
        return found

    def final_status(self) -> Mapping[str, Mapping[str, str | int | float | bool]]:
        """Ask the controllers for their state words; who does not answer is left out."""
        found = {}
        for name, controller in self._controllers.by_name.items():
            with contextlib.suppress(ControllerError):
                found[name] = controller.status()
        return found

    def states(self) -> tuple[ActuatorState, ...]:
        """Return every actuator with setpoint, read-back and limits."""
        nan = float("nan")
        return tuple(
            ActuatorState(
                name,
                self._controllers.owner[name],
                self._setpoints.get(name, nan),
                self._readback.get(name, nan),
                facts.minimum,
                facts.maximum,
                facts.step_limit,
                facts.readback_tolerance,
            )
            for name, facts in self.facts.items()
        )

    def _send(self, setpoints: Setpoints) -> Sent:
        for name, value in setpoints.items():
            if broken := self._broken(name, value):
                return Sent("refused", f"{broken}; nothing was sent", code="limit")
        sent = self._controllers.send(setpoints)
        self._remember(sent)
        if sent.outcome == "half_applied" or (sent.outcome == "unverified" and not sent.answered):
            self.problem = f"the setpoints must be read again: {sent.reason}"
        return sent

    def _broken(self, name: str, value: float) -> BrokenLimit | None:
        """Return the limit that this setpoint would break."""
        slack = self.facts[name].readback_tolerance if name in self.facts else 0.0
        return broken_limit(name, value, self.facts, self._readback.get(name, math.nan), slack)

    def _remember(self, sent: Sent) -> None:
        """Take in what was sent, and from which drop on it is in force."""
        self._setpoints.update(sent.sent)
        self._readback.update(sent.readback)
        if self._timeline is None:
            return
        for name, effective in sent.effective.items():
            self._timeline.change(effective, {name: sent.readback.get(name, sent.sent[name])})

    def _notice(self, readback: Setpoints) -> None:
        """Take in where the actuators stand.

        One that somebody else moved is in force from the next drop on.
        """
        moved = {
            name: value
            for name, value in readback.items()
            if abs(value - self._readback.get(name, value)) > self.facts[name].readback_tolerance
        }
        if moved and self._timeline is not None:
            self._timeline.change(self._latest_drop + 1, moved)
        self._readback.update(readback)

    def _settle(self, readback: Setpoints) -> None:
        """Take the read-backs as in force: from the start, or from the next drop after trouble."""
        self._readback.update(readback)
        self._setpoints.update(readback)
        if self._timeline is None:
            self._timeline = Timeline(readback)
            self._start = dict(readback)
        else:
            self._timeline.change(self._latest_drop + 1, readback)
