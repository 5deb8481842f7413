"""Moves the actuators: knows where they stand, and says exactly what became of a move.

Next on the path of a pair: `magis_calib/actuators/controllers.py`.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace

from magis_calib.actuators.checks import disagreements, elsewhere, not_ready, strayed
from magis_calib.actuators.controllers import ControllerSet, Sent
from magis_calib.actuators.moves import MOST_STEPS, MoveResult, next_step, still_away, unreachable
from magis_calib.actuators.whereabouts import Whereabouts
from magis_calib.config.station import Station
from magis_calib.domain.control import Decision, ParameterFacts, Setpoints
from magis_calib.domain.devices import ActuatorState, Oddity
from magis_calib.domain.errors import ControllerError
from magis_calib.domain.limits import BrokenLimit, broken_limit
from magis_calib.domain.quantities import ACTUATORS
from magis_calib.feedback.evaluation import Evaluation
from magis_calib.state.answer import Refusal
from magis_calib.state.safety import Safety


class LiveActuators:
    """Moves the actuators of one station. Used by the worker thread only."""

    def __init__(self, controllers: ControllerSet, station: Station, safety: Safety) -> None:
        """Know nothing yet: `prepare` asks the controllers. `safety` lets writes pass, or not."""
        self._controllers = controllers
        self._station = station
        self._safety = safety
        self._names = tuple(station.loop.actuators)
        self._whereabouts = Whereabouts()
        self._drop = 0
        self.problem = "the controllers have not been asked yet"
        """Why nothing can be sent now; empty when all is known."""
        self.doubt = ""
        """Why the loop should not send although it could: read-back, lock, or a scan.

        The operator may.
        """
        self._strayed = ""

    @property
    def facts(self) -> Mapping[str, ParameterFacts]:
        """What the controllers say about their parameters."""
        return self._controllers.facts

    @property
    def held(self) -> str:
        """Why the loop may not send anything now; empty when the controllers are ready."""
        return self.problem or self.doubt

    @property
    def astray(self) -> str:
        """Why nobody knows what the atoms of the drop asked for last saw; empty where it is known.

        Actuators that read other than commanded, or moved about this drop.
        """
        doubt = self._whereabouts.doubt_about(self._drop)
        return self._strayed or "; ".join(filter(None, (doubt and self.problem, doubt)))

    def oddities(self) -> Mapping[str, Oddity]:
        """Return what controllers said lately that is not as agreed, by controller."""
        return self._controllers.oddities()

    def prepare(self) -> bool:
        """Ask the controllers again where needed, and whether they are ready.

        Return whether they can be sent to.
        """
        absent = self._controllers.absent()
        if absent:
            self.problem = absent
            return False
        try:
            for setpoints, answer in self._controllers.late_writes():
                self._whereabouts.done_late(setpoints, answer, self.facts)
            if self.problem or self._controllers.restarted():
                self._learn()
            else:
                self._read()
            self._doubt_again()
        except ControllerError as error:
            self.problem = str(error)
        return not self.problem

    def _learn(self) -> None:
        """Ask the controllers what they have, and where they stand."""
        again = bool(self._controllers.restarted())
        readback = self._controllers.learn()
        self.problem = disagreements(self.facts, self._controllers.owner, self._station)
        missing = sorted((self.facts.keys() | set(self._names)) - readback.keys())
        if missing:
            self.problem = self.problem or f"no controller tells where {missing[0]} stands"
        elif again or self._whereabouts.timeline is None:
            self._whereabouts.settle(readback, self._controllers.newest_drop())
        else:
            self._take(readback)

    def _read(self) -> None:
        """Take in where the actuators stand: one that is not told any more is astray."""
        self._take(self._controllers.read())

    def _take(self, readback: Setpoints) -> None:
        now_s = time.monotonic()
        self._whereabouts.read(readback, self._controllers.newest_drop(), self.facts, now_s)

    def _doubt_again(self) -> None:
        """Judge anew whether the loop should send."""
        where = self._whereabouts
        self._strayed = "; ".join(strayed(where.setpoints, where.readback, self.facts).values())
        self.doubt = (
            not_ready(self._controllers.statuses())
            or self._strayed
            or elsewhere(self._station, where.readback, self.facts)
        )

    def accept(self) -> None:
        """Take the actuators where they stand: the operator closes the loop there."""
        where = self._whereabouts
        if where.timeline is not None and where.readback.keys() >= self.facts.keys():
            where.settle(where.readback, self._controllers.newest_drop())

    def in_force(self, drop_id: int) -> Setpoints:
        """Return the setpoints that the atoms of this drop saw, a guess where it is `astray`.

        Empty before the controllers are known.
        """
        self._drop = drop_id
        self._controllers.latest_drop = max(self._controllers.latest_drop, drop_id)
        timeline = self._whereabouts.timeline
        return timeline.in_force(drop_id) if timeline else {}

    def commanded(self) -> Setpoints:
        """Return where the actuators go by everything sent so far, as read back."""
        timeline = self._whereabouts.timeline
        return timeline.newest() if timeline else {}

    def waiting_for_drop(self) -> int | None:
        """Return the first drop that sees the newest setpoints, while it has not come."""
        timeline = self._whereabouts.timeline
        first = timeline.first_drop_with_newest() if timeline else None
        return first if first is not None and first > self._controllers.latest_drop else None

    def act(self, drop_id: int, evaluation: Evaluation, received_s: float) -> Decision:
        """Send the proposal of one drop unless it is held; return the ledger's entry."""
        decided_ns = time.time_ns()
        if evaluation.hold is not None or evaluation.proposal is None:
            return evaluation.held(drop_id, decided_ns)
        sent = self._send(evaluation.proposal.limited, self._safety.correcting())
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
        sent = self._send({name: value}, self._safety.moving("the operator moves an actuator"))
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
        start = self._whereabouts.start
        if not start:
            return MoveResult(True, "the setpoints of the start were never read: nothing was moved")
        return self.go_to({name: start[name] for name in self._names}, "the setpoints of the start")

    def go_to(self, goal: Setpoints, words: str) -> MoveResult:
        """Go to these setpoints in steps that every controller allows.

        `words` name them in what is said of it.
        """
        failed = f"did not go to {words}: "
        if not self.prepare() or not goal:
            return MoveResult(False, failed + (self.problem or "they are not known"))
        away = still_away(goal, self._whereabouts.readback, self.facts)
        if not away:
            return MoveResult(True, f"stands at {words} already: nothing was moved")
        if problem := unreachable(away, self._whereabouts.readback, self.facts):
            return MoveResult(False, failed + problem)
        number, problem = self._walk(away, words)
        if problem:
            return MoveResult(False, failed + problem)
        plural = "s" if number > 1 else ""
        return MoveResult(True, f"went to {words} in {number} step{plural}, read back")

    def _walk(self, goal: Setpoints, words: str) -> tuple[int, str]:
        """Go there in steps; return how many, and what stopped it (empty where nothing did)."""
        for number in range(1, MOST_STEPS + 1):
            steps = next_step(goal, self._whereabouts.readback, self.facts)
            sent = self._send(steps, self._safety.moving(f"on the way to {words}"))
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
                self._whereabouts.setpoints.get(name, nan),
                self._whereabouts.readback.get(name, nan),
                facts.minimum,
                facts.maximum,
                facts.step_limit,
                facts.readback_tolerance,
            )
            for name, facts in self.facts.items()
        )

    def _send(self, setpoints: Setpoints, gate: AbstractContextManager[str]) -> Sent:
        """Send where the limits, the controllers and the safety state let it pass."""
        for name, value in setpoints.items():
            if broken := self._broken(name, value):
                return Sent("refused", f"{broken}; nothing was sent", code="limit")
        said_no = self._controllers.check(setpoints)
        if said_no is not None:
            return said_no
        before_drop = self._controllers.newest_drop()
        with gate as closed_to:
            if closed_to:
                return Sent("held", f"{closed_to}; nothing was sent", code="safety")
            sent = self._controllers.write(setpoints)
        sent = self._controllers.arrived(sent)
        self._whereabouts.sent(sent, before_drop, self._controllers.newest_drop(), self.facts)
        if sent.outcome != "applied":
            self.problem = f"the setpoints must be read again: {sent.reason}"
        return sent

    def _broken(self, name: str, value: float) -> BrokenLimit | None:
        """Return the limit that this setpoint would break."""
        slack = self.facts[name].readback_tolerance if name in self.facts else 0.0
        before = self._whereabouts.readback.get(name, math.nan)
        return broken_limit(name, value, self.facts, before, slack)
