"""What a camera says of its pictures where the faults want it to lie: the sum of it is right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from magis_calib.domain.camera import Counts, FrameHeader, View
from magis_calib.link.wire import checksum
from simulators.faults.active import Faults
from simulators.faults.wire_kinds import (
    BytesSwapped,
    CountsShifted,
    CountsZero,
    ExposureWrong,
    PictureRepeated,
    TriggerOff,
)


class CameraLies:
    """Changes pictures and headers before they are sent. Used by one thread."""

    def __init__(self, faults: Faults) -> None:
        """Begin with no picture to repeat."""
        self._faults = faults
        self._last: dict[View, Counts] = {}

    def told(self, header: FrameHeader, counts: Counts) -> tuple[FrameHeader, Counts]:
        """Return what is sent in place of this frame, with a checksum that is right."""
        view, drop_id = header.view, header.drop_id
        counts = self._counts(view, drop_id, counts)
        trigger = self._faults.of_view(TriggerOff, view, drop_id)
        exposure = self._faults.of_view(ExposureWrong, view, drop_id)
        off_ns = round(1e9 * trigger.size_s) if trigger else 0
        return replace(
            header,
            trigger_time_ns=max(0, header.trigger_time_ns + off_ns),
            exposure_s=exposure.exposure_s if exposure else header.exposure_s,
            checksum=checksum(counts.data),
        ), counts

    def _counts(self, view: View, drop_id: int, counts: Counts) -> Counts:
        of_view = self._faults.of_view
        if of_view(PictureRepeated, view, drop_id):
            return self._last.get(view, counts)
        self._last[view] = counts
        if of_view(CountsZero, view, drop_id):
            return np.zeros_like(counts)
        if of_view(CountsShifted, view, drop_id):
            return (counts >> 4).astype(counts.dtype)
        return counts.byteswap() if of_view(BytesSwapped, view, drop_id) else counts
