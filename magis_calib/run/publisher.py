"""The one place where the snapshot of a run is replaced."""

from __future__ import annotations

import threading
from dataclasses import replace

from magis_calib.domain.camera import ImagePair
from magis_calib.domain.drop_record import DropRecord
from magis_calib.run.command_handler import CommandHandler
from magis_calib.run.components import TelemetrySink
from magis_calib.run.history import RunHistory
from magis_calib.run.receiver import Receiver
from magis_calib.run.snapshots import SnapshotBuilder
from magis_calib.state.answer import Answer
from magis_calib.state.snapshot import Snapshot


class SnapshotPublisher:
    """Replaces the snapshot, one thread at a time; `snapshot` may be read from any."""

    def __init__(
        self,
        builder: SnapshotBuilder,
        handler: CommandHandler,
        history: RunHistory,
        receiver: Receiver,
        telemetry: TelemetrySink | None,
    ) -> None:
        """Begin with what is known before the first drop. `telemetry` None: nobody listens."""
        self._builder = builder
        self._handler = handler
        self._history = history
        self._receiver = receiver
        self._telemetry = telemetry
        self._publishing = threading.Lock()
        self.snapshot = builder.first(handler.wanted)

    def publish(
        self,
        record: DropRecord | None = None,
        pair: ImagePair | None = None,
        answer: Answer | None = None,
    ) -> None:
        """Show this moment, once: an answer is never seen before what it tells of.

        A run that has ended stays as it ended.
        """
        with self._publishing:
            if not self.snapshot.finished:
                self._show(_with_drop(self._now(answer), record, pair))

    def end(self) -> None:
        """Show the run as one that has ended, and release the telemetry."""
        with self._publishing:
            self._show(self._builder.last(self._now(None)))
            if self._telemetry is not None:
                self._telemetry.close()

    def _now(self, answer: Answer | None) -> Snapshot:
        before, procedures = self.snapshot, self._handler.procedures
        number = before.answer.number if before.answer is not None else 0
        snapshot = self._builder.next(
            before, self._handler.request, self._history, self._receiver.state
        )
        return replace(
            snapshot,
            procedure=procedures.state,
            measured=procedures.measured,
            note=answer.words if answer is not None else before.note,
            answer=replace(answer, number=number + 1) if answer is not None else before.answer,
        )

    def _show(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        if self._telemetry is not None:
            self._telemetry.publish(snapshot)


def _with_drop(snapshot: Snapshot, record: DropRecord | None, pair: ImagePair | None) -> Snapshot:
    """Add the newest drop; its images stay until there are newer ones."""
    if record is None:
        return snapshot
    snapshot = replace(snapshot, latest=record, latest_s=snapshot.time_s)
    if pair is None:
        return snapshot
    return replace(snapshot, pair=pair, pair_estimate=record.estimate)
