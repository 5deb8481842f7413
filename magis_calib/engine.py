"""The threads of a run: receive, work, record; the operator's commands; the frozen snapshot that everyone reads.

Stopping is one contract for window close, Ctrl-C, SIGTERM, the last drop and error alike: stop accepting -> let the
worker finish -> drain the recorder -> write the final state (last sent, read back) -> confirm.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from magis_calib.alarms import AlarmList, Trouble, link_troubles
from magis_calib.domain.camera import ImagePair, IncompleteDrop
from magis_calib.domain.commands import (
    CloseLoop,
    Command,
    HoldLoop,
    NoteDrop,
    OpenLoop,
    SetActuator,
    SetSpeed,
    StopRun,
)
from magis_calib.domain.config import Station
from magis_calib.domain.control import Setpoints
from magis_calib.domain.devices import DropSystem, FrameSource, TelemetrySink
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.domain.snapshot import ActuatorState, Counters, DropRecord, LinkState, LoopWord, Snapshot
from magis_calib.intake import Intake, Work
from magis_calib.link.handover import Handover
from magis_calib.link.pairing import Pairing
from magis_calib.pipeline import Hands, Pipeline
from magis_calib.recording.recorder import Recordable, Recorder

log = logging.getLogger(__name__)

RECORDS_KEPT = 3_000
REFRESH_S = 0.5
"""Ages, links and alarms are looked at this often even while no drop comes."""
WANTED: dict[LoopWord, str] = {
    "open": "the loop is open: the operator moves setpoints by hand",
    "held": "the operator holds the loop",
}


class RunHands(Hands, Protocol):
    """Hands that a whole run needs: they can be asked, moved by hand and read at the end."""

    problem: str

    def prepare(self) -> bool:
        """Make sure that the controllers are known."""

    def by_hand(self, name: str, value: float) -> str:
        """Move one actuator for the operator; return in words what became of it."""

    def waiting_for_drop(self) -> int | None:
        """Return the first drop that sees the newest setpoints, while it has not come."""

    def states(self) -> tuple[ActuatorState, ...]:
        """Return every actuator with setpoint, read-back and limits."""

    def restore(self) -> str:
        """Go back to the setpoints of the start, in steps; return in words what became of it."""

    def final_readback(self) -> Setpoints:
        """Ask the controllers once more where they stand."""


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What a run is made of."""

    name: str
    """Of the station."""
    station: Station
    source: FrameSource
    hands: RunHands
    links: Callable[[], tuple[LinkState, ...]]
    recorder: Recorder | None = None
    drop_system: DropSystem | None = None
    telemetry: TelemetrySink | None = None
    mode: Literal["live", "replay"] = "live"
    drops: int | None = None
    """Stop after this many drops."""
    set_speed: Callable[[float], None] | None = None
    observe: Callable[[DropRecord], None] | None = None
    """Told of every finished drop, in the worker thread."""


