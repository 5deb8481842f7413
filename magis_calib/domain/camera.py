"""What a camera says: its facts, a frame of one drop, and the pair of both views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

View = Literal["x", "y"]
VIEWS: tuple[View, View] = ("x", "y")
PixelFormat = Literal["Mono16", "Mono12p"]
Orientation = Literal[
    "normal",
    "rotated_90",
    "rotated_180",
    "rotated_270",
    "mirrored",
    "mirrored_rotated_90",
    "mirrored_rotated_180",
    "mirrored_rotated_270",
]
"""How the sensor must be turned to stand upright: mirrored left-right first, then turned
counter-clockwise.
"""
SequenceType = Literal["interferometer", "no_atoms", "z_shear", "pi_test"]

Counts = npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """What a driver announces about its camera in `hello` (docs/contracts.md, "Camera facts")."""

    rows: int
    columns: int
    object_pixel_m: float
    """Size of one pixel in the object."""
    gain: float
    """Electrons per count."""
    offset: float
    """Counts without light."""
    read_noise: float
    """Electrons, standard deviation per pixel."""
    saturation: int
    """Counts; a pixel at or above is saturated."""
    bits: int
    lsb_counts: int
    """Counts per step of the ADC: 16 for 12-bit data left-aligned in 16 bits."""
    excess: float
    """Photoelectrons per atom: the signal's variance is (1 + excess) times the signal."""
    orientation: Orientation

    @property
    def quantised_read_variance(self) -> float:
        """Variance of a dark pixel in electrons²: read noise² + lsb²/12."""
        return self.read_noise**2 + (self.lsb_counts * self.gain) ** 2 / 12.0


LARGEST_FRAME_BYTES = 300_000_000
"""Pixels of one frame that are taken into memory; the connection of who sends more is cut."""


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """The header of one frame exactly as it was sent (docs/protocol.md, "frame")."""

    station: str
    camera: str
    view: View
    drop_id: int
    sequence_type: SequenceType
    session: str
    """The driver's session: a new one for each start of the driver."""
    sequence: int
    trigger_time_ns: int
    """UTC."""
    exposure_s: float
    rows: int
    columns: int
    pixel_format: PixelFormat
    bits: int
    alignment: Literal["left", "right"]
    checksum: str
    """CRC-32 of the payload as sent, 8 lower-case hex digits."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One image with its header. `counts` is (rows, columns), read-only, not yet turned upright."""

    header: FrameHeader
    counts: Counts
    facts: CameraFacts
    received_s: float
    """Monotonic clock, when the last part was handed over by the socket."""


@dataclass(frozen=True, slots=True, eq=False)
class ImagePair:
    """The frames of both views of one drop."""

    drop_id: int
    frames: dict[View, Frame]
    earlier: bool = False
    """Taken before this run began, for one that was killed: it is recorded and fitted, and moves
    nothing.
    """
    doubts: Mapping[str, str] = field(default_factory=dict)
    """Why this is perhaps no picture of this drop, by what is concerned ("view x", "drop"): it is
    recorded and fitted, and moves nothing.
    """

    @property
    def sequence_type(self) -> SequenceType:
        """What the drop was made for; both frames agree (pairing refuses a mismatch)."""
        return self.frames["x"].header.sequence_type

    @property
    def received_s(self) -> float:
        """When the later of the two frames arrived (monotonic clock)."""
        return max(frame.received_s for frame in self.frames.values())


@dataclass(frozen=True, slots=True)
class DropAnnouncement:
    """What the drop system says before each drop."""

    drop_id: int
    sequence_type: SequenceType
    planned_time_ns: int
    """UTC."""


@dataclass(frozen=True, slots=True, eq=False)
class IncompleteDrop:
    """A drop whose pair never became whole: an explicit outcome, never a silent gap."""

    drop_id: int
    reason: str
    frames: dict[View, Frame]
