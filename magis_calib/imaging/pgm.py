"""Portable grey maps, 8 and 16 bit, binary and text. Image libraries stretch the values to the full scale: not here."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from magis_calib.imaging.address import Address

_SPACE = rb"(?:\s|#[^\n]*\n)+"
_HEADER = re.compile(rb"P([25])" + _SPACE + rb"(\d+)" + _SPACE + rb"(\d+)" + _SPACE + rb"(\d+)\s")
_COMMENT = re.compile(rb"#[^\n]*")


def read_pgm(address: Address) -> npt.NDArray[Any]:
    """Return the counts (rows, columns) as stored. Raises `ImageError`, `OSError` or `ValueError`."""
    data = address.path.read_bytes()
    if data[:2] in (b"P3", b"P6"):
        raise address.wrong("one grey channel", "a colour picture (PPM)")
    header = _HEADER.match(data)
    if header is None:
        raise address.wrong("a grey map that begins with P2 or P5, its size and its largest value", repr(data[:12]))
    columns, rows, largest = (int(header[part]) for part in (2, 3, 4))
    if not 0 < largest <= 65535:
        raise address.wrong("a largest value from 1 to 65535", str(largest))
    size = rows * columns
    if header[1] == b"2":
        counts = np.array(_COMMENT.sub(b"", data[header.end() :]).split()[:size], dtype=np.int64)
    else:
        kind = np.dtype(">u2" if largest > 255 else "u1")
        body = data[header.end() : header.end() + size * kind.itemsize]
        counts = np.frombuffer(body[: len(body) // kind.itemsize * kind.itemsize], dtype=kind)
    if counts.size < size:
        raise address.wrong(f"{rows} x {columns} pixels", f"{counts.size} pixels: the file is cut off")
    if counts.max(initial=0) > largest:
        raise address.wrong(f"values up to {largest} as its header says", f"up to {counts.max()}")
    kept: npt.NDArray[Any] = counts.reshape(rows, columns)
    return kept.astype(np.uint16 if largest > 255 else np.uint8)
