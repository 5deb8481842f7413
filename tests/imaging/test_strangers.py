"""Files as other programs write them: numbers as stored, and what cannot be read is said."""

from __future__ import annotations

import gzip
import resource
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from magis_calib.domain.errors import ImageError
from magis_calib.imaging.files import read_image
from tests.imaging.test_strange_files import BYTES, COUNTS, FLOATS, pgm

DOUBLES = FLOATS.astype(np.float64) + 1e-9
ROWS, COLUMNS = COUNTS.shape


def tiff(data: bytes, order: str, compression: int, bits: int, kind: int, white: int) -> bytes:
    """Write a TIFF of one strip by hand."""
    tags = [
        (256, 4, COLUMNS),
        (257, 4, ROWS),
        (258, 3, bits),
        (259, 3, compression),
        (262, 3, white),
        (273, 4, 8),
        (277, 3, 1),
        (278, 4, ROWS),
        (279, 4, len(data)),
        (339, 3, kind),
    ]
    head = (b"MM" if order == ">" else b"II") + struct.pack(f"{order}HI", 42, 8 + len(data))
    rows = b"".join(
        struct.pack(f"{order}HHI", tag, size, 1)
        + (struct.pack(f"{order}I", value) if size == 4 else struct.pack(f"{order}HH", value, 0))
        for tag, size, value in tags
    )
    return head + data + struct.pack(f"{order}H", len(tags)) + rows + bytes(4)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("compression", [1, 8])
def test_floats_of_64_bits_are_read_to_the_last(tmp_path, order: str, compression: int) -> None:
    raw = DOUBLES.astype(f"{order}f8").tobytes()
    data = zlib.compress(raw) if compression == 8 else raw
    (tmp_path / "a.tif").write_bytes(tiff(data, order, compression, 64, 3, 1))
    assert np.array_equal(read_image(str(tmp_path / "a.tif")).pixels, DOUBLES)


@pytest.mark.parametrize("white", [0, 1])
def test_counts_are_those_stored_whatever_is_shown_white(tmp_path: Path, white: int) -> None:
    (tmp_path / "a.tif").write_bytes(tiff(BYTES.tobytes(), "<", 1, 8, 1, white))
    assert np.array_equal(read_image(str(tmp_path / "a.tif")).pixels, BYTES)


@pytest.mark.parametrize(("bits", "by"), [(2, 85), (4, 17)])
def test_counts_of_few_bits_are_not_stretched(tmp_path: Path, bits: int, by: int) -> None:
    few = BYTES >> (8 - bits)
    Image.fromarray(few * by).save(tmp_path / "a.png", bits=bits)
    found = read_image(str(tmp_path / "a.png"))
    assert np.array_equal(found.pixels, few)
    assert found.full_scale == 2**bits - 1


@pytest.mark.parametrize("text", [True, False])
def test_a_grey_map_is_full_at_the_largest_value_that_it_tells(tmp_path: Path, text: bool) -> None:
    (tmp_path / "a.pgm").write_bytes(pgm(COUNTS >> 4, 4095, text=text))
    found = read_image(str(tmp_path / "a.pgm"))
    assert found.full_scale == 4095
    assert np.array_equal(found.pixels, COUNTS >> 4)


def test_archives_and_compressed_units_are_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "one.npz", COUNTS)
    np.savez_compressed(tmp_path / "two.npz", a=COUNTS, b=np.stack([COUNTS, COUNTS[::-1]]))
    fits.PrimaryHDU(COUNTS).writeto(tmp_path / "a.fits.gz")
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(COUNTS)]).writeto(tmp_path / "a.fits.fz")
    for name, wanted in (
        ("one.npz", COUNTS),
        ("two.npz:a", COUNTS),
        ("two.npz:b[1]", COUNTS[::-1]),
        ("a.fits.gz", COUNTS),
        ("a.fits.fz", COUNTS),
        ("a.fits.fz[1]", COUNTS),
    ):
        assert np.array_equal(read_image(str(tmp_path / name)).pixels, wanted), name
    for name in ("two.npz", "two.npz:c"):
        with pytest.raises(ImageError, match="NAME with one of a, b"):
            read_image(str(tmp_path / name))


def test_nexus_files_are_read_and_missing_sources_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "source.h5", "w") as file:
        file["image"] = COUNTS
    layout = h5py.VirtualLayout(COUNTS.shape, "u2")
    layout[...] = h5py.VirtualSource("source.h5", "image", COUNTS.shape)
    with h5py.File(tmp_path / "run.nxs", "w") as file:
        file.create_virtual_dataset("entry/image", layout)
        file.create_dataset(
            "entry/raw", COUNTS.shape, "u2", external=[("raw.bin", 0, COUNTS.nbytes)]
        )
    assert np.array_equal(read_image(f"{tmp_path / 'run.nxs'}:/entry/image").pixels, COUNTS)
    (tmp_path / "source.h5").unlink()
    for name, missing in (("image", "source.h5"), ("raw", "raw.bin")):
        with pytest.raises(ImageError, match=f"the file {missing} that holds its numbers"):
            read_image(f"{tmp_path / 'run.nxs'}:/entry/{name}")


def test_pixels_without_a_number_are_kept_to_be_masked(tmp_path: Path) -> None:
    floats = DOUBLES.copy()
    floats[3, 4], floats[5, 6] = np.nan, np.inf
    np.save(tmp_path / "a.npy", floats)
    found = read_image(str(tmp_path / "a.npy"))
    found.refuse_without_contrast(10)
    assert np.array_equal(found.pixels, floats, equal_nan=True)


def hollow_npy(path: Path) -> None:
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<u2", "fortran_order": False, "shape": (40_000, 40_000)}
        )
        file.truncate(4_000_000_000)


def hollow_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("image", (40_000, 40_000), "u2", chunks=(40_000, 40_000))


def wide_chunks(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "image", (64, 64), "u2", chunks=(30_000, 30_000), maxshape=(None, None), compression=1
        )


def hollow_pgm(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"P5 40000 40000 255\n")
        file.truncate(2_000_000_000)


def hollow_fits(path: Path) -> None:
    header = fits.PrimaryHDU(np.zeros((8, 8), np.float32)).header
    header["NAXIS1"] = header["NAXIS2"] = 30_000
    with path.open("wb") as file:
        file.write(header.tostring().encode())
        file.truncate(3_700_000_000)


def packed_zeros(path: Path) -> None:
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(300):
            file.write(bytes(1_000_000))


def wide_png(path: Path) -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", 12_000, 12_000, 8, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")
    )


HOLLOW = {
    "a.npy": hollow_npy,
    "a.h5:/image": hollow_hdf5,
    "b.h5:/image": wide_chunks,
    "a.pgm": hollow_pgm,
    "a.fits": hollow_fits,
    "a.fits.gz": packed_zeros,
    "a.png": wide_png,
}
READ = """
import sys
from magis_calib.domain.errors import ImageError
from magis_calib.imaging.files import read_image
try:
    read_image(sys.argv[1])
except ImageError as error:
    print(error)
"""
MOST_BYTES = 1_000_000_000


@pytest.mark.parametrize("name", HOLLOW)
def test_a_file_that_declares_too_much_is_refused_before_memory_is_taken(tmp_path, name) -> None:
    HOLLOW[name](tmp_path / name.partition(":")[0])
    said = subprocess.run(
        [sys.executable, "-c", READ, str(tmp_path / name)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES)),
    )
    assert "wanted" in said.stdout, said
    assert "at most" in said.stdout
    assert said.stdout.count("\n") == 1
