"""The threads of a run: receive, work, record; the frozen snapshot that everyone reads.

Stopping is one contract for window close, Ctrl-C, SIGTERM, the last drop and error alike: stop
accepting -> let the worker finish -> drain the recorder -> leave the setpoints as configured ->
write the final state (last sent, read back) -> confirm.

Next on the path of a pair: `ui/window/main_window.py`.
"""

from __future__ import annotations

import logging
import threading
import time

from magis_calib.domain.camera import ImagePair, IncompleteDrop
from magis_calib.domain.drop_record import DropRecord
from magis_calib.host.log_buffer import about_drop
from magis_calib.link.bounded_queue import BoundedQueue
from magis_calib.link.pairing import Pairing
from magis_calib.pipeline import Pipeline
from magis_calib.recording.recorder import Recordable
from magis_calib.run.alarms import AlarmList
from magis_calib.run.command_handler import CommandHandler
from magis_calib.run.components import Components
from magis_calib.run.final_state import final_state
from magis_calib.run.history import RunHistory
from magis_calib.run.publisher import SnapshotPublisher
from magis_calib.run.receiver import Receiver, Work
from magis_calib.run.snapshots import SnapshotBuilder
from magis_calib.run.watchdog import Watchdog
from magis_calib.state.answer import Answer
from magis_calib.state.commands import Command, StopRun
from magis_calib.state.snapshot import Snapshot

log = logging.getLogger(__name__)

WATCH_S = 0.25
REFRESH_S = 0.5
"""Ages, links and alarms are looked at this often even while no drop comes."""

TOGETHER_S = 0.02
"""What was recorded waits so long for more before it is brought onto the disk: the frames of a drop
go together.
"""


