"""Where the actuators stand by what was written and read, and what the atoms of each drop saw.

A write that is not read back stays open: until reads agree with what was sent nobody knows what the
drops see that are announced meanwhile, and the loop holds.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from magis_calib.actuators.checks import strayed
from magis_calib.actuators.controllers import Sent
from magis_calib.actuators.timeline import Timeline
from magis_calib.domain.control import ParameterFacts, Setpoints, WriteAnswer

Facts = Mapping[str, ParameterFacts]


@dataclass(frozen=True, slots=True)
class _OpenWrite:
    """One setpoint that was written and not read back."""

    before: float
    """Where the actuator was commanded before."""
    done: bool
    """The controller said that it did it."""
    settled_s: float
    """From then on the motion is over (monotonic)."""


class Whereabouts:
    """What is known of the actuators of one station. One thread writes; any may read."""

    def __init__(self) -> None:
        """Know nothing: `settle` says where everything stands."""
        self.setpoints: dict[str, float] = {}
        self.readback: dict[str, float] = {}
        self.start: dict[str, float] = {}
        self.timeline: Timeline | None = None
        self._open: dict[str, _OpenWrite] = {}
        self._read_at_drop = 0
        self._lag = 0

    def settle(self, readback: Setpoints, newest_drop: int) -> None:
        """Take the read-backs as in force: from the start, or from the next drop after trouble.

        `newest_drop`: the last one announced, which had its setpoints before.
        """
        self.readback = dict(readback)
        self.setpoints = dict(readback)
        if self.timeline is None:
            self.timeline = Timeline(readback)
            self.start = dict(readback)
            self._read_at_drop = newest_drop
        else:
            self._changed(self.timeline, readback, newest_drop)
        self._close_all(newest_drop)

    def read(self, readback: Setpoints, newest_drop: int, facts: Facts, now_s: float) -> None:
        """Take in a fresh read-back of every parameter; one that is missing is not known now."""
        moved = {
            name: value
            for name, value in readback.items()
            if name not in self._open
            and abs(value - self.readback.get(name, value)) > facts[name].readback_tolerance
        }
        self.readback = dict(readback)
        if self.timeline is not None and moved:
            self._changed(self.timeline, moved, newest_drop)
        self._read_at_drop = newest_drop
        self._judge_open(newest_drop, facts, now_s)

    def sent(self, sent: Sent, before_drop: int, newest_drop: int, facts: Facts) -> None:
        """Take in what was written while the newest drop went from one to another."""
        if self.timeline is None:
            return
        doubtful = strayed(sent.sent, sent.readback, facts).keys() | sent.unanswered
        for name in sent.sent:
            self._open.pop(name, None)
            if name in doubtful:
                settled_s = sent.time_s + facts[name].settle_time_s
                old = self.setpoints.get(name, math.nan)
                self._open[name] = _OpenWrite(old, name not in sent.unanswered, settled_s)
        self.setpoints.update(sent.sent)
        self.readback.update(sent.readback)
        for name, first in sent.effective.items():
            self._lag = max(self._lag, first - newest_drop - 1)
            self.timeline.change(first, {name: sent.readback.get(name, sent.sent[name])})
        if self._open or (sent.guessed and before_drop < newest_drop):
            self.timeline.doubt(before_drop + 1)
            if not self._open:
                self.timeline.trust(newest_drop + 1)
        self._read_at_drop = newest_drop
        self._judge_open(newest_drop, facts, sent.time_s)

    def done_late(self, setpoints: Setpoints, answer: WriteAnswer, facts: Facts) -> None:
        """Take in that a write whose answer had not come was done after all, and from when on."""
        mine = {
            name: value
            for name, value in setpoints.items()
            if name in self._open and self.setpoints.get(name) == value
        }
        first = answer.effective_drop
        if self.timeline is None or first is None or strayed(mine, answer.readback, facts):
            return
        self.timeline.change(first, mine)
        for name in mine:
            del self._open[name]
        if mine and not self._open:
            self.timeline.never_mind()

    def doubt_about(self, drop_id: int) -> str:
        """Say why nobody knows what the atoms of this drop saw; empty where that is known."""
        if self.timeline is None or not self.timeline.is_doubtful(drop_id):
            return ""
        return f"an actuator moved about drop {drop_id}: nobody knows what its atoms saw"

    def open_writes(self) -> Collection[str]:
        """Return the actuators whose last write is not read back."""
        return self._open.keys()

    def _changed(self, timeline: Timeline, moved: Setpoints, newest_drop: int) -> None:
        """Somebody else moved these since the last read: drops between saw one or the other."""
        first = self._read_at_drop + 1
        timeline.change(first, moved)
        if first <= newest_drop:
            timeline.doubt(first)
            if not self._open:
                timeline.trust(newest_drop + 1)

    def _judge_open(self, newest_drop: int, facts: Facts, now_s: float) -> None:
        """Close the open writes once reads agree: with what was sent, or that it never arrived."""
        if not self._open:
            return
        for name in strayed(self.setpoints, self.readback, facts):
            one = self._open.get(name)
            if one is None or one.done or now_s < one.settled_s:
                continue
            if not strayed({name: one.before}, self.readback, facts):
                self.setpoints[name] = one.before
        if not strayed({name: self.setpoints[name] for name in self._open}, self.readback, facts):
            self._close_all(newest_drop)

    def _close_all(self, newest_drop: int) -> None:
        if self.timeline is not None:
            self.timeline.change(
                newest_drop + 1, {name: self.readback[name] for name in self._open}
            )
            self.timeline.trust(newest_drop + 1 + self._lag)
        self._open.clear()
        self._read_at_drop = newest_drop
