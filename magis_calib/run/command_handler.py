"""What was asked of a run, what the loop shall do, and the fault that stops it until cleared."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from magis_calib.actuators.moves import MoveResult
from magis_calib.domain.control import Hold, Setpoints
from magis_calib.domain.drop_record import DropRecord
from magis_calib.feedback.live_settings import tuned
from magis_calib.feedback.loop import Loop
from magis_calib.feedback.setpoint_history import last_good
from magis_calib.run.alarms import AlarmList
from magis_calib.run.components import Components
from magis_calib.run.history import RunHistory
from magis_calib.run.jobs import BackgroundJobs, bundle_texts
from magis_calib.run.procedures import Procedures
from magis_calib.run.snapshots import LoopRequest
from magis_calib.state.answer import Answer, Refusal
from magis_calib.state.commands import (
    TURNS,
    Acknowledge,
    CancelProcedure,
    Certify,
    CloseLoop,
    Command,
    HoldLoop,
    JumpTo,
    MakeBundle,
    NoteDrop,
    OpenLoop,
    Promote,
    ReturnTo,
    SetActuator,
    SetGain,
    SetLimits,
    SetSpeed,
    SetTarget,
    ShadowLoop,
    StartProcedure,
    StepDrop,
    StopRun,
    Suppose,
    last_turn,
)
from magis_calib.state.snapshot import HOLD_WORDS, LoopWord

log = logging.getLogger(__name__)


class CommandHandler:
    """Takes commands from any thread.

    The worker obeys them one after the other, each with an answer in words.
    """

    def __init__(
        self,
        components: Components,
        loop: Loop,
        history: RunHistory,
        alarms: AlarmList,
        keep: Callable[[DropRecord], None],
    ) -> None:
        """`keep` records a drop once more, with its remark."""
        self._components = components
        self._loop = loop
        self._history = history
        self._alarms = alarms
        self._keep = keep
        self._asked: deque[Command] = deque()
        self._jobs = BackgroundJobs()
        self.wanted: LoopWord = components.station.loop.start
        self.fault = ""
        """What stopped corrections until the operator closes the loop again.

        Empty where nothing did.
        """
        self.silent = ""
        """Since when the worker is silent; empty while it is not. Written by who watches it."""
        self.procedures = Procedures(components, loop)
        self._obeyed = self._what_is_done()

    def submit(self, command: Command) -> None:
        """Have this obeyed soon. Never blocks."""
        self._asked.append(command)

    def answers(self) -> Iterator[Answer]:
        """Obey what was asked for; yield each answer once it is done."""
        while self._asked:
            command = self._asked.popleft()
            words = self._obey(command)
            log.info("asked for %s: %s", command, words)
            yield Answer(str(words), type(command).__name__, isinstance(words, Refusal))
        for words in self._jobs.told():
            log.info("beside the run: %s", words)
            self.procedures.look_for_matrix()
            yield Answer(str(words), refused=isinstance(words, Refusal))

    def unwanted(self) -> Hold | None:
        """Return why nothing may be sent now; None where corrections may.

        A failed poke must be mended first.
        """
        if self.fault or self.silent:
            fault = Hold("fault", f"fault: {self.fault}")
            return fault if self.fault else Hold("silent", self.silent)
        asked = last_turn(tuple(self._asked))
        if asked is not None and asked != "closed":  # not obeyed yet: the worker was busy
            return Hold(asked, HOLD_WORDS[asked])
        if self.procedures.wants_corrections:
            return None
        if self.word in HOLD_WORDS:
            return Hold(self.word, HOLD_WORDS[self.word])
        failed = self.procedures.failed_poke
        return Hold("poke", failed) if failed else self._unrecorded()

    def _unrecorded(self) -> Hold | None:
        """Hold while nothing is recorded, where the loop shall."""
        recorder = self._components.recorder
        goes_on = self._components.station.recording.when_full == "go_on"
        problem = recorder.state.problem if recorder is not None else ""
        words = f"held while nothing is recorded: {problem}"
        return Hold("recording", words) if problem and not goes_on else None

    @property
    def request(self) -> LoopRequest:
        """What is wanted of the loop now, and what speaks against it."""
        unwanted = self.unwanted()
        words = unwanted.words if unwanted else ""
        return LoopRequest(self.word, self.fault, self.silent, words)

    @property
    def word(self) -> LoopWord:
        """What the loop does now: a procedure goes before what is wanted of it."""
        return "procedure" if self.procedures.has_loop else self.wanted

    def leave(self) -> str:
        """Do with the setpoints what the configuration wants at the end.

        Return it in words, empty for nothing.
        """
        self.procedures.cancel("the run stops")
        actuators = self._components.actuators
        wanted = self._components.station.loop.on_stop
        if wanted == "keep" or self._components.mode == "replay":
            return ""
        if wanted == "start":
            return self._arrive(actuators.restore())
        tolerances = {
            name: one.tolerance for name, one in self._components.station.loop.observables.items()
        }
        good = last_good(self._history.records, self._loop.targets, tolerances)
        if good is None:
            return (
                f"none of the last {len(self._history.records)} drops was within tolerance: the "
                "setpoints are kept"
            )
        return self._arrive(
            actuators.go_to(
                good.in_force, f"the setpoints of drop {good.drop_id}, the last good one"
            )
        )

    def miss(self, readback: Setpoints) -> None:
        """Latch a fault where a live run ends and nobody knows where an actuator stands."""
        actuators = self._components.actuators
        unread = sorted({one.controller for one in actuators.states() if one.name not in readback})
        if unread and self._components.mode == "live":
            text = f"stopping: {' and '.join(unread)} did not tell where the setpoints are left"
            self.fault = self.fault or text

    def _what_is_done(self) -> Mapping[type[Command], Callable[[Any], str]]:
        """Return what is done with each command."""
        return {
            **dict.fromkeys((CloseLoop, ShadowLoop, HoldLoop, OpenLoop), self._turn),
            **dict.fromkeys((SetTarget, SetGain, SetLimits), self._tune),
            **dict.fromkeys((SetSpeed, StepDrop, JumpTo, Suppose), self._play),
            SetActuator: self._by_hand,
            ReturnTo: self._go_back,
            StartProcedure: self._start,
            CancelProcedure: self._cancel,
            Acknowledge: self._acknowledge,
            NoteDrop: self._note,
            Certify: self._certify,
            MakeBundle: self._bundle,
            Promote: self._promote,
            StopRun: self._stop,
        }

    def _obey(self, command: Command) -> str:
        """Do what is asked; return the answer."""
        return self._obeyed[type(command)](command)

    def _by_hand(self, command: SetActuator) -> str:
        if self.word != "open":
            return Refusal(f"not sent: {self.procedures.busy or 'open the loop first'}")
        return self._components.actuators.by_hand(command.name, command.value)

    def _start(self, command: StartProcedure) -> str:
        return self.procedures.start(command.name, command.options, self.fault)

    def _cancel(self, command: CancelProcedure) -> str:
        return self.procedures.cancel("by the operator")

    def _acknowledge(self, command: Acknowledge) -> str:
        return self._alarms.acknowledge(command.key, command.who)

    def _certify(self, command: Certify) -> str:
        recorder = self._components.recorder
        return self._jobs.certify(recorder.path if recorder is not None else "")

    def _promote(self, command: Promote) -> str:
        return self._jobs.promote(command, self._components)

    def _stop(self, command: StopRun) -> str:
        return "stopping: draining the recorder"

    def _bundle(self, command: MakeBundle) -> str:
        components = self._components
        session = (
            components.recorder.path if components.recorder is not None else components.session
        )
        texts = bundle_texts(components, self._history.records, self._alarms.alarms)
        return self._jobs.bundle(texts, Path(session) if session else None, components.products)

    def _arrive(self, result: MoveResult) -> str:
        """Latch a fault where the setpoints wanted at the end were not reached."""
        if not result.there:
            self.fault = self.fault or f"stopping: {result.words}"
        return result.words

    def _turn(self, command: Command) -> str:
        """Turn the loop's switch; to close it also clears the fault.

        A failed poke must be mended first.
        """
        if self.word == "procedure":
            return Refusal(f"not turned: {self.procedures.busy}")
        if isinstance(command, CloseLoop) and self.procedures.failed_poke:
            self.fault = ""  # else no procedure could begin again, and so no poke could pass
            return Refusal(f"not closed: {self.procedures.failed_poke}")
        self.wanted, answer = TURNS[type(command)]
        if self.wanted == "closed":
            self.fault = ""
            self._history.closed()
            self._components.actuators.accept()
            self._loop.resume(self._components.actuators.commanded())
        return answer

    def _tune(self, command: SetTarget | SetGain | SetLimits) -> str:
        """Change a target, gain or limit for this run.

        A procedure keeps the limits that it began with.
        """
        actuators = self._components.actuators
        what = type(command).__name__.removeprefix("Set").lower()
        if self._components.mode == "replay":
            return Refusal(f"{what} not set: this is a replay")
        if isinstance(command, SetLimits) and (busy := self.procedures.busy):
            return Refusal(f"{what} not set: {busy}")
        return tuned(command, self._loop, actuators.commanded(), actuators.facts)

    def _go_back(self, command: ReturnTo) -> str:
        steered = command.setpoints.keys() & self._components.station.loop.actuators.keys()
        if self.word == "procedure" or (self.word == "closed" and steered):
            first = "open, hold or shadow the loop first"
            return Refusal(f"not moved: {self.procedures.busy or first}")
        result = self._components.actuators.go_to(command.setpoints, command.label)
        return result.words if result.there else Refusal(result.words)

    def _note(self, command: NoteDrop) -> str:
        noted = self._history.note(command.drop_id, command.text)
        if noted is None:
            return Refusal(f"drop {command.drop_id} is no longer kept in memory")
        self._keep(noted)
        return f"noted on drop {command.drop_id}"

    def _play(self, command: SetSpeed | StepDrop | JumpTo | Suppose) -> str:
        player = self._components.player
        if player is None:
            words = "only a replay can be paused, stepped, turned to another drop or asked what if"
            return Refusal(words)
        match command:
            case SetSpeed(factor):
                player.set_speed(factor)
                return f"replay at {factor:g} times real time" if factor else "replay paused"
            case StepDrop():
                player.step()
                return "one more drop"
            case JumpTo(drop_id):
                return player.jump(drop_id)
            case Suppose():
                return player.suppose(command)
