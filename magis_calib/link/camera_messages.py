"""The messages between a camera driver and the application (docs/protocol.md, "Cameras")."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from magis_calib.domain.camera import (
    CameraFacts,
    FrameHeader,
    Orientation,
    PixelFormat,
    SequenceType,
    View,
)
from magis_calib.link.headers import Message

Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:\- ]+$")]
Count = Annotated[int, Field(ge=0, lt=2**63, strict=True)]
Size = Annotated[int, Field(ge=1, le=20_000, strict=True)]
Number = Annotated[float, Field(allow_inf_nan=False)]
PositiveNumber = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class FactsMessage(Message):
    """The facts of a camera as they stand in `hello`."""

    rows: Size
    columns: Size
    object_pixel_m: PositiveNumber
    gain: PositiveNumber
    offset: Number
    read_noise: NotNegative
    saturation: Annotated[int, Field(ge=1, le=65_536)]
    bits: Annotated[int, Field(ge=8, le=16)]
    lsb_counts: Annotated[int, Field(ge=1, le=256)]
    excess: NotNegative
    orientation: Orientation

    def facts(self) -> CameraFacts:
        """Return them as the frozen noun of the domain."""
        return CameraFacts(**self.model_dump())


class Hello(Message):
    """The driver's first message after each connect, and again whenever a fact changes."""

    type: Literal["hello"] = "hello"
    protocols: Annotated[list[int], Field(min_length=1, max_length=16)]
    station: Name
    camera: Name
    view: View
    session: Name
    driver: Annotated[str, Field(max_length=200)] = ""
    facts: FactsMessage


class FrameMessage(Message):
    """The header of a frame; the pixels follow as the second part."""

    type: Literal["frame"] = "frame"
    protocol: Literal[1]
    station: Name
    camera: Name
    view: View
    drop_id: Count
    sequence_type: SequenceType
    session: Name
    sequence: Count
    trigger_time_ns: Count
    exposure_s: PositiveNumber
    rows: Size
    columns: Size
    dtype: Literal["uint16", "uint8"]
    pixel_format: PixelFormat
    bits: Annotated[int, Field(ge=8, le=16)]
    alignment: Literal["left", "right"]
    checksum: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]

    @model_validator(mode="after")
    def _dtype_fits_format(self) -> FrameMessage:
        wanted = {"Mono16": "uint16", "Mono12p": "uint8"}[self.pixel_format]
        if self.dtype != wanted:
            raise ValueError(f"dtype of {self.pixel_format} must be {wanted}, got {self.dtype}")
        return self

    @classmethod
    def of(cls, header: FrameHeader) -> FrameMessage:
        """Return the message that carries this header."""
        names = [name for name in cls.model_fields if name not in {"type", "protocol", "dtype"}]
        dtype: Literal["uint16", "uint8"] = "uint16" if header.pixel_format == "Mono16" else "uint8"
        return cls(protocol=1, dtype=dtype, **{name: getattr(header, name) for name in names})

    def header(self) -> FrameHeader:
        """Return the frozen noun of the domain."""
        return FrameHeader(**self.model_dump(exclude={"type", "protocol", "dtype"}))


class Heartbeat(Message):
    """I am alive; sent by both sides, also while frames flow."""

    type: Literal["heartbeat"] = "heartbeat"
    session: Name


class Bye(Message):
    """The driver goes away on purpose."""

    type: Literal["bye"] = "bye"
    session: Name


class Welcome(Message):
    """The application's answer to `hello`."""

    type: Literal["welcome"] = "welcome"
    protocol: int
    session: Name
    heartbeat_s: PositiveNumber


class Received(Message):
    """This frame is in memory and whole. Keep it until `stored`."""

    type: Literal["received"] = "received"
    drop_id: Count
    sequence: Count


class Stored(Message):
    """This frame is on disk: forget it."""

    type: Literal["stored"] = "stored"
    drop_id: Count
    sequence: Count


class NotStored(Message):
    """This frame was used but will not be kept: forget it; `reason` says why."""

    type: Literal["not_stored"] = "not_stored"
    drop_id: Count
    sequence: Count
    reason: str


class ErrorAnswer(Message):
    """A message that was not accepted. `retry`: sending the same frame again can help."""

    type: Literal["error"] = "error"
    code: str
    message: str
    retry: bool
    drop_id: int | None = None
    sequence: int | None = None


FromCamera = Hello | FrameMessage | Heartbeat | Bye
ToCamera = Welcome | Received | Stored | NotStored | ErrorAnswer | Heartbeat
FROM_CAMERA: dict[str, type[FromCamera]] = {
    "hello": Hello,
    "frame": FrameMessage,
    "heartbeat": Heartbeat,
    "bye": Bye,
}
TO_CAMERA: dict[str, type[ToCamera]] = {
    "welcome": Welcome,
    "received": Received,
    "stored": Stored,
    "not_stored": NotStored,
    "error": ErrorAnswer,
    "heartbeat": Heartbeat,
}
