"""Bytes to camera messages and back: all that may be wrong with a frame is found here.

Next on the path of a pair: `magis_calib/run/receiver.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from isal import isal_zlib

from magis_calib.config.station import Camera, Station
from magis_calib.domain.camera import (
    LARGEST_FRAME_BYTES,
    CameraFacts,
    Counts,
    FrameHeader,
    PixelFormat,
)
from magis_calib.domain.errors import WireError
from magis_calib.link.camera_messages import (
    FROM_CAMERA,
    TO_CAMERA,
    FrameMessage,
    FromCamera,
    Hello,
    ToCamera,
)
from magis_calib.link.headers import message_type, parse

Bytes = npt.NDArray[np.uint8]


def payload_bytes(pixel_format: PixelFormat, rows: int, columns: int) -> int:
    """Return the length of a payload.

    2 bytes a pixel, or 3 bytes for 2 pixels (rounded up) when packed.
    """
    pixels = rows * columns
    return 2 * pixels if pixel_format == "Mono16" else (3 * pixels + 1) // 2


def unpack(
    payload: memoryview | bytes, pixel_format: PixelFormat, rows: int, columns: int
) -> Counts:
    """Return the counts, (rows, columns).

    Mono16 is a read-only view of the payload; Mono12p gives 0..4095.

    Raises `WireError` truncated where the payload has another length.
    """
    wanted = payload_bytes(pixel_format, rows, columns)
    got = memoryview(payload).nbytes
    if got != wanted:
        raise WireError(
            "truncated", f"payload of {rows}x{columns} {pixel_format}", wanted=wanted, got=got
        )
    if pixel_format == "Mono16":
        counts: Counts = np.frombuffer(payload, dtype="<u2").reshape(rows, columns)
    else:
        counts = _unpack12(np.frombuffer(payload, dtype=np.uint8), rows * columns).reshape(
            rows, columns
        )
    counts.flags.writeable = False
    return counts


def pack(counts: Counts, pixel_format: PixelFormat) -> bytes:
    """Return the payload of these counts: what `unpack` undoes exactly."""
    if pixel_format == "Mono16":
        return np.ascontiguousarray(counts, dtype="<u2").tobytes()
    flat = counts.ravel()
    if flat.size % 2:
        flat = np.append(flat, np.uint16(0))
    low, high = flat[0::2], flat[1::2]
    packed = np.empty((low.size, 3), dtype=np.uint8)
    packed[:, 0] = low & 0xFF
    packed[:, 1] = (low >> 8) | ((high & 0xF) << 4)
    packed[:, 2] = high >> 4
    return packed.tobytes()[: payload_bytes("Mono12p", *counts.shape)]


def _unpack12(packed: Bytes, pixels: int) -> Counts:
    """PFNC Mono12p.

    Pixel 0 in the low 12 bits of each 3 bytes, pixel 1 in the high 12, little-endian.
    """
    if packed.size % 3:
        packed = np.append(packed, np.zeros(3 - packed.size % 3, dtype=np.uint8))
    first, middle, last = (packed[k::3].astype(np.uint16) for k in range(3))
    counts = np.empty(2 * first.size, dtype=np.uint16)
    counts[0::2] = first | ((middle & 0xF) << 8)
    counts[1::2] = (middle >> 4) | (last << 4)
    return counts[:pixels]


RETRY_HELPS = frozenset({"truncated", "checksum", "no_hello"})
"""Error codes after which sending the same frame again can help."""


def checksum(payload: bytes | memoryview) -> str:
    """Return the CRC-32 (zlib) of the payload as 8 lower-case hex digits."""
    return f"{isal_zlib.crc32(payload):08x}"


def decode_from_camera(header: bytes) -> FromCamera:
    """Return the driver's message in this JSON header. Raises `WireError`."""
    return parse(FROM_CAMERA[message_type(header, list(FROM_CAMERA))], header)


def decode_to_camera(header: bytes) -> ToCamera:
    """Return the application's message in this JSON header. Raises `WireError`."""
    return parse(TO_CAMERA[message_type(header, list(TO_CAMERA))], header)


def payload_of(counts: Counts, header: FrameHeader) -> bytes:
    """Return the payload that these counts were sent as."""
    return pack(counts, header.pixel_format)


def as_sent(counts: Counts, header: FrameHeader, counts_crc32: int) -> bool:
    """Whether these counts, of this CRC-32 in memory, are the payload that was sent.

    Unpacked ones are it already.
    """
    if header.pixel_format == "Mono16":
        return f"{counts_crc32:08x}" == header.checksum
    return checksum(payload_of(counts, header)) == header.checksum


def check_hello(hello: Hello, station_name: str, station: Station) -> Camera:
    """Return the configured camera that says hello.

    Raises `WireError` unknown_station, unknown_camera, wrong_view or facts_disagree.
    """
    if hello.station != station_name:
        raise WireError("unknown_station", "station", wanted=station_name, got=hello.station)
    enabled: Mapping[str, Camera] = {
        camera.name: camera for camera in station.cameras if camera.enabled
    }
    if hello.camera not in enabled:
        raise WireError("unknown_camera", "camera", wanted=sorted(enabled), got=hello.camera)
    camera = enabled[hello.camera]
    if hello.view != camera.view:
        raise WireError(
            "wrong_view", f"view of camera {camera.name}", wanted=camera.view, got=hello.view
        )
    _check_size(hello)
    announced = hello.facts.model_dump()
    for name, wanted in camera.facts.model_dump(exclude_none=True).items():
        if announced[name] != wanted:
            raise WireError(
                "facts_disagree",
                f"fact {name!r} of camera {camera.name}, as the configuration insists",
                wanted=wanted,
                got=announced[name],
            )
    return camera


def _check_size(hello: Hello) -> None:
    """Refuse a camera whose frames would be cut off. Raises `WireError`."""
    facts = hello.facts
    size = payload_bytes("Mono16", facts.rows, facts.columns)
    if size > LARGEST_FRAME_BYTES:
        raise WireError(
            "bad_header",
            f"fields `facts.rows`, `facts.columns`: a frame of {size} bytes",
            wanted=f"at most {LARGEST_FRAME_BYTES} bytes (2 a pixel)",
            got=(facts.rows, facts.columns),
        )


def check_frame(message: FrameMessage, payload: memoryview | bytes, hello: Hello | None) -> Counts:
    """Return the counts of a frame that agrees with its camera's hello, (rows, columns), read-only.

    Raises `WireError` no_hello, wrong_identity, wrong_shape, wrong_depth, truncated or checksum.
    """
    if hello is None or hello.session != message.session:
        raise WireError(
            "no_hello",
            "frame of a session that has not said hello",
            wanted=hello.session if hello else "a hello first",
            got=message.session,
        )
    _same("wrong_identity", "station", hello.station, message.station)
    _same("wrong_identity", "camera", hello.camera, message.camera)
    _same("wrong_identity", "view", hello.view, message.view)
    facts = hello.facts
    _same(
        "wrong_shape", "rows, columns", (facts.rows, facts.columns), (message.rows, message.columns)
    )
    _same("wrong_depth", "bits", facts.bits, message.bits)
    counts = unpack(payload, message.pixel_format, message.rows, message.columns)
    _same("checksum", "CRC-32 of the payload", checksum(payload), message.checksum)
    return counts


def facts_of(hello: Hello) -> CameraFacts:
    """Return the facts this hello announced."""
    return hello.facts.facts()


def _same(code: str, what: str, wanted: object, got: object) -> None:
    if wanted != got:
        raise WireError(code, what, wanted=wanted, got=got)
