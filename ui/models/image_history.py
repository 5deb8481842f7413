"""Which drop the pictures show: newest, from memory, or from the recording. No Qt."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from magis_calib.domain.camera import VIEWS, ImagePair
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import SessionError
from magis_calib.domain.estimate import StationEstimate
from magis_calib.recording.recall import recall
from magis_calib.state.snapshot import Snapshot
from ui.models.background import BackgroundTask

KEPT_BYTES = 260_000_000
"""Images of so many bytes stay in memory: ten drops of 2 x 6.3 Mpix."""
MOST_KEPT = 250


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What the pictures are to show."""

    pair: ImagePair | None
    estimate: StationEstimate | None
    """The one made from `pair`."""
    back: bool = False
    """The operator looks at an earlier drop."""
    problem: str = ""
    """Why there is no picture of it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Recalled:
    """One drop out of the recording."""

    record: DropRecord
    shown: Shown


class ImageHistory:
    """Keeps the images of the last drops and knows which drop was chosen.

    The GUI thread uses it.
    """

    def __init__(self, executor: Executor, kept_bytes: int = KEPT_BYTES) -> None:
        """`executor` reads recordings, a second a drop; `kept_bytes`: most images in memory."""
        self._kept: deque[tuple[ImagePair, StationEstimate]] = deque()
        self._kept_bytes = kept_bytes
        self._held_bytes = 0
        self._recall: BackgroundTask[tuple[str, int], _Recalled | str] = BackgroundTask(
            executor, lambda wanted: _recalled(*wanted)
        )
        self._chosen: int | None = None

    @property
    def chosen(self) -> int | None:
        """The drop that the operator wants to see; None for the newest."""
        return self._chosen

    @property
    def kept(self) -> list[int]:
        """Drops whose images are in memory, oldest first."""
        return [pair.drop_id for pair, _ in self._kept]

    def see(self, snapshot: Snapshot) -> None:
        """Keep the newest pair beside those before it."""
        pair, estimate = snapshot.pair, snapshot.pair_estimate
        if pair is None or estimate is None or (self._kept and self._kept[-1][0] is pair):
            return
        self._kept.append((pair, estimate))
        self._held_bytes += _size(pair)
        while len(self._kept) > MOST_KEPT or (
            self._held_bytes > self._kept_bytes and len(self._kept) > 1
        ):
            self._held_bytes -= _size(self._kept.popleft()[0])

    def choose(self, drop_id: int | None) -> None:
        """Look at this drop; None: follow the newest again."""
        self._chosen = drop_id

    def step(self, by: int) -> None:
        """Go so many drops on among those in memory; past the end follow the newest again."""
        drops = self.kept
        if not drops:
            return
        if self._chosen is None:
            at = len(drops) - 1 + by
        else:
            at = (
                sum(drop < self._chosen for drop in drops)
                + by
                + (by < 0) * (self._chosen not in drops)
            )
        self._chosen = drops[max(0, at)] if at < len(drops) - 1 else None

    def shown(self, snapshot: Snapshot) -> Shown:
        """Return the pictures to show now. Cheap.

        Begins to read where the images are no longer in memory.
        """
        if self._chosen is None:
            return Shown(snapshot.pair, snapshot.pair_estimate)
        return self._in_memory() or self._recalled(snapshot)

    def _in_memory(self) -> Shown | None:
        """Return the pictures of the chosen drop; None where they are no longer in memory."""
        held = (one for one in self._kept if one[0].drop_id == self._chosen)
        return next((Shown(pair, estimate, back=True) for pair, estimate in held), None)

    def _recalled(self, snapshot: Snapshot) -> Shown:
        found = self._from_recording(snapshot)
        return found.shown if isinstance(found, _Recalled) else Shown(None, None, True, found)

    def record(self, snapshot: Snapshot) -> DropRecord | str:
        """Return what is known of the chosen (else the newest) drop, or in words why nothing is."""
        if self._chosen is None:
            return snapshot.latest if snapshot.latest is not None else "no drop yet"
        records = reversed(snapshot.records)
        held = next((one for one in records if one.drop_id == self._chosen), None)
        return held if held is not None else self._recorded(snapshot)

    def _recorded(self, snapshot: Snapshot) -> DropRecord | str:
        found = self._from_recording(snapshot)
        return found if isinstance(found, str) else found.record

    def settle(self) -> None:
        """Wait for what is being read."""
        self._recall.settle()

    def _from_recording(self, snapshot: Snapshot) -> _Recalled | str:
        """Return what the recording holds of the chosen drop.

        In words that it is being read, or why it cannot be.
        """
        drop_id = self._chosen or 0
        if not snapshot.session:
            return f"drop {drop_id} is no longer in memory, and nothing is recorded"
        wanted = (snapshot.session, drop_id)
        made = self._recall.newest(wanted)
        if made is None or made[0] != wanted:
            return f"drop {drop_id} is being read from the recording…"
        return made[1]


def _recalled(session: str, drop_id: int) -> _Recalled | str:
    try:
        found = recall(Path(session), drop_id)
    except SessionError as error:
        return str(error)
    if set(found.frames) != set(VIEWS):
        return _Recalled(
            found.record, Shown(None, None, True, f"drop {drop_id}: its images were not kept whole")
        )
    pair = ImagePair(drop_id, dict(found.frames))
    return _Recalled(found.record, Shown(pair, found.record.estimate, back=True))


def _size(pair: ImagePair) -> int:
    return sum(frame.counts.nbytes for frame in pair.frames.values())
