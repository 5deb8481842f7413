"""A recording as a frame source, and hands that only listen: nothing is sent to any controller."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from magis_calib.domain.camera import VIEWS, CameraFacts, DropAnnouncement, Frame, IncompleteDrop, View
from magis_calib.domain.config import Station
from magis_calib.domain.control import Decision, ParameterFacts, Setpoints
from magis_calib.domain.devices import CameraJoined, SourceEnded, SourceEvent
from magis_calib.domain.snapshot import ActuatorState, DropRecord, LinkState
from magis_calib.feedback.journey import Arrival
from magis_calib.feedback.judgement import Judgement
from magis_calib.recording.reader import Session
from magis_calib.recording.serial import to_json

LONGEST_PAUSE_S = 60.0
"""A gap between two recorded drops is waited for at most this long at real time."""


class ReplaySource:
    """Plays the frames of a session in the order they were recorded. `set_speed` may be called by any thread."""

    def __init__(self, session: Session, speed: float) -> None:
        """`speed`: times real time, infinity for as fast as possible, 0 for pause."""
        self._speed = speed
        self._session = session
        self._events = self._play()
        self._next: tuple[float, SourceEvent] | None = None

    def set_speed(self, factor: float) -> None:
        """Play this many times real time from now on."""
        self._speed = factor

    def receive(self, timeout_s: float) -> SourceEvent | None:
        """Return the next event when its time has come."""
        if self._next is None:
            self._next = next(self._events, (0.0, SourceEnded()))
        wait_s, event = self._next
        wait_s = self._pass_time(wait_s, timeout_s)
        if wait_s > 0:
            self._next = (wait_s, event)
            return None
        self._next = (0.0, event) if isinstance(event, SourceEnded) else None
        return replace(event, received_s=time.monotonic()) if isinstance(event, Frame) else event

    def stored(self, frame: Frame) -> None:
        """Nobody waits for this."""

    def not_stored(self, frame: Frame, reason: str) -> None:
        """Nobody waits for this."""

    def links(self) -> Sequence[LinkState]:
        """Say that the recording is there."""
        return [LinkState("recording", True, 0.0, str(self._session.path))]

    def close(self) -> None:
        """Close the recording's files."""
        self._session.__exit__()

    def _pass_time(self, wait_s: float, timeout_s: float) -> float:
        """Wait up to `timeout_s` and return the recorded time that is still to pass."""
        if self._speed == math.inf or wait_s <= 0:
            return 0.0
        if self._speed <= 0:
            time.sleep(timeout_s)
            return wait_s
        slept_s = min(timeout_s, wait_s / self._speed)
        time.sleep(slept_s)
        return wait_s - slept_s * self._speed

    def _play(self) -> Iterator[tuple[float, SourceEvent]]:
        """Yield (recorded time to wait before it, event)."""
        facts: dict[View, CameraFacts] = {}
        last_ns: int | None = None
        for record, frames in self._session.drops():
            pause_s = 0.0 if last_ns is None else min(LONGEST_PAUSE_S, max(0.0, (record.time_ns - last_ns) / 1e9))
            last_ns = record.time_ns
            yield pause_s, DropAnnouncement(record.drop_id, record.sequence_type, time.time_ns())
            for view, frame in frames.items():
                if facts.get(view) != frame.facts:
                    facts[view] = frame.facts
                    yield 0.0, CameraJoined(view, frame.header.camera, frame.header.session, frame.facts)
            if record.complete and len(frames) == len(VIEWS):
                for frame in frames.values():
                    yield 0.0, frame
            else:
                reason = "; ".join(record.estimate.reasons) or "the recording lacks a frame"
                yield 0.0, IncompleteDrop(record.drop_id, reason, frames)


class ListeningHands:
    """Knows the recorded setpoints and decisions, and what became of the estimates this time."""

    held = ""

    def __init__(self, records: Sequence[DropRecord], station: Station) -> None:
        """Take what the recorded run knew."""
        self._recorded = {record.drop_id: record for record in records}
        self._latest: DropRecord | None = None
        self._facts = _facts(station)

    @property
    def facts(self) -> Mapping[str, ParameterFacts]:
        """The limits the configuration states: no controller is asked."""
        return self._facts

    def prepare(self) -> bool:
        """Be ready: there is nobody to ask."""
        return True

    def in_force(self, drop_id: int) -> Setpoints:
        """Return the setpoints recorded for this drop."""
        self._latest = self._recorded.get(drop_id)
        return self._latest.in_force if self._latest else {}

    def commanded(self) -> Setpoints:
        """Return the setpoints in force: what was commanded since is not known in advance."""
        return self._latest.in_force if self._latest else {}

    def act(self, drop_id: int, judgement: Judgement, received_s: float) -> Decision:
        """Return the recorded decision: nothing is sent."""
        recorded = self._recorded.get(drop_id)
        if recorded is not None:
            return recorded.decision
        return Decision(drop_id, time.time_ns(), "held", "replay: this drop has no recorded decision")

    def accept(self) -> None:
        """Do nothing: a replay moves nothing."""

    def by_hand(self, name: str, value: float) -> str:
        """Refuse: a replay moves nothing."""
        return "not sent: this is a replay"

    def waiting_for_drop(self) -> int | None:
        """Return None: nothing is waited for."""
        return None

    def restore(self) -> Arrival:
        """Refuse: a replay moves nothing."""
        return self.go_to({}, "the setpoints of the start")

    def go_to(self, goal: Setpoints, words: str) -> Arrival:
        """Refuse: a replay moves nothing."""
        return Arrival(False, f"did not go to {words}: this is a replay")

    def final_readback(self) -> Setpoints:
        """Return nothing: no controller is there."""
        return {}

    def final_status(self) -> Mapping[str, Mapping[str, str | int | float | bool]]:
        """Return nothing: no controller is there."""
        return {}

    def states(self) -> tuple[ActuatorState, ...]:
        """Return the recorded setpoints of the drop shown."""
        if self._latest is None:
            return ()
        readback = {**self._latest.in_force}
        return tuple(
            ActuatorState(
                name, "recording", readback.get(name, math.nan), readback.get(name, math.nan), facts.minimum,
                facts.maximum, facts.step_limit, facts.readback_tolerance,
            )
            for name, facts in self._facts.items()
        )  # fmt: skip


class Comparison:
    """Compares each replayed estimate with the recorded one, to the last bit."""

    def __init__(self, recorded: Sequence[DropRecord]) -> None:
        """Remember what was recorded."""
        self._recorded = {record.drop_id: record for record in recorded}
        self.compared = 0
        self.different: list[int] = []

    def add(self, replayed: DropRecord) -> None:
        """Take in one replayed drop."""
        recorded = self._recorded.get(replayed.drop_id)
        if recorded is None or not recorded.complete:
            return
        self.compared += 1
        if to_json(recorded.estimate) != to_json(replayed.estimate):
            self.different.append(replayed.drop_id)

    def in_words(self) -> str:
        """Return the result as one line."""
        if not self.different:
            return f"{self.compared} estimates compared: all identical to the recorded ones, bit for bit"
        first = ", ".join(str(drop) for drop in self.different[:10])
        return f"{self.compared} estimates compared: {len(self.different)} differ, first of them drops {first}"


def _facts(station: Station) -> dict[str, ParameterFacts]:
    return {
        name: ParameterFacts(name, "", one.minimum, one.maximum, one.step_cap, 1, 0.0, 0.0, 0.0)
        for name, one in station.loop.actuators.items()
    }
