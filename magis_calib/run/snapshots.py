"""Makes the snapshots: one frozen picture of the whole run from what its threads know."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from magis_calib.domain.camera import VIEWS
from magis_calib.domain.devices import LinkState
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.feedback.loop import Loop
from magis_calib.feedback.target_range import reach
from magis_calib.products.matrices import matrix_state
from magis_calib.run.alarms import LOOP_ALARMS, AlarmList, Trouble, decision_troubles, link_troubles, recording_troubles
from magis_calib.run.components import Parts
from magis_calib.run.history import Tally
from magis_calib.run.receiver import IntakeState
from magis_calib.state.safety import Safety, safety_of
from magis_calib.state.snapshot import Alarm, Counters, LoopWord, Snapshot

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
