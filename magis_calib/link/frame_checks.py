"""Whether a picture can be of its drop, and its numbers those of its camera: cheap, as it comes."""

from __future__ import annotations

import itertools
import statistics
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from magis_calib.domain.camera import (
    VIEWS,
    CameraFacts,
    Counts,
    DropAnnouncement,
    Frame,
    FrameHeader,
    ImagePair,
    View,
)

REMEMBERED = 1_000
"""Drops whose plan, and pictures whose checksums, are remembered."""
LEAST_WINDOW_S = 0.1
"""Triggers are not told apart within this; else within a fifth of the time between drops."""
WINDOW_SHARE = 0.2
FAR_S = 60.0
"""A trigger this long after the planned time of its drop comes from a clock that is wrong."""
CLOCK_S = 3600.0
"""The same where the drop was not announced, against this machine's clock."""
UNKNOWN_SPACING_S = 60.0


@dataclass(slots=True)
class _View:
    """What is known of one camera's pictures."""

    session: str = ""
    checksums: OrderedDict[str, int] = field(default_factory=OrderedDict)
    offsets_s: deque[float] = field(default_factory=lambda: deque(maxlen=16))
    """Trigger minus plan of the last drops."""


class FrameChecks:
    """Judges every frame that comes. Used by one thread."""

    def __init__(self, newest_drop: int = 0) -> None:
        """Begin after this drop: what was announced before this run must not come again."""
        self._newest = newest_drop
        self._planned_ns: OrderedDict[int, int] = OrderedDict()
        self._views = {view: _View() for view in VIEWS}
        self._doubts: OrderedDict[tuple[int, View], str] = OrderedDict()
        self._came_ns: OrderedDict[int, int] = OrderedDict()
        self.again = ""
        """Why no picture can be told from an earlier one any more; empty while all can."""

    def announced(self, drop: DropAnnouncement) -> None:
        """Take in the plan of a drop; notice numbers that come again."""
        planned_ns = self._planned_ns.get(drop.drop_id, drop.planned_time_ns)
        if drop.drop_id < self._newest or planned_ns != drop.planned_time_ns:
            self.again = self.again or (
                f"the drop system counts again: drop {drop.drop_id} was announced after drop "
                f"{self._newest}; drop numbers must never come again"
            )
        self._newest = max(self._newest, drop.drop_id)
        self._planned_ns.setdefault(drop.drop_id, drop.planned_time_ns)
        while len(self._planned_ns) > REMEMBERED:
            self._planned_ns.popitem(last=False)

    def awaits(self, drop_id: int) -> bool:
        """Tell whether drops are announced, and this one was not yet."""
        return bool(self._planned_ns) and drop_id not in self._planned_ns

    def take(self, frame: Frame, now_ns: int) -> None:
        """Take in a new frame. `now_ns`: UTC."""
        header = frame.header
        view = self._views[header.view]
        if view.session != header.session:
            view.session = header.session
            view.offsets_s.clear()
        words = (
            odd_counts(frame.counts, frame.facts)
            or self._repeated(view, header)
            or self._exposed_too_long(header)
        )
        self._doubts[header.drop_id, header.view] = words
        self._came_ns[header.drop_id] = now_ns
        while len(self._doubts) > REMEMBERED:
            self._doubts.popitem(last=False)
        while len(self._came_ns) > REMEMBERED:
            self._came_ns.popitem(last=False)

    def doubts(self, pair: ImagePair) -> dict[str, str]:
        """Return why a pair must not be acted upon, by what is concerned; empty for nothing."""
        if self.again:
            return {"drop": self.again}
        found = {f"view {view}": self._of_view(pair, view) for view in VIEWS}
        found = {what: words for what, words in found.items() if words}
        of_pair = self._unannounced(pair) or self._apart(pair)
        return found if found or not of_pair else {"drop": of_pair}

    def _of_view(self, pair: ImagePair, view: View) -> str:
        header = pair.frames[view].header
        words = self._doubts.get((pair.drop_id, view), "")
        now_ns = self._came_ns.get(pair.drop_id, header.trigger_time_ns)
        return words or self._mistimed(self._views[view], header, now_ns)

    def _repeated(self, view: _View, header: FrameHeader) -> str:
        """Say whether this view showed the very same pixels before."""
        before = view.checksums.setdefault(header.checksum, header.drop_id)
        while len(view.checksums) > REMEMBERED:
            view.checksums.popitem(last=False)
        same = before != header.drop_id
        return f"the same picture as that of drop {before}, pixel by pixel" if same else ""

    def _exposed_too_long(self, header: FrameHeader) -> str:
        spacing_s = self._spacing_s()
        if header.exposure_s <= spacing_s:
            return ""
        return f"exposure_s {header.exposure_s:g}, longer than the {spacing_s:.3g} s between drops"

    def _mistimed(self, view: _View, header: FrameHeader, now_ns: int) -> str:
        """Say how far a trigger is from where it must be, by the plan or else by the clock."""
        planned_ns = self._planned_ns.get(header.drop_id)
        if planned_ns is None:
            off_s = (header.trigger_time_ns - now_ns) / 1e9
            return _off(off_s, "this machine's clock") if abs(off_s) > CLOCK_S else ""
        off_s = (header.trigger_time_ns - planned_ns) / 1e9
        usual_s = statistics.median(view.offsets_s) if view.offsets_s else 0.0
        if not -self._window_s() <= off_s <= FAR_S:
            return _off(off_s, f"the planned time of drop {header.drop_id}")
        if view.offsets_s and abs(off_s - usual_s) > self._window_s():
            return _off(off_s - usual_s, f"where drop {header.drop_id} should be, by those before")
        view.offsets_s.append(off_s)
        return ""

    def _unannounced(self, pair: ImagePair) -> str:
        """Say whether a drop system that announces its drops did not announce this one."""
        if not self.awaits(pair.drop_id):
            return ""
        return f"belongs to no announced drop: the newest is drop {self._newest}"

    def _apart(self, pair: ImagePair) -> str:
        """Say whether the views were triggered at different times."""
        times_ns = [pair.frames[view].header.trigger_time_ns for view in VIEWS]
        apart_s = abs(times_ns[0] - times_ns[1]) / 1e9
        if apart_s <= self._window_s():
            return ""
        return f"views x and y were triggered {apart_s:.3g} s apart: not of one drop"

    def _window_s(self) -> float:
        return max(LEAST_WINDOW_S, WINDOW_SHARE * self._spacing_s())

    def _spacing_s(self) -> float:
        """Return the time between the last drops, as planned."""
        return _spacing_s(list(self._planned_ns.values())[-4:])


def _spacing_s(planned_ns: Sequence[int]) -> float:
    apart = [later - sooner for sooner, later in itertools.pairwise(planned_ns)]
    return statistics.median(apart) / 1e9 if apart else UNKNOWN_SPACING_S


def _off(off_s: float, where: str) -> str:
    span = f"{abs(off_s):.3g} s" if abs(off_s) < CLOCK_S else f"{abs(off_s) / CLOCK_S:,.0f} h"
    return f"triggered {span} {'after' if off_s > 0 else 'before'} {where}"


def odd_counts(counts: Counts, facts: CameraFacts) -> str:
    """Say why these counts cannot be this camera's; empty where they may be.

    Looked at is the OR of all of them: it has every bit that any count has.
    """
    bits = int(np.bitwise_or.reduce(counts, axis=None))
    if bits == 0:
        return "every count is 0"
    if bits & (facts.lsb_counts - 1):
        return f"counts are no multiples of lsb_counts {facts.lsb_counts}: other alignment or bytes"
    most = (1 << facts.bits) * facts.lsb_counts - 1
    if bits > most:
        return f"a count has bits above the {facts.bits} that the camera has: other bytes order"
    return ""
