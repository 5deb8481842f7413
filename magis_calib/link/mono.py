"""Pixel formats on the wire: Mono16 and packed Mono12p (GenICam PFNC)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from magis_calib.domain.camera import Counts, PixelFormat
from magis_calib.domain.errors import WireError

Bytes = npt.NDArray[np.uint8]


def payload_bytes(pixel_format: PixelFormat, rows: int, columns: int) -> int:
    """Return the length of a payload: 2 bytes a pixel, or 3 bytes for 2 pixels (rounded up) when packed."""
    pixels = rows * columns
    return 2 * pixels if pixel_format == "Mono16" else (3 * pixels + 1) // 2


def unpack(payload: memoryview | bytes, pixel_format: PixelFormat, rows: int, columns: int) -> Counts:
    """Return the counts, (rows, columns). Mono16 is a read-only view of the payload; Mono12p gives 0..4095.

    Raises `WireError` truncated where the payload has another length.
    """
    wanted = payload_bytes(pixel_format, rows, columns)
    got = memoryview(payload).nbytes
    if got != wanted:
        raise WireError("truncated", f"payload of {rows}x{columns} {pixel_format}", wanted=wanted, got=got)
    if pixel_format == "Mono16":
        counts: Counts = np.frombuffer(payload, dtype="<u2").reshape(rows, columns)
    else:
        counts = _unpack12(np.frombuffer(payload, dtype=np.uint8), rows * columns).reshape(rows, columns)
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
    """PFNC Mono12p: pixel 0 in the low 12 bits of each 3 bytes, pixel 1 in the high 12, little-endian."""
    if packed.size % 3:
        packed = np.append(packed, np.zeros(3 - packed.size % 3, dtype=np.uint8))
    first, middle, last = (packed[k::3].astype(np.uint16) for k in range(3))
    counts = np.empty(2 * first.size, dtype=np.uint16)
    counts[0::2] = first | ((middle & 0xF) << 8)
    counts[1::2] = (middle >> 4) | (last << 4)
    return counts[:pixels]
