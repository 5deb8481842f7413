"""Thirty hostile image files."""

from __future__ import annotations

import gzip
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
from astropy.io import fits
from PIL import Image

ZEROS = np.zeros((64, 64), np.uint16)


def npy(shape: tuple[int, ...], kind: str = "<u2") -> bytes:
    """Return the header of an array."""
    file = io.BytesIO()
    told = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, told)
    return file.getvalue()


def data(raw: bytes, size: int = 0) -> Callable[[Path], None]:
    """Return what writes these bytes, and a hole up to this size."""

    def write(path: Path) -> None:
        with path.open("wb") as file:
            file.write(raw)
            file.truncate(max(size, len(raw)))

    return write


def hdf5(**options: object) -> Callable[[Path], None]:
    """Return what writes a dataset `image` that is made with these options."""

    def write(path: Path) -> None:
        with h5py.File(path, "w") as file:
            file.create_dataset("image", **options)

    return write


def png(width: int, height: int, rows: bytes) -> bytes:
    """Return a PNG of these rows."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows, 1)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def tiff(*tags: tuple[int, int, int]) -> bytes:
    """Return a TIFF of these tags (number, how many, value), and no data."""
    table = b"".join(struct.pack("<HHII", tag, 4, count, value) for tag, count, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + table + bytes(4)


def fits_header(**changes: object) -> bytes:
    """Return the header of an image with these changes."""
    header = fits.PrimaryHDU(np.zeros((8, 8), np.float32)).header
    for name, value in changes.items():
        header[name] = value
    return header.tostring().encode()


def packed(raw: bytes, megabytes: int) -> Callable[[Path], None]:
    """Return what writes these bytes and many zeros, gzipped."""

    def write(path: Path) -> None:
        with gzip.open(path, "wb", compresslevel=1) as file:
            file.write(raw)
            for _ in range(megabytes):
                file.write(bytes(1_000_000))

    return write


def archive(raw: bytes, zeros_mb: int = 0) -> Callable[[Path], None]:
    """Return what writes an archive of one array with these bytes and zeros after them."""

    def write(path: Path) -> None:
        with (
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
            file.open("a.npy", "w", force_zip64=True) as inside,
        ):
            inside.write(raw)
            for _ in range(zeros_mb):
                inside.write(bytes(1_000_000))

    return write


def virtual(path: Path) -> None:
    """Write a dataset whose numbers stand in a file that is not there."""
    layout = h5py.VirtualLayout((64, 64), "u2")
    layout[...] = h5py.VirtualSource("gone.h5", "image", (64, 64))
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("image", layout)


def pickled(path: Path) -> None:
    """Write an array of objects: reading it would execute what it says."""
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)


def noise_as_tiff(path: Path) -> None:
    """Write a TIFF whose data are cut off."""
    Image.fromarray(np.random.default_rng(1).integers(0, 9999, (99, 99)).astype(np.uint16)).save(
        path
    )
    path.write_bytes(path.read_bytes()[:5000])


CHUNKS = {"chunks": (20_000, 20_000), "maxshape": (None, None), "compression": 1}
STRIPS = ((258, 1, 64), (259, 1, 1), (277, 1, 1), (278, 1, 8), (339, 1, 3))
WRITERS: dict[str, Callable[[Path], object]] = {
    "hollow.npy": data(npy((40_000, 40_000)), 3_300_000_000),
    "cut.npy": data(npy((40_000, 40_000))),
    "floats.npy": data(npy((6000, 6000), "<f8"), 288_000_200),
    "negative.npy": data(npy((-5, 10))),
    "object.npy": pickled,
    "zeros.npy": data(npy((64, 64)), 9000),
    "text.npy": data(b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535),
    "bomb.npz": archive(npy((40_000, 40_000)), 300),
    "lying.npz": archive(npy((10**6, 10**6))),
    "not.npz": data(b"PK\x03\x04" + bytes(99)),
    "hollow.pgm": data(b"P5 40000 40000 255\n", 2_000_000_000),
    "text.pgm": data(b"P2 40000 40000 255\n" + b"1 " * 1000, 2_000_000_000),
    "digits.pgm": data(b"P5 " + b"9" * 5000 + b" 9 255\n"),
    "hollow.h5": hdf5(shape=(40_000, 40_000), dtype="u2"),
    "chunks.h5": hdf5(shape=(64, 64), dtype="u2", **CHUNKS),
    "texts.h5": hdf5(data=np.array([[b"far"] * 9] * 9)),
    "virtual.nxs": virtual,
    "junk.h5": data(b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 9),
    "hollow.fits": data(fits_header(NAXIS1=30_000, NAXIS2=30_000), 3_700_000_000),
    "cut.fits": data(fits_header(NAXIS1=3000, NAXIS2=3000)),
    "huge.fits": data(fits_header(NAXIS1=2**31, NAXIS2=2**31)),
    "bomb.fits.gz": packed(fits_header(NAXIS1=30_000, NAXIS2=30_000), 400),
    "wide.png": data(png(12_000, 12_000, bytes(99))),
    "short.png": data(png(4000, 4000, bytes(99))),
    "hollow.tif": data(tiff((256, 1, 60_000), (257, 1, 60_000), (258, 1, 16), (259, 1, 1),
                            (262, 1, 1), (273, 1, 8), (277, 1, 1), (278, 1, 60_000), (279, 1, 9))),
    "doubles.tif": data(tiff((256, 1, 60_000), (257, 1, 60_000), *STRIPS[:2], (273, 1, 8),
                             *STRIPS[2:4], (279, 1, 9), STRIPS[4])),
    "loop.tif": data(b"II*\0\x08\0\0\0\x00\x00\x08\0\0\0"),
    "cut.tif": noise_as_tiff,
    "pipe.png": os.mkfifo,
    "device.pgm": lambda path: path.symlink_to("/dev/zero"),
}  # fmt: skip


def written(folder: Path) -> list[Path]:
    """Write all, and return them."""
    for name, write in WRITERS.items():
        write(folder / name)
    return [folder / name for name in WRITERS]
