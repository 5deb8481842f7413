"""The camera drivers of the simulated station, by their views: all of them, or some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import zmq

from magis_calib.domain.camera import FrameHeader, View
from simulators.cameras.driver import CameraDriver
from simulators.cameras.exposure import Print
from simulators.instrument.numbers import CameraNumbers


class CameraGroup:
    """Used by one thread."""

    def __init__(
        self, drivers: Mapping[View, CameraDriver], numbers: CameraNumbers, first_drop: int
    ) -> None:
        """Have these; frames of `first_drop` are the first of their sequence."""
        self.drivers = dict(drivers)
        self._numbers = numbers
        self._first_drop = first_drop

    @property
    def unserved(self) -> list[str]:
        """The cameras that no application has welcomed."""
        cameras = self.drivers.values()
        return [one.place.camera for one in cameras if not (one.welcomed or one.dead)]

    @property
    def sockets(self) -> Sequence[zmq.Socket[bytes]]:
        """Of the drivers that are alive."""
        return [one.socket for one in self.drivers.values() if not one.dead]

    def header(self, one: Print) -> FrameHeader:
        """Return the header of a picture, honest and without the faults that it may have."""
        camera = self.drivers[one.view].place
        rows, columns = one.counts.shape
        return FrameHeader(
            station=camera.station,
            camera=camera.camera,
            view=one.view,
            drop_id=one.drop_id,
            sequence_type=one.sequence_type,
            session=camera.session,
            sequence=one.drop_id - self._first_drop,
            trigger_time_ns=one.trigger_time_ns,
            exposure_s=self._numbers.exposure_s,
            rows=rows,
            columns=columns,
            pixel_format="Mono16",
            bits=self._numbers.bits,
            alignment="left",
            checksum=one.checksum,
        )

    def close(self) -> None:
        """Hear the last words, and release the sockets."""
        for camera in self.drivers.values():
            camera.serve()
            camera.close()
