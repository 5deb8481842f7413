"""The first 48 bytes of a segment.

Whether its writer closed it, and how to say that of a copy whose writer is dead.

HDF5 File Format Specification 3.0, II.A.3 (superblock version 3); its checksum is hashlittle of
lookup3.c (B. Jenkins, 2006, public domain) over the first 44 bytes.
"""

from __future__ import annotations

import struct

SIZE = 48
_FLAGS = 11
_END = slice(28, 36)
_CHECKSUM = slice(44, 48)
_MASK = 0xFFFFFFFF


def left_open(head: bytes) -> bool:
    """Whether a segment is being written, or was left so by a writer that was killed."""
    return len(head) > _FLAGS and head[_FLAGS] != 0


def end_of_file(head: bytes) -> int:
    """Return the length that the file had when its superblock was written."""
    return int.from_bytes(head[_END], "little")


def said_closed(head: bytes, length: int) -> bytes:
    """Return the same superblock with nobody writing, of a file that is so long."""
    closed = bytearray(head)
    closed[_FLAGS] = 0
    closed[_END] = length.to_bytes(8, "little")
    closed[_CHECKSUM] = struct.pack("<I", checksum(bytes(closed[: _CHECKSUM.start])))
    return bytes(closed)


def checksum(data: bytes) -> int:
    """Return hashlittle(data, 0)."""
    a = b = c = (0xDEADBEEF + len(data)) & _MASK
    blocks = struct.iter_unpack("<3I", data + bytes(-len(data) % 12))
    last = (len(data) - 1) // 12
    for number, (x, y, z) in enumerate(blocks):
        a, b, c = (a + x) & _MASK, (b + y) & _MASK, (c + z) & _MASK
        a, b, c = _mixed(a, b, c) if number < last else _final(a, b, c)
    return c


def _mixed(a: int, b: int, c: int) -> tuple[int, int, int]:
    for by in (4, 6, 8, 16, 19, 4):
        a = ((a - c) & _MASK) ^ _turned(c, by)
        c = (c + b) & _MASK
        a, b, c = b, c, a
    return a, b, c


def _final(a: int, b: int, c: int) -> tuple[int, int, int]:
    for by in (14, 11, 25, 16, 4, 14, 24):
        c = ((c ^ b) - _turned(b, by)) & _MASK
        a, b, c = b, c, a
    return c, a, b


def _turned(value: int, by: int) -> int:
    return (value << by | value >> (32 - by)) & _MASK