class Engine:
    """Runs one station. `snapshot` may be read and `submit` called from any thread."""

    def __init__(self, components: Components) -> None:
        """Prepare everything; nothing runs before `start`."""
        self._components = components
        station = components.station
        self._work: BoundedQueue[Work] = BoundedQueue(station.pairing.queue_bytes)
        self._record: BoundedQueue[Recordable] = BoundedQueue(station.pairing.queue_bytes)
        self._pipeline = Pipeline(
            station, components.actuators, components.estimator, components.loop
        )
        self._receiver = self._receiving(components)
        self.history = RunHistory()
        for before in components.before:
            self.history.recall(before)
        self.left = ""
        """What became of the setpoints at the end, in words; empty where they were to be kept."""
        loop = self._pipeline.loop
        alarms = AlarmList()
        self._handler = CommandHandler(components, loop, self.history, alarms, self._keep)
        self._stop = threading.Event()
        self.finished = threading.Event()
        self._watchdog = Watchdog(station.alarms.worker_silent_s)
        self._publisher = SnapshotPublisher(
            SnapshotBuilder(components, alarms, loop),
            self._handler,
            self.history,
            self._receiver,
            components.telemetry,
        )
        components.safety.announce = self._publisher.publish

    def _receiving(self, components: Components) -> Receiver:
        wait_s = components.station.pairing.wait_s
        record = self._record if components.recorder is not None else None
        return Receiver(
            components,
            Pairing(wait_s, continued=components.earlier is not None),
            self._work,
            record,
        )

    def start(self) -> None:
        """Start the threads."""
        threads = {
            "receive": self._receive_all,
            "work": self._work_all,
            "record": self._record_all,
            "watch": self._watch_all,
        }
        for name, work in threads.items():
            threading.Thread(target=work, name=name, daemon=True).start()

    def submit(self, command: Command) -> None:
        """Ask for something; the answer is seen in a later snapshot. Never blocks."""
        if isinstance(command, StopRun):
            self._stop.set()
        self._handler.submit(command)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the run has stopped and everything is written; return whether it has."""
        return self.finished.wait(timeout_s)

    @property
    def snapshot(self) -> Snapshot:
        """The newest picture of the run."""
        return self._publisher.snapshot

    @property
    def waiting_bytes(self) -> dict[str, int]:
        """Bytes that wait for the worker and for the recorder."""
        return {"work": self._work.bytes_held, "record": self._record.bytes_held}

    @property
    def fault(self) -> str:
        """The latched fault, empty where there is none."""
        return self._handler.fault

    @property
    def bad_end(self) -> str:
        """Why the run must not pass for a good one: the fault, or alarms that ask to act.

        Empty where nothing does. A replay moves nothing: only a fault counts there.
        """
        live = self._components.mode == "live"
        standing = (one.text for one in self.snapshot.alarms if live and one.severity == "act")
        return self.fault or "; ".join(standing)

    # ---- receive thread

    def _receive_all(self) -> None:
        while not self._stop.is_set():
            try:
                self._receiver.step(0.05)
                if self._receiver.state.ended:
                    break
            except Exception as error:  # noqa: BLE001 - top of a thread
                self._latch("receiving", error)
        self._receiver.finish()

    # ---- work thread

    def _work_all(self) -> None:
        while not self._work.drained:
            item = None
            about_drop(None)
            try:
                self._watchdog.feed()
                self._begin()
                self._obey()
                item = self._work.get(0.05)
                if item is not None:
                    self._one_drop(item)
                elif time.monotonic() - self.snapshot.time_s > REFRESH_S:
                    self._components.actuators.prepare()
                    self._publisher.publish()
            except Exception as error:  # noqa: BLE001 - top of a thread
                self._latch("working", error)
                if item is not None:
                    self._finish_drop(
                        self._pipeline.unusable(item.drop_id, f"fault: {error}", None)
                    )
        self._watchdog.dismiss()
        self._record.close()

    def _begin(self) -> None:
        """Begin the procedure that the run is for, once the controllers are known.

        Stop when it has ended or cannot.
        """
        wanted = self._components.procedure
        state = self._handler.procedures.state
        if wanted is None or self._stop.is_set():
            return
        if self._handler.fault or (state is not None and not state.running):
            self._stop.set()
        elif (
            state is None
            and self._components.actuators.states()
            and not self._components.actuators.held
        ):
            self._handler.submit(wanted)

    def _one_drop(self, item: Work) -> None:
        about_drop(item.drop_id)
        self._watchdog.feed(f"busy with drop {item.drop_id}")
        self._components.actuators.prepare()
        if isinstance(item, IncompleteDrop):
            self._finish_drop(self._pipeline.incomplete(item))
        else:
            self._finish_drop(self._pipeline.process(item, self._handler.unwanted), item)

    def _finish_drop(self, record: DropRecord, pair: ImagePair | None = None) -> None:
        components = self._components
        record = self._pipeline.loop.stamped(record)
        self.history.add(record)
        log.info("drop %d %s", record.drop_id, record.decision.in_words())
        self._keep(record)
        ended = self._handler.procedures.take(record, self._handler.fault)
        if components.observe is not None:
            components.observe(record)
        self._publisher.publish(record, pair, Answer(ended) if ended else None)
        if components.drop_system is not None:
            components.drop_system.done(record.drop_id)
        if components.drops is not None and self.history.outcomes >= components.drops:
            self._stop.set()

    def _obey(self) -> None:
        for answer in self._handler.answers():
            self._publisher.publish(answer=answer)

    def _keep(self, record: DropRecord) -> None:
        if self._components.recorder is not None:
            self._record.put(record)

    # ---- watch thread

    def _watch_all(self) -> None:
        """Hold the loop while the worker is silent, and say so in its place."""
        while not self.finished.wait(WATCH_S):
            try:
                self._watch()
            except Exception as error:  # noqa: BLE001 - top of a thread
                self._latch("watching", error)

    def _watch(self) -> None:
        silent = self._watchdog.silence()
        if silent != self._handler.silent:
            self._handler.silent = silent
            self._publisher.publish()

    # ---- record thread

    def _record_all(self) -> None:
        while not self._record.drained:
            try:
                self._record_one()
            except Exception as error:  # noqa: BLE001 - top of a thread
                self._latch("recording", error)
        self._end()

    def _record_one(self) -> None:
        """Append what waits; where nothing does, bring it onto the disk."""
        recorder = self._components.recorder
        item = self._record.get(0.2 if recorder is None or recorder.settled else TOGETHER_S)
        if recorder is None:
            return
        if item is not None:
            recorder.take(item)
        else:
            recorder.settle()
        recorder.measure(self._record.bytes_held)

    def _end(self) -> None:
        """Write the final state and release everything. Every other thread has ended its work."""
        components = self._components
        try:
            self.left = self._handler.leave()
            self._publisher.publish(answer=Answer(self.left) if self.left else None)
            readback = components.actuators.final_readback()
            self._handler.miss(readback)
            if components.recorder is not None:
                state = final_state(components, self._handler, self.snapshot, self.left, readback)
                components.recorder.close(state)
        except Exception as error:  # noqa: BLE001 - top of a thread
            self._latch("stopping", error)
        try:
            self._publisher.end()
            components.source.close()
        finally:
            self.finished.set()

    # ---- everyone

    def _latch(self, doing: str, error: Exception) -> None:
        """Log with traceback, latch, stop correcting: the one answer to what nobody foresaw."""
        log.exception("fault while %s", doing)
        self._handler.fault = f"{doing}: {error}"
        time.sleep(0.05)
