"""Makes the snapshots: one frozen picture of the whole run from what its threads know."""

from __future__ import annotations

import time
from array import array
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from magis_calib.alarms import LOOP_ALARMS, AlarmList, Trouble, decision_troubles, link_troubles, recording_troubles
from magis_calib.domain.camera import VIEWS
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.history import History
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.domain.safety import Safety, safety_of
from magis_calib.domain.snapshot import Alarm, Counters, LinkState, LoopWord, Snapshot
from magis_calib.feedback.loop import Loop
from magis_calib.feedback.reach import reach
from magis_calib.intake import IntakeState
from magis_calib.parts import Parts
from magis_calib.recording.matrix_origin import matrix_state

RECORDS_KEPT = 250
"""Drops that are kept in full; of all others there are the numbers, and the session."""
STAGES_KEPT = 100_000
SHOWN_FOR_S = 60.0
"""A refused message stays an alarm for this long."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of the loop, and what speaks against it, in words; empty where nothing does."""

    loop: LoopWord
    fault: str
    """What broke; latched until the loop is closed again."""
    silent: str
    """The worker is silent."""
    hold: str
    """Why nothing may be sent."""


@dataclass(slots=True)
class Tally:
    """What the worker knows of the drops so far. One thread writes it."""

    counters: Counters = field(default_factory=Counters)
    records: deque[DropRecord] = field(default_factory=lambda: deque(maxlen=RECORDS_KEPT))
    history: History = field(default_factory=History)
    stage_s: dict[str, array[float]] = field(default_factory=dict)
    """Durations of every stage of the newest drops."""
    closed_after: int = 0
    """The newest drop when the operator closed the loop: what was held until then says nothing of it."""

    def add(self, record: DropRecord) -> None:
        """Take in one finished drop."""
        self.recall(record)
        self.counters = _counted(self.counters, record)
        waited = record.decision.received_to_applied_s
        stages = dict(record.stage_s) if waited is None else {**record.stage_s, "received_to_applied": waited}
        for stage, seconds in stages.items():
            durations = self.stage_s.setdefault(stage, array("d"))
            durations.append(seconds)
            if len(durations) > 2 * STAGES_KEPT:
                del durations[:STAGES_KEPT]

    def recall(self, record: DropRecord) -> None:
        """Remember a drop that was counted elsewhere."""
        self.records.append(record)
        self.history.add(record)

    def note(self, drop_id: int, text: str) -> DropRecord | None:
        """Write a remark beside a drop and return its record; None where it is no longer kept."""
        for place, record in enumerate(self.records):
            if record.drop_id == drop_id:
                self.records[place] = replace(record, note=text)
                return self.records[place]
        return None

    @property
    def outcomes(self) -> int:
        """How many drops have their outcome."""
        return self.counters.complete + self.counters.incomplete