class Engine:
    """Runs one station. `snapshot` may be read and `submit` called from any thread."""

    def __init__(self, parts: Parts) -> None:
        """Prepare everything; nothing runs before `start`."""
        self._parts, station = parts, parts.station
        self._work: Handover[Work] = Handover(station.pairing.queue_bytes)
        self._record: Handover[Recordable] = Handover(station.pairing.queue_bytes)
        self._pipeline = Pipeline(station, parts.hands)
        record = self._record if parts.recorder is not None else None
        pairing = Pairing(station.pairing.wait_s)
        self._intake = Intake(parts.source, parts.drop_system, pairing, self._work, record, parts.drops)
        self._wanted: LoopWord = station.loop.start
        self._fault = ""
        self._commands: deque[Command] = deque()
        self._records: deque[DropRecord] = deque(maxlen=RECORDS_KEPT)
        self._outcomes = Counters()
        self._alarms = AlarmList()
        self._stop = threading.Event()
        self.finished = threading.Event()
        self._started_s = time.monotonic()
        self.stage_s: dict[str, deque[float]] = {}
        """Durations of every stage of the newest drops, for the report."""
        self.snapshot = self._first_snapshot()

    def start(self) -> None:
        """Start the threads."""
        self._started_s = time.monotonic()
        for name, work in (("receive", self._receive_all), ("work", self._work_all), ("record", self._record_all)):
            threading.Thread(target=work, name=name, daemon=True).start()

    def submit(self, command: Command) -> None:
        """Ask for something; the answer is seen in a later snapshot. Never blocks."""
        if isinstance(command, StopRun):
            self._stop.set()
        self._commands.append(command)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the run has stopped and everything is written; return whether it has."""
        return self.finished.wait(timeout_s)

    @property
    def fault(self) -> str:
        """The latched fault, empty where there is none."""
        return self._fault

    # ---- receive thread

    def _receive_all(self) -> None:
        while not self._stop.is_set():
            try:
                self._intake.step(0.05)
                if self._intake.state.ended:
                    break
            except Exception as error:
                self._latch("receiving", error)
        self._intake.finish()

    # ---- work thread

    def _work_all(self) -> None:
        while not self._work.drained:
            item = None
            try:
                self._obey()
                item = self._work.get(0.05)
                if item is not None:
                    self._one_drop(item)
                elif time.monotonic() - self.snapshot.time_s > REFRESH_S:
                    self._parts.hands.prepare()
                    self._publish()
            except Exception as error:
                self._latch("working", error)
                if item is not None:
                    self._finish_drop(self._pipeline.unusable(item.drop_id, f"fault: {error}", None))
        self._record.close()

    def _one_drop(self, item: Work) -> None:
        self._parts.hands.prepare()
        if isinstance(item, IncompleteDrop):
            self._finish_drop(self._pipeline.incomplete(item))
        else:
            self._finish_drop(self._pipeline.process(item, self._hold_reason()), item)

    def _finish_drop(self, record: DropRecord, pair: ImagePair | None = None) -> None:
        self._records.append(record)
        self._outcomes = _counted(self._outcomes, record)
        for stage, seconds in record.stage_s.items():
            self.stage_s.setdefault(stage, deque(maxlen=100_000)).append(seconds)
        waited = record.decision.received_to_applied_s
        if waited is not None:
            self.stage_s.setdefault("received_to_applied", deque(maxlen=100_000)).append(waited)
        if self._parts.recorder is not None:
            self._record.put(record)
        if self._parts.observe is not None:
            self._parts.observe(record)
        self._publish(record, pair)
        if self._parts.drop_system is not None:
            self._parts.drop_system.done(record.drop_id)
        if self._parts.drops is not None and len(self._outcomes_ids()) >= self._parts.drops:
            self._stop.set()

    def _outcomes_ids(self) -> range:
        return range(self._outcomes.complete + self._outcomes.incomplete)

    def _hold_reason(self) -> str:
        if self._fault:
            return f"fault: {self._fault}"
        return WANTED.get(self._wanted, "")

    def _obey(self) -> None:
        while self._commands:
            answer = self._command(self._commands.popleft())
            self.snapshot = replace(self.snapshot, note=answer)
            self._publish()

    def _command(self, command: Command) -> str:
        match command:
            case CloseLoop():
                self._fault, self._wanted = "", "closed"
                return "loop closed: corrections are sent"
            case HoldLoop():
                self._wanted = "held"
                return "loop held: nothing is sent"
            case OpenLoop():
                self._wanted = "open"
                return "loop open: setpoints may be moved by hand"
            case SetActuator(name, value):
                if self._wanted != "open":
                    return "not sent: open the loop first"
                return self._parts.hands.by_hand(name, value)
            case NoteDrop(drop_id, text):
                return self._note(drop_id, text)
            case SetSpeed(factor):
                if self._parts.set_speed is None:
                    return "speed is for replay only"
                self._parts.set_speed(factor)
                return f"replay at {factor:g} times real time"
            case StopRun():
                return "stopping: draining the recorder"

    def _note(self, drop_id: int, text: str) -> str:
        for place, record in enumerate(self._records):
            if record.drop_id == drop_id:
                noted = replace(record, note=text)
                self._records[place] = noted
                if self._parts.recorder is not None:
                    self._record.put(noted)
                return f"noted on drop {drop_id}"
        return f"drop {drop_id} is not among the last {RECORDS_KEPT}"

    # ---- record thread

    def _record_all(self) -> None:
        while not self._record.drained:
            try:
                item = self._record.get(0.2)
                if item is not None and self._parts.recorder is not None:
                    self._parts.recorder.take(item)
            except Exception as error:
                self._latch("recording", error)
        self._end()

    def _end(self) -> None:
        """Write the final state and release everything. Every other thread has ended its work."""
        parts = self._parts
        try:
            restored = parts.hands.restore() if parts.station.loop.restore_on_stop else ""
            final = self._final(parts.hands.final_readback(), restored)
            if parts.recorder is not None:
                parts.recorder.close(final)
        except Exception as error:
            self._latch("stopping", error)
        self._publish(finished=True)
        parts.source.close()
        if parts.telemetry is not None:
            parts.telemetry.close()
        self.finished.set()

    def _final(self, readback: Setpoints, restored: str) -> dict[str, Any]:
        states = {state.name: state.setpoint for state in self._parts.hands.states()}
        return {
            "stopped_ns": time.time_ns(),
            "loop": self._wanted,
            "fault": self._fault,
            "counters": self.snapshot.counters,
            "last_sent": states,
            "readback": dict(readback),
            "restored": restored,
        }

    # ---- everyone

    def _latch(self, doing: str, error: Exception) -> None:
        """Log with traceback, latch, stop correcting: the one answer to what nobody foresaw."""
        log.exception("fault while %s", doing)
        self._fault = f"{doing}: {error}"
        time.sleep(0.05)

    def _first_snapshot(self) -> Snapshot:
        loop = self._parts.station.loop
        return Snapshot(
            self._parts.name,
            self._parts.station.title,
            self._parts.mode,
            "",
            time.monotonic(),
            self._wanted,
            "waiting for the first drop",
            None,
            targets={name: loop.observables[name].target for name in OBSERVABLES},
            tolerances={name: loop.observables[name].tolerance for name in OBSERVABLES},
        )

    def _publish(self, record: DropRecord | None = None, pair: ImagePair | None = None, finished: bool = False) -> None:
        parts, now_s = self._parts, time.monotonic()
        links = parts.links()
        snapshot = replace(
            self.snapshot,
            session=parts.recorder.path if parts.recorder is not None else self.snapshot.session,
            time_s=now_s,
            loop="stopped" if finished else "fault" if self._fault else self._wanted,
            loop_detail=self._fault or parts.hands.problem or "",
            waiting_for_drop=parts.hands.waiting_for_drop(),
            records=tuple(self._records),
            links=links,
            alarms=self._alarms.update(self._troubles(links, now_s)),
            counters=self._counters(),
            actuators=parts.hands.states(),
            finished=finished,
        )
        if record is not None:
            snapshot = replace(snapshot, latest=record, latest_s=now_s)
        if record is not None and pair is not None:
            snapshot = replace(snapshot, pair=pair, pair_estimate=record.estimate)
        self.snapshot = snapshot
        if parts.telemetry is not None:
            parts.telemetry.publish(snapshot)

    def _counters(self) -> Counters:
        took = self._intake.state
        stored = self._parts.recorder.state if self._parts.recorder is not None else None
        return replace(
            self._outcomes,
            expected=took.expected,
            received=took.received,
            lost=took.lost,
            duplicate=took.duplicate,
            malformed=took.malformed,
            stored=stored.stored if stored else 0,
            not_stored=stored.not_stored if stored else 0,
        )

    def _troubles(self, links: tuple[LinkState, ...], now_s: float) -> dict[str, Trouble]:
        station, took = self._parts.station, self._intake.state
        troubles = link_troubles(links, now_s - self._started_s, station.links.silent_after_s)
        if self._fault:
            troubles["fault"] = Trouble("act", f"fault: {self._fault}", "read the log, then close the loop again")
        if self._parts.recorder is not None and self._parts.recorder.state.problem:
            troubles["recording"] = Trouble("act", f"not recorded: {self._parts.recorder.state.problem}",
                                            "free the disk or choose another --session-dir")  # fmt: skip
        if now_s - took.latest_error_s < 60.0:
            troubles["frames"] = Trouble("look", f"refused a message: {took.latest_error}",
                                         "check the driver with magis-calib check-driver")  # fmt: skip
        for view, seen_s in took.latest_frame_s.items():
            if now_s - seen_s > station.alarms.no_frame_after_s:
                troubles[f"frame {view}"] = Trouble("act", f"no frame of view {view} for {now_s - seen_s:.0f} s",
                                                    "are drops announced? is the camera triggered?")  # fmt: skip
        latest = self._records[-1].decision if self._records else None
        if latest is not None and latest.outcome in ("refused", "half_applied", "unverified"):
            troubles["correction"] = Trouble("act", f"drop {latest.drop_id}: {latest.in_words()}",
                                             "compare setpoints and read-backs; the next drop tries again")  # fmt: skip
        return troubles


def _counted(counters: Counters, record: DropRecord) -> Counters:
    """Add one drop's outcome."""
    outcome, tried = record.decision.outcome, bool(record.decision.sent)
    return replace(
        counters,
        complete=counters.complete + record.complete,
        incomplete=counters.incomplete + (not record.complete),
        usable=counters.usable + record.estimate.usable,
        sent=counters.sent + tried,
        applied=counters.applied + (outcome == "applied"),
        refused=counters.refused + (outcome in ("refused", "half_applied", "unverified")),
        held=counters.held + (outcome == "held"),
    )
