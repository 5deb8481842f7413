"""Makes the snapshots: one frozen picture of the whole run from what its threads know."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from magis_calib.domain.camera import VIEWS
from magis_calib.domain.devices import LinkState
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.feedback.loop import Loop
from magis_calib.feedback.target_range import reach
from magis_calib.products.matrices import matrix_state
from magis_calib.run.alarms import (
    LOOP_ALARMS,
    AlarmList,
    Trouble,
    answer_troubles,
    blind_troubles,
    decision_troubles,
    link_troubles,
    recording_troubles,
)
from magis_calib.run.components import Components
from magis_calib.run.history import RunHistory
from magis_calib.run.receiver import ReceiverState
from magis_calib.state.snapshot import Alarm, Counters, LoopWord, RecordingState, Snapshot

SHOWN_FOR_S = 60.0
"""A refused message stays an alarm for this long."""


@dataclass(frozen=True, slots=True)
class LoopRequest:
    """What is wanted of the loop, and what speaks against it, in words.

    Empty where nothing does.
    """

    loop: LoopWord
    fault: str
    """What broke; latched until the loop is closed again."""
    silent: str
    """The worker is silent."""
    hold: str
    """Why nothing may be sent."""


class SnapshotBuilder:
    """Turns the state of a run into snapshots. Used by one thread at a time."""

    def __init__(self, components: Components, alarms: AlarmList, loop: Loop) -> None:
        """Begin with nothing to tell. `loop` is looked at anew for every snapshot."""
        self._components = components
        self._alarms = alarms
        self._loop = loop
        self._safety = components.safety
        self._started_s = time.monotonic()

    def first(self, wanted: LoopWord) -> Snapshot:
        """Return what is known before the first drop."""
        components = self._components
        loop = self._components.station.loop
        return Snapshot(
            components.name,
            components.station.title,
            components.mode,
            components.session,
            time.monotonic(),
            wanted,
            "waiting for the first drop",
            None,
            saved=self._loop.saved,
            matrix=matrix_state(components.station, components.products),
            configuration=str(components.configuration or ""),
            tolerances={name: loop.observables[name].tolerance for name in OBSERVABLES},
            defects={view: components.station.camera(view).defects for view in VIEWS},
            **self._in_force(),
        )

    def next(
        self, before: Snapshot, request: LoopRequest, history: RunHistory, receiver: ReceiverState
    ) -> Snapshot:
        """Return the snapshot of this moment."""
        components = self._components
        now_s = time.monotonic()
        links = components.links()
        alarms = self._alarms.update(
            self._troubles(links, request, history, receiver, now_s)
            | self._loop_troubles(request, history)
        )
        self._follow_safety(request, alarms)
        return replace(
            before,
            time_s=now_s,
            loop="fault" if request.fault else request.loop,
            loop_detail=request.fault or components.actuators.held,
            waiting_for_drop=components.actuators.waiting_for_drop(),
            records=history.records,
            history=history.history.rows,
            links=links,
            alarms=alarms,
            past_alarms=self._alarms.past,
            counters=self._counters(history, receiver),
            actuators=components.actuators.states(),
            replay=components.player.state() if components.player is not None else None,
            **self._recorded(before),
            **self._safety_now(),
            **self._in_force(),
        )

    def last(self, before: Snapshot) -> Snapshot:
        """Return the snapshot of a run that has ended."""
        self._safety.become("stopped", "the run has ended")
        return replace(before, loop="stopped", finished=True, **self._safety_now())

    def _recorded(self, before: Snapshot) -> dict[str, Any]:
        """Return where is recorded, and how that goes."""
        recorder = self._components.recorder
        if recorder is None:
            return {"session": before.session, "recording": None}
        return {"session": recorder.path, "recording": recorder.state}

    def _loop_troubles(self, request: LoopRequest, history: RunHistory) -> dict[str, Trouble]:
        """Return what is wrong with the newest decisions; a replay decides nothing."""
        if self._components.mode == "replay":
            return {}
        closed = request.loop == "closed" and not request.fault
        return decision_troubles(history.records, closed, history.closed_after)

    def _follow_safety(self, request: LoopRequest, alarms: Sequence[Alarm]) -> None:
        """Follow what is wanted, and what stands in its way."""
        if self._components.mode == "replay":
            self._safety.become("idle", "a replay moves nothing")
            return
        standing = next((one.text for one in alarms if one.key in LOOP_ALARMS), "")
        obstacle = request.hold or self._components.actuators.held or standing
        self._safety.follow(request.loop, request.fault or request.silent, obstacle)

    def _safety_now(self) -> dict[str, Any]:
        safety = self._safety
        return {
            "safety": safety.state,
            "safety_cause": safety.cause,
            "safety_changes": safety.changes,
        }

    def _in_force(self) -> dict[str, Any]:
        """Return the loop's targets, gains, limits and reach under their names in a snapshot."""
        loop = self._loop
        actuators = self._components.actuators
        return {
            "targets": dict(loop.targets),
            "gains": {**loop.saved.gains, **loop.gains},
            "limits": {**loop.saved.limits, **loop.limits},
            "reach": reach(loop, actuators.commanded(), actuators.facts),
        }

    def _counters(self, history: RunHistory, receiver: ReceiverState) -> Counters:
        recording = (
            self._components.recorder.state if self._components.recorder is not None else None
        )
        return replace(
            history.counters,
            untold_x=history.untold.views["x"],
            untold_y=history.untold.views["y"],
            expected=receiver.expected,
            received=receiver.received,
            lost=receiver.lost,
            late=receiver.late,
            duplicate=receiver.duplicate + (recording.duplicate if recording else 0),
            malformed=_malformed(receiver, recording),
            frames=receiver.received + receiver.duplicate + receiver.refused,
            frames_refused=receiver.refused + (recording.refused if recording else 0),
            stored=recording.stored if recording else 0,
            not_stored=recording.not_stored if recording else 0,
        )

    def _troubles(
        self,
        links: tuple[LinkState, ...],
        request: LoopRequest,
        history: RunHistory,
        receiver: ReceiverState,
        now_s: float,
    ) -> dict[str, Trouble]:
        components = self._components
        station = components.station
        troubles = link_troubles(links, now_s - self._started_s, station.links.silent_after_s)
        troubles.update(answer_troubles(components.actuators.oddities()))
        if components.mode == "live":
            troubles.update(blind_troubles(history.untold.blind(), request.loop == "closed"))
        troubles.update(_frame_troubles(receiver, now_s, station.alarms.no_frame_after_s))
        if request.fault:
            troubles["fault"] = Trouble(
                "act", f"fault: {request.fault}", "read the log, then close the loop again"
            )
        if request.silent:
            remedy = (
                "what it was about to send will not be sent; if it stays silent, save a "
                "support bundle and restart"
            )
            troubles["worker"] = Trouble("act", request.silent, remedy)
        if components.recorder is not None:
            troubles.update(
                recording_troubles(components.recorder.state, station.recording.warn_hours)
            )
        return troubles


