"""The pixels of one image of each file format as stored: nobody else sees a format."""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections.abc import Callable
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import numpy.typing as npt
from PIL import Image

from magis_calib.domain.errors import ImageError
from magis_calib.imaging.address import Address

_SPACE = rb"(?:\s|#[^\n]*\n)+"
_HEADER = re.compile(rb"P([25])" + _SPACE + rb"(\d+)" + _SPACE + rb"(\d+)" + _SPACE + rb"(\d+)\s")
_COMMENT = re.compile(rb"#[^\n]*")


def read_pgm(address: Address) -> npt.NDArray[Any]:
    """Return the counts (rows, columns) as stored.

    Raises `ImageError`, `OSError` or `ValueError`.
    """
    data = address.path.read_bytes()
    if data[:2] in (b"P3", b"P6"):
        raise address.wrong("one grey channel", "a colour picture (PPM)")
    header = _HEADER.match(data)
    if header is None:
        raise address.wrong(
            "a grey map that begins with P2 or P5, its size and its largest value", repr(data[:12])
        )
    columns, rows, largest = (int(header[part]) for part in (2, 3, 4))
    if not 0 < largest <= 65535:
        raise address.wrong("a largest value from 1 to 65535", str(largest))
    size = rows * columns
    body = data[header.end() :]
    counts = _as_text(body, size) if header[1] == b"2" else _as_bytes(body, size, largest)
    if counts.size < size:
        raise address.wrong(
            f"{rows} x {columns} pixels", f"{counts.size} pixels: the file is cut off"
        )
    if counts.max(initial=0) > largest:
        raise address.wrong(f"values up to {largest} as its header says", f"up to {counts.max()}")
    kept: npt.NDArray[Any] = counts.reshape(rows, columns)
    return kept.astype(np.uint16 if largest > 255 else np.uint8)


def _as_text(body: bytes, size: int) -> npt.NDArray[Any]:
    return np.array(_COMMENT.sub(b"", body).split()[:size], dtype=np.int64)


def _as_bytes(body: bytes, size: int, largest: int) -> npt.NDArray[Any]:
    """Return as many whole values as there are, of one byte or two by the largest value."""
    kind = np.dtype(">u2" if largest > 255 else "u1")
    whole = min(size, len(body) // kind.itemsize)
    return np.frombuffer(body, dtype=kind, count=whole)


Stored = npt.NDArray[Any]

_GREY_MODES = ("L", "I;16", "I;16L", "I;16B", "I", "F")
"""Pillow's modes of one channel that are kept as they are: 8, 16, 32 bit and 32 bit float."""
_HDF5_FILTER = hdf5plugin.Bitshuffle
_LISTED = 20


def read_stored(address: Address) -> Stored:
    """Return the array (rows, columns) that the file holds. Raises `ImageError`.

    Its message names the file.
    """
    reader = _reader_of(address)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # what is wrong with a file is said by the error that follows
            return reader(address)
    except ImageError:
        raise
    # the libraries answer a damaged file with any exception, also RuntimeError, TokenError
    except Exception as error:
        wanted = f"a readable {address.path.suffix.lower()} file"
        raise address.wrong(wanted, " ".join(str(error).split())) from error


def _reader_of(address: Address) -> Callable[[Address], Stored]:
    """Return what reads this file, by its ending. Raises `ImageError`."""
    suffix = address.path.suffix.lower()
    if not address.path.is_file():
        found = "a folder" if address.path.is_dir() else "no such file"
        raise address.wrong("an image file", found)
    if suffix not in _READERS:
        wanted = f"a file that ends in {', '.join(_READERS)}"
        raise address.wrong(wanted, repr(suffix) if suffix else "no ending")
    return _READERS[suffix]


def _numpy(address: Address) -> Stored:
    return _select(address, np.load(address.path, allow_pickle=False))


def _pgm(address: Address) -> Stored:
    return _select(address, read_pgm(address))


def _pillow(kind: str) -> Callable[[Address], Stored]:
    def read(address: Address) -> Stored:
        with Image.open(address.path, formats=(kind,)) as image:
            pages = getattr(image, "n_frames", 1)
            if pages > 1 or address.index:
                address.check_stack((pages, image.height, image.width))
                image.seek(address.index[0] % pages)
            if image.mode not in _GREY_MODES:
                raise address.wrong(
                    "one grey channel of 8, 16 or 32 bits", f"a picture of mode {image.mode}"
                )
            return np.asarray(image)

    return read


def _hdf5(address: Address) -> Stored:
    with _open_hdf5(address) as file:
        dataset = file.get(address.dataset) if address.dataset else None
        if not isinstance(dataset, h5py.Dataset):
            got = repr(address.dataset) if address.dataset else "no dataset's name"
            raise address.wrong(f"{address.path}:DATASET with one of {_datasets(file)}", got)
        return _select(address, dataset)


def _open_hdf5(address: Address) -> h5py.File:
    """Open it, also while a recording writes to it or after one was killed."""
    try:
        return h5py.File(address.path, "r")
    except OSError:
        return h5py.File(address.path, "r", swmr=True)


def _datasets(file: h5py.File) -> str:
    found: list[str] = []

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.ndim in (2, 3) and item.dtype.kind in "uif":
            found.append(f"/{name} {item.shape}")

    file.visititems(note)
    listed = "; ".join(found[:_LISTED]) + ("; …" if len(found) > _LISTED else "")
    return listed or "its datasets (there is none of 2 or 3 dimensions)"


def _fits(address: Address) -> Stored:
    try:
        from astropy.io import fits
    except ImportError as error:
        raise ImageError(
            f"{address.name}: FITS files need astropy: pip install 'magis-calib[fits]'"
        ) from error
    with fits.open(address.path, memmap=False) as units:
        images = [number for number, unit in enumerate(units) if unit.is_image and unit.shape]
        named = address if address.index else dataclasses.replace(address, index=tuple(images[:1]))
        if named.index and named.index[0] in images:
            return _select(named, np.asarray(units[named.index[0]].data), skip=1)
        raise address.wrong(
            f"the number of a unit with an image, one of {images}", f"{list(address.index)}"
        )


def _select(address: Address, stack: Any, skip: int = 0) -> Stored:
    """Return the image of an array or dataset that the index names, after `skip` numbers of it."""
    address.check_stack(stack.shape, skip)
    return np.asarray(stack[address.index[skip:]])


_READERS: dict[str, Callable[[Address], Stored]] = {
    ".npy": _numpy,
    ".tif": _pillow("TIFF"),
    ".tiff": _pillow("TIFF"),
    ".png": _pillow("PNG"),
    ".pgm": _pgm,
    ".h5": _hdf5,
    ".hdf5": _hdf5,
    ".hdf": _hdf5,
    ".fits": _fits,
    ".fit": _fits,
}
