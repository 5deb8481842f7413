"""Brings frames from the image maker to the camera drivers, as badly as the faults want it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from magis_calib.domain.camera import FrameHeader, View
from simulators.cameras.driver import CameraDriver
from simulators.faults.active import Faults
from simulators.faults.wire_kinds import (
    BitFlipped,
    CameraDies,
    CameraNewSession,
    CameraRestarts,
    CameraStutters,
    FrameDuplicated,
    FrameLate,
    FrameLost,
    FramesShuffled,
    FrameTruncated,
    WrongShape,
)

Parcel = tuple[FrameHeader, memoryview]
FLIPPED_BYTE = 1_000


class FrameDelivery:
    """Used by the thread that owns the camera drivers."""

    def __init__(
        self,
        faults: Faults,
        cameras: Mapping[View, CameraDriver],
        settled: Callable[[int, View, bool], None],
        new_session: Callable[[], str],
    ) -> None:
        """`settled` hears of frames that nobody will ever see."""
        self._faults = faults
        self._cameras = cameras
        self._settled = settled
        self._new_session = new_session
        self._late: list[tuple[float, Parcel]] = []
        self._kept: dict[View, list[Parcel]] = {view: [] for view in cameras}
        self._newest_drop = 0

    def prepare(self, drop_id: int) -> bool:
        """Let drivers die, rise and begin again just before this drop.

        Say whether sockets are others now.
        """
        self._newest_drop = drop_id
        changed = False
        for view, camera in self._cameras.items():
            dead = self._faults.of_view(CameraDies, view, drop_id) is not None
            restarts = self._faults.of_view(CameraRestarts, view, drop_id) is not None
            if (dead and not camera.dead) or restarts:
                camera.die()
                changed = True
            if camera.dead and not dead:
                camera.rise(self._new_session())
                changed = True
            elif self._faults.of_view(CameraNewSession, view, drop_id):
                camera.begin_anew(self._new_session())
        return changed

    def bring(self, header: FrameHeader, payload: memoryview, now_s: float) -> None:
        """Take a new frame along."""
        view, drop_id, faults = header.view, header.drop_id, self._faults
        if faults.of_view(FrameLost, view, drop_id) or self._cameras[view].dead:
            self._settled(drop_id, view, False)
        elif late := faults.of_view(FrameLate, view, drop_id):
            self._late.append((now_s + late.delay_s, (header, payload)))
        elif faults.of_view(FramesShuffled, view, drop_id) or faults.of_view(
            CameraStutters, view, drop_id
        ):
            self._kept[view].append((header, payload))
        else:
            self._deliver((header, payload))
            if not faults.of_view(CameraStutters, view, self._newest_drop):
                self._deliver_kept(view)

    def tick(self, now_s: float) -> None:
        """Deliver what was late."""
        due = [parcel for due_s, parcel in self._late if due_s <= now_s]
        self._late = [one for one in self._late if one[0] > now_s]
        for parcel in due:
            self._deliver(parcel)

    def _deliver_kept(self, view: View) -> None:
        kept = self._kept[view]
        self._kept[view] = []
        for parcel in kept:
            self._deliver(parcel)

    def _deliver(self, parcel: Parcel) -> None:
        header, payload = parcel
        view, drop_id, faults = header.view, header.drop_id, self._faults
        spoilt: memoryview | None = None
        if faults.of_view(FrameTruncated, view, drop_id):
            spoilt = payload[: payload.nbytes // 2]
        elif faults.of_view(BitFlipped, view, drop_id):
            copy = bytearray(payload)
            copy[FLIPPED_BYTE] ^= 1
            spoilt = memoryview(copy)
        if faults.of_view(WrongShape, view, drop_id):
            header = dataclasses.replace(header, rows=header.rows + 1)
        copies = 2 if faults.of_view(FrameDuplicated, view, drop_id) else 1
        self._cameras[view].take(header, payload, spoilt, copies)