class Bulletin:
    """Turns the state of a run into snapshots. Used by one thread at a time."""

    def __init__(self, parts: Parts, alarms: AlarmList, loop: Loop) -> None:
        """Begin with nothing to tell. `loop` is looked at anew for every snapshot."""
        self._parts, self._alarms, self._loop = parts, alarms, loop
        self._safety = Safety()
        self._started_s = time.monotonic()

    def first(self, wanted: LoopWord) -> Snapshot:
        """Return what is known before the first drop."""
        parts, loop = self._parts, self._parts.station.loop
        return Snapshot(
            parts.name,
            parts.station.title,
            parts.mode,
            parts.session,
            time.monotonic(),
            wanted,
            "waiting for the first drop",
            None,
            saved=self._loop.saved,
            matrix=matrix_state(parts.station, parts.products),
            configuration=str(parts.configuration or ""),
            tolerances={name: loop.observables[name].tolerance for name in OBSERVABLES},
            defects={view: parts.station.camera(view).defects for view in VIEWS},
            **self._in_force(),
        )

    def next(self, before: Snapshot, wish: Wish, tally: Tally, intake: IntakeState) -> Snapshot:
        """Return the snapshot of this moment."""
        parts, now_s = self._parts, time.monotonic()
        links, wanted, fault = parts.links(), wish.loop, wish.fault
        troubles = self._troubles(links, wish, tally, intake, now_s)
        if parts.mode == "live":
            troubles.update(decision_troubles(tally.records, wanted == "closed" and not fault, tally.closed_after))
        alarms = self._alarms.update(troubles)
        self._look_at_safety(wish, alarms)
        return replace(
            before,
            session=parts.recorder.path if parts.recorder is not None else before.session,
            time_s=now_s,
            loop="fault" if fault else wanted,
            loop_detail=fault or parts.hands.held,
            waiting_for_drop=parts.hands.waiting_for_drop(),
            records=tuple(tally.records),
            history=tally.history.rows,
            links=links,
            alarms=alarms,
            past_alarms=self._alarms.past,
            counters=self._counters(tally, intake),
            recording=parts.recorder.state if parts.recorder is not None else None,
            actuators=parts.hands.states(),
            replay=parts.player.state() if parts.player is not None else None,
            **self._safety_now(),
            **self._in_force(),
        )

    def last(self, before: Snapshot) -> Snapshot:
        """Return the snapshot of a run that has ended."""
        self._safety.become("stopped", "the run has ended")
        return replace(before, loop="stopped", finished=True, **self._safety_now())

    def _look_at_safety(self, wish: Wish, alarms: Sequence[Alarm]) -> None:
        """Follow what is wanted, and what stands in its way."""
        if self._parts.mode == "replay":
            self._safety.become("idle", "a replay moves nothing")
            return
        standing = next((one.text for one in alarms if one.key in LOOP_ALARMS), "")
        obstacle = wish.hold or self._parts.hands.held or standing
        self._safety.become(*safety_of(wish.loop, wish.fault or wish.silent, obstacle))

    def _safety_now(self) -> dict[str, Any]:
        safety = self._safety
        return {"safety": safety.state, "safety_cause": safety.cause, "safety_changes": safety.changes}

    def _in_force(self) -> dict[str, Any]:
        """Return the loop's targets, gains, limits and reach under their names in a snapshot."""
        loop, hands = self._loop, self._parts.hands
        return {
            "targets": dict(loop.targets),
            "gains": {**loop.saved.gains, **loop.gains},
            "limits": {**loop.saved.limits, **loop.limits},
            "reach": reach(loop, hands.commanded(), hands.facts),
        }

    def _counters(self, tally: Tally, intake: IntakeState) -> Counters:
        recording = self._parts.recorder.state if self._parts.recorder is not None else None
        return replace(
            tally.counters,
            expected=intake.expected,
            received=intake.received,
            lost=intake.lost,
            duplicate=intake.duplicate,
            malformed=intake.malformed,
            stored=recording.stored if recording else 0,
            not_stored=recording.not_stored if recording else 0,
        )

    def _troubles(
        self, links: tuple[LinkState, ...], wish: Wish, tally: Tally, intake: IntakeState, now_s: float
    ) -> dict[str, Trouble]:
        station = self._parts.station
        troubles = link_troubles(links, now_s - self._started_s, station.links.silent_after_s)
        troubles.update(_frame_troubles(intake, now_s, station.alarms.no_frame_after_s))
        if wish.fault:
            troubles["fault"] = Trouble("act", f"fault: {wish.fault}", "read the log, then close the loop again")
        if wish.silent:
            remedy = "what it was about to send will not be sent; if it stays silent, save a support bundle and restart"
            troubles["worker"] = Trouble("act", wish.silent, remedy)
        if self._parts.recorder is not None:
            troubles.update(recording_troubles(self._parts.recorder.state, station.recording.warn_hours))
        return troubles


def _frame_troubles(intake: IntakeState, now_s: float, patience_s: float) -> dict[str, Trouble]:
    troubles = {}
    if now_s - intake.latest_error_s < SHOWN_FOR_S:
        troubles["frames"] = Trouble(
            "look", f"refused a message: {intake.latest_error}", "check the driver with magis-calib check-driver"
        )
    for view, seen_s in intake.latest_frame_s.items():
        if now_s - seen_s > patience_s:
            text = f"no frame of view {view} for {now_s - seen_s:.0f} s"
            troubles[f"frame {view}"] = Trouble("act", text, "are drops announced? is the camera triggered?")
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
