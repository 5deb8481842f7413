"""Images in NumPy's files: `stack.npy[2]`, `run.npz:name[2]`."""

from __future__ import annotations

import math
import zipfile
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from magis_calib.imaging.address import Address
from magis_calib.imaging.stored import Stored, refuse_bytes, select

ENDING = ".npy"


def read_npy(address: Address) -> Stored:
    """Return the image that the index names; no more of the file is read."""
    stack = np.load(address.path, mmap_mode="r", allow_pickle=False)
    return Stored(select(address, stack))


def read_npz(address: Address) -> Stored:
    """Return the image that the name tells, of an archive of arrays."""
    with zipfile.ZipFile(address.path) as archive:
        names = [one.removesuffix(ENDING) for one in archive.namelist() if one.endswith(ENDING)]
        wanted = address.dataset or (names[0] if len(names) == 1 else "")
        if wanted not in names:
            raise address.wrong(
                f"{address.path}:NAME with one of {', '.join(names[:20])}",
                repr(wanted) if wanted else "no array's name",
            )
        info = archive.getinfo(wanted + ENDING)
        refuse_bytes(address, info.file_size, "an array")
        with archive.open(info) as file:
            shape, kind = _told(file)
            size = math.prod(shape) * kind.itemsize
            if kind.hasobject or size > info.file_size:
                raise address.wrong(f"{shape} values of {kind}", f"{info.file_size} bytes")
        with archive.open(info) as file:
            return Stored(select(address, npy.read_array(file, allow_pickle=False)))


def _told(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and type that an array's header tells."""
    read = npy.read_array_header_1_0 if npy.read_magic(file) == (1, 0) else _newer
    shape, _, kind = read(file)
    return shape, kind


def _newer(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    return npy.read_array_header_2_0(file)
