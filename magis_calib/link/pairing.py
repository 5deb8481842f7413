"""Two frames of one drop become a pair; what stays alone becomes an explicit incomplete drop.

Next on the path of a pair: `magis_calib/recording/recorder.py`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from magis_calib.domain.camera import VIEWS, Frame, ImagePair, IncompleteDrop, View
from magis_calib.domain.errors import WireError

REMEMBERED_DROPS = 5_000

Arrival = Literal["new", "duplicate", "late"]
"""late: the drop was already given up as incomplete; the frame is recorded and not acted upon."""


@dataclass(slots=True)
class _Open:
    """A drop that waits for its frames."""

    deadline_s: float
    frames: dict[View, Frame] = field(default_factory=dict)
    earlier: bool = False


class Pairing:
    """Joins frames by equality of `drop_id`. One thread uses it.

    All times are of the monotonic clock.
    """

    def __init__(self, wait_s: float, continued: bool = False) -> None:
        """Wait this long for the second frame, counted from the first sign of a drop.

        `continued`: this run goes on with another one's session. A drop that was not announced to
        it is earlier.
        """
        self._wait_s = wait_s
        self._continued = continued
        self._open: OrderedDict[int, _Open] = OrderedDict()
        self._seen: OrderedDict[int, dict[View, str]] = OrderedDict()

    def announce(self, drop_id: int, planned_in_s: float, now_s: float) -> bool:
        """Expect this drop; return whether it is new."""
        if drop_id in self._seen:
            return False
        self._remember(drop_id)
        self._open[drop_id] = _Open(now_s + max(0.0, planned_in_s) + self._wait_s)
        return True

    def recall(self, checksums: Mapping[tuple[int, View], str], decided: Collection[int]) -> None:
        """Know what a run before this one stored, and that it gave these drops their outcome."""
        for drop_id in decided:
            self._remember(drop_id)
        for (drop_id, view), checksum in checksums.items():
            if drop_id in decided and drop_id in self._seen:
                self._seen[drop_id][view] = checksum

    def owe(self, drop_id: int, now_s: float) -> None:
        """Expect the rest of a drop of the run before this one.

        Whatever becomes of it moves nothing.
        """
        self.announce(drop_id, 0.0, now_s)
        self._open[drop_id].earlier = True

    def add(self, frame: Frame, now_s: float) -> tuple[Arrival, ImagePair | IncompleteDrop | None]:
        """Take in a frame; return what it is, and what it completes.

        Raises `WireError` conflict where this drop and view were seen with other pixels.
        """
        header = frame.header
        known = self._seen.get(header.drop_id, {})
        if header.view in known:
            if known[header.view] != header.checksum:
                raise WireError(
                    "conflict",
                    f"drop {header.drop_id}, view {header.view}: other pixels were received",
                    wanted=known[header.view],
                    got=header.checksum,
                )
            return "duplicate", None
        if self.announce(header.drop_id, 0.0, now_s):
            self._open[header.drop_id].earlier = self._continued
        self._seen[header.drop_id][header.view] = header.checksum
        waiting = self._open.get(header.drop_id)
        if waiting is None:
            return "late", None
        waiting.frames[header.view] = frame
        if len(waiting.frames) < len(VIEWS):
            return "new", None
        del self._open[header.drop_id]
        return "new", _join(header.drop_id, waiting)

    def expire(self, now_s: float) -> list[IncompleteDrop]:
        """Give up the drops whose wait is over."""
        late = [drop_id for drop_id, waiting in self._open.items() if waiting.deadline_s <= now_s]
        return [
            _incomplete(drop_id, self._open.pop(drop_id).frames, self._wait_s) for drop_id in late
        ]

    def shed(self, most_bytes: int) -> list[IncompleteDrop]:
        """Give up the oldest drops whose frames wait, until no more than this is held."""
        found = []
        while self.bytes_held > most_bytes:
            drop_id = next(drop for drop, waiting in self._open.items() if waiting.frames)
            frames = self._open.pop(drop_id).frames
            missing = " or ".join(view for view in VIEWS if view not in frames)
            reason = f"given up: frames of {self.waiting + 1} drops wait for view {missing}"
            found.append(IncompleteDrop(drop_id, reason, frames))
        return found

    @property
    def bytes_held(self) -> int:
        """Bytes of the frames that wait for the other view."""
        waiting = (frame for one in self._open.values() for frame in one.frames.values())
        return sum(frame.counts.nbytes for frame in waiting)

    def flush(self) -> list[IncompleteDrop]:
        """Give up every drop that still waits: the run ends."""
        return self.expire(float("inf"))

    def forget(self, drop_id: int) -> None:
        """Wait no longer for this drop: its outcome is known from elsewhere."""
        self._open.pop(drop_id, None)

    def knows(self, drop_id: int) -> bool:
        """Whether this drop was announced or seen before."""
        return drop_id in self._seen

    @property
    def waiting(self) -> int:
        """How many drops wait for frames."""
        return len(self._open)

    def _remember(self, drop_id: int) -> None:
        self._seen[drop_id] = {}
        while len(self._seen) > REMEMBERED_DROPS:
            self._seen.popitem(last=False)


def _join(drop_id: int, waiting: _Open) -> ImagePair | IncompleteDrop:
    frames = waiting.frames
    types = {frame.header.sequence_type for frame in frames.values()}
    if len(types) > 1:
        return IncompleteDrop(drop_id, f"mismatched: the views say {sorted(types)}", frames)
    return ImagePair(drop_id, {view: frames[view] for view in VIEWS}, waiting.earlier)


def _incomplete(drop_id: int, frames: dict[View, Frame], wait_s: float) -> IncompleteDrop:
    missing = [view for view in VIEWS if view not in frames]
    return IncompleteDrop(
        drop_id, f"no frame of view {' or '.join(missing)} within {wait_s:g} s", frames
    )
