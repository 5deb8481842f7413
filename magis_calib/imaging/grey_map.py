"""Grey maps (PGM), binary or text: values as stored, up to the largest that the header tells."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from magis_calib.imaging.address import Address, check_shape
from magis_calib.imaging.stored import Stored, refuse_bytes, refuse_large, select

_SPACE = rb"(?:\s|#[^\n]*\n)+"
_HEADER = re.compile(rb"P([25])" + _SPACE + rb"(\d+)" + _SPACE + rb"(\d+)" + _SPACE + rb"(\d+)\s")
_COMMENT = re.compile(rb"#[^\n]*")
HEADER_BYTES = 65_536
TEXT_BYTES = 32_000_000
"""Each number of a text takes some 40 bytes until all are read."""
MOST_DIGITS = 7


def read_pgm(address: Address) -> Stored:
    """Return the counts (rows, columns) as stored.

    Raises `ImageError`, `OSError` or `ValueError`.
    """
    with address.path.open("rb") as file:
        head = file.read(HEADER_BYTES)
        header = _header(address, head)
        columns, rows, largest = (int(header[part]) for part in (2, 3, 4))
        if not 0 < largest <= 65535:
            raise address.wrong("a largest value from 1 to 65535", str(largest))
        kind = np.dtype(">u2" if largest > 255 else "u1")
        check_shape(address, (rows, columns))
        refuse_large(address, (rows, columns), kind)
        size = rows * columns
        file.seek(header.end())
        if header[1] == b"2":
            body = file.read(TEXT_BYTES + 1)
            if len(body) > TEXT_BYTES:
                refuse_bytes(address, address.path.stat().st_size, "a text")
            counts = _as_text(body, size)
        else:
            counts = _as_bytes(file.read(size * kind.itemsize), size, kind)
    if counts.size < size:
        raise address.wrong(
            f"{rows} x {columns} pixels", f"{counts.size} pixels: the file is cut off"
        )
    if counts.max(initial=0) > largest:
        raise address.wrong(f"values up to {largest} as its header says", f"up to {counts.max()}")
    kept = counts.reshape(rows, columns).astype(np.uint16 if largest > 255 else np.uint8)
    return Stored(select(address, kept), largest)


def _header(address: Address, head: bytes) -> re.Match[bytes]:
    if head[:2] in (b"P3", b"P6"):
        raise address.wrong("one grey channel", "a colour picture (PPM)")
    header = _HEADER.match(head)
    if header is None or max(len(header[part]) for part in (2, 3, 4)) > MOST_DIGITS:
        raise address.wrong(
            "a grey map that begins with P2 or P5, its size and its largest value", repr(head[:12])
        )
    return header


def _as_text(body: bytes, size: int) -> npt.NDArray[Any]:
    return np.array(_COMMENT.sub(b"", body).split()[:size], dtype=np.int64)


def _as_bytes(body: bytes, size: int, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return as many whole values as there are."""
    whole = min(size, len(body) // kind.itemsize)
    return np.frombuffer(body, dtype=kind, count=whole)
