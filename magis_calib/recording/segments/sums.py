"""Checksums of everything in a segment that HDF5 itself does not check.

HDF5 checks its own structure. Images have their checksum in the table of frames; here are those of
rows, of texts, and of all that is written once: attributes, configuration and axes.
"""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
from isal import isal_zlib

ROW = "row_crc32"
"""Last field of each row: CRC-32 of the bytes of the fields before it."""
DRIVER, HEADER, RECORD = "driver_crc32", "header_crc32", "record_crc32"
"""Fields: CRC-32 of the name of the driver's session and of the header, in the row of a frame, and
of a drop's record, in that of its decision.
"""
ABOUT = "about_crc32"
"""Attribute of the file: CRC-32 of what is written once."""


def with_sums(row: np.dtype[Any], *texts: str) -> np.dtype[Any]:
    """Return a row's type with checksums of `texts` that stand elsewhere, and of the row itself."""
    return np.dtype([*row.descr, *((name, "<u4") for name in (*texts, ROW))])


def filled(row: np.dtype[Any], values: npt.NDArray[np.void], **texts: bytes) -> Any:
    """Return a row of `with_sums` with these values, and the checksums of these texts."""
    full = np.zeros((), row)
    for name in values.dtype.names or ():
        full[name] = values[name]
    for name, text in texts.items():
        full[name] = text_crc32(text)
    full[ROW] = _row_crc32(full.tobytes())
    return full


def without_sums(rows: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Return rows as they were before there were checksums."""
    names = [one for one in rows.dtype.names or () if one not in (DRIVER, HEADER, RECORD, ROW)]
    if ROW not in (rows.dtype.names or ()):
        return rows
    bare = np.empty(len(rows), np.dtype([(one, rows.dtype[one]) for one in names]))
    for one in names:
        bare[one] = rows[one]
    return bare


def begun_rows(rows: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Return rows without those at the end for which there was room and that were never written."""
    count = len(rows)
    while count and ROW in (rows.dtype.names or ()) and not any(rows[count - 1].tobytes()):
        count -= 1
    return rows[:count]


def renewed(rows: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Return rows whose values were changed with the checksums that these have now."""
    rows = rows.copy()
    rows[ROW] = [_row_crc32(row.tobytes()) for row in rows]
    return rows


def other_rows(rows: npt.NDArray[np.void]) -> list[int]:
    """Return the places of rows that are not as they were written."""
    sums = rows[ROW].tolist()
    return [place for place, row in enumerate(rows) if _row_crc32(row.tobytes()) != sums[place]]


def text_crc32(text: bytes) -> int:
    """Return the CRC-32 of a text without the zeros that fill its field."""
    return isal_zlib.crc32(bytes(text).rstrip(b"\0"))


def about_crc32(file: h5py.File) -> int:
    """Return the CRC-32 of what is written once. Raises as HDF5 does."""
    crc = _of_attributes(file, 0)
    names: list[str] = []
    file.visit(names.append)
    for name in sorted(names):
        item = file[name]
        crc = isal_zlib.crc32(name.encode(), crc)
        if isinstance(item, h5py.Dataset):
            crc = _of_dataset(item, crc)
        crc = _of_attributes(item, crc)
    return crc


def _of_dataset(dataset: h5py.Dataset, crc: int) -> int:
    """Go on with the content of a dataset that cannot grow."""
    grows = None in dataset.maxshape
    return crc if grows else isal_zlib.crc32(np.asarray(dataset[()]).tobytes(), crc)


def _of_attributes(item: Any, crc: int) -> int:
    for name in sorted(item.attrs.keys() - {ABOUT}):
        crc = isal_zlib.crc32(name.encode() + b"\0" + _plain(item.attrs[name]), crc)
    return crc


def _plain(value: Any) -> bytes:
    """Return the bytes of an attribute's value, texts in UTF-8."""
    values = np.asarray(value)
    if values.dtype.kind in "OU":
        return "\0".join(str(one) for one in values.ravel().tolist()).encode()
    return values.tobytes()


def _row_crc32(raw: bytes) -> int:
    return isal_zlib.crc32(raw[:-4])