def _malformed(receiver: ReceiverState, recording: RecordingState | None) -> Mapping[str, int]:
    """Count refused frames by error code: the recorder knows of conflicts with older drops, too."""
    if recording is None or not recording.refused:
        return receiver.malformed
    conflicts = receiver.malformed.get("conflict", 0) + recording.refused
    return {**receiver.malformed, "conflict": conflicts}


def _frame_troubles(receiver: ReceiverState, now_s: float, patience_s: float) -> dict[str, Trouble]:
    troubles = _picture_troubles(receiver)
    if now_s - receiver.latest_error_s < SHOWN_FOR_S:
        troubles["frames"] = Trouble(
            "look",
            f"refused a message: {receiver.latest_error}",
            "check the driver with magis-calib check-driver",
        )
    if now_s - receiver.contradiction_s < SHOWN_FOR_S:
        troubles["contradiction"] = Trouble(
            "act",
            f"refused: {receiver.contradiction}",
            "one picture has one source: look who else sends under this name, and its numbers",
        )
    for view, seen_s in receiver.latest_frame_s.items():
        if now_s - seen_s > patience_s:
            text = f"no frame of view {view} for {now_s - seen_s:.0f} s"
            troubles[f"frame {view}"] = Trouble(
                "act", text, "are drops announced? is the camera triggered?"
            )
    return troubles


def _picture_troubles(receiver: ReceiverState) -> dict[str, Trouble]:
    """Return what speaks against the newest pictures, and against drop numbers."""
    remedy = "nothing is corrected by it: look at the camera, its driver and its clock"
    troubles = {
        f"picture {view}": Trouble("act", f"view {view}: {words}", remedy)
        for view, words in receiver.doubts.items()
        if words
    }
    if receiver.numbers:
        remedy = "stop this run and start it again: it begins a session of its own"
        troubles["numbers"] = Trouble("act", receiver.numbers, remedy)
    return troubles
