"""Image files come out as they went in, and what is wrong with one is said in one line."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from magis_calib.domain.errors import ImageError
from magis_calib.imaging.files import read_image

SHAPE = (40, 60)
COUNTS = np.random.default_rng(5).integers(0, 65536, SHAPE).astype(np.uint16)
COUNTS[0, :2] = 0, 65535
BYTES = (COUNTS >> 8).astype(np.uint8)
FLOATS = COUNTS.astype(np.float32) / 7.0 - 100.0


def plain_tiff(counts: np.ndarray, order: str) -> bytes:
    """Write a TIFF by hand, in either byte order."""
    data = counts.astype(f"{order}u2").tobytes()
    rows, columns = counts.shape
    tags = [
        (256, columns),
        (257, rows),
        (258, 16),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, rows),
        (279, len(data)),
    ]
    head = (b"MM" if order == ">" else b"II") + struct.pack(f"{order}HI", 42, 8 + len(data))
    table = b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in tags)
    return head + data + struct.pack(f"{order}H", len(tags)) + table + struct.pack(f"{order}I", 0)


def pgm(counts: np.ndarray, largest: int, *, text: bool = False) -> bytes:
    """Write a grey map by hand, with comments where they are allowed."""
    rows, columns = counts.shape
    head = f"P{2 if text else 5}\n# a comment 7\n{columns} {rows} # another\n{largest}\n".encode()
    if text:
        return head + b"\n".join(b" ".join(b"%d" % value for value in row) for row in counts)
    return head + counts.astype(">u2" if largest > 255 else "u1").tobytes()


def save(path: Path, array: np.ndarray) -> None:
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            file.create_dataset(
                "run/image", data=array, chunks=array.shape, **hdf5plugin.Bitshuffle()
            )
    elif path.suffix == ".fits":
        fits.PrimaryHDU(array).writeto(path)
    else:
        Image.fromarray(array).save(path)


def place(path: Path) -> str:
    return f"{path}:/run/image" if path.suffix == ".h5" else str(path)


@pytest.mark.parametrize("ending", [".npy", ".png", ".tif", ".tiff", ".h5", ".fits"])
@pytest.mark.parametrize("counts", [COUNTS, BYTES], ids=["16 bit", "8 bit"])
def test_counts_survive_to_the_bit(tmp_path: Path, ending: str, counts: np.ndarray) -> None:
    path = tmp_path / f"image{ending}"
    save(path, counts)
    found = read_image(place(path))
    assert found.pixels.dtype == np.uint16
    assert found.full_scale == (255 if counts is BYTES else 65535)
    np.testing.assert_array_equal(found.pixels, counts)


@pytest.mark.parametrize(
    ("name", "data", "counts"),
    [
        ("big.tif", plain_tiff(COUNTS, ">"), COUNTS),
        ("little.tif", plain_tiff(COUNTS, "<"), COUNTS),
        ("binary.pgm", pgm(COUNTS, 65535), COUNTS),
        ("text.PGM", pgm(COUNTS, 65535, text=True), COUNTS),
        ("twelve.pgm", pgm(COUNTS >> 4, 4095), COUNTS >> 4),
        ("bytes.pgm", pgm(BYTES, 255), BYTES),
        ("hundred.pgm", pgm(BYTES % 100, 99, text=True), BYTES % 100),
    ],
)
def test_counts_are_not_stretched_or_swapped(
    tmp_path: Path, name: str, data: bytes, counts: np.ndarray
) -> None:
    (tmp_path / name).write_bytes(data)
    np.testing.assert_array_equal(read_image(str(tmp_path / name)).pixels, counts)


@pytest.mark.parametrize("ending", [".npy", ".tif", ".h5", ".fits"])
def test_floats_survive_to_the_bit(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"image{ending}"
    save(path, FLOATS)
    found = read_image(place(path))
    assert found.full_scale is None
    assert found.pixels.dtype == np.float64
    np.testing.assert_array_equal(found.pixels, FLOATS)


@pytest.mark.parametrize("kind", [">u2", "i2", "i4", "u8"])
def test_whole_numbers_of_any_type_are_counts(tmp_path: Path, kind: str) -> None:
    counts = (COUNTS >> 1).astype(kind)
    np.save(tmp_path / "a.npy", counts)
    np.testing.assert_array_equal(read_image(str(tmp_path / "a.npy")).pixels, counts)


def test_an_index_names_one_image_of_many(tmp_path: Path) -> None:
    other = COUNTS[::-1]
    np.save(tmp_path / "s.npy", np.stack([COUNTS, other]))
    Image.fromarray(COUNTS).save(
        tmp_path / "s.tif", save_all=True, append_images=[Image.fromarray(other)]
    )
    fits.HDUList(
        [fits.PrimaryHDU(), fits.ImageHDU(np.stack([COUNTS, other])), fits.ImageHDU(other)]
    ).writeto(tmp_path / "s.fits")
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file["a"] = np.stack([COUNTS, other])
        file["b"] = np.stack([COUNTS, other])[None]
    for name in (
        "s.npy[1]",
        "s.npy[-1]",
        "s.tif[1]",
        "s.fits[1,1]",
        "s.fits[2]",
        "s.h5:/a[1]",
        "s.h5:b[0, 1]",
    ):
        np.testing.assert_array_equal(read_image(f"{tmp_path}/{name}").pixels, other, err_msg=name)


def test_a_name_that_exists_is_that_file(tmp_path: Path) -> None:
    np.save(tmp_path / "a[1].npy", COUNTS)
    np.testing.assert_array_equal(read_image(f"{tmp_path}/a[1].npy").pixels, COUNTS)


def test_a_profile_is_an_image(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", FLOATS[:1])
    assert read_image(f"{tmp_path}/a.npy").pixels.shape == (1, 60)


def array(values: object) -> Callable[[Path], None]:
    return lambda path: np.save(path, np.asarray(values))


def picture(mode: str) -> Callable[[Path], None]:
    return lambda path: Image.fromarray(BYTES).convert(mode).save(path)


def data(values: bytes) -> Callable[[Path], None]:
    return lambda path: Path(path).write_bytes(values)


def hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["run/image"] = COUNTS
        file["run/stack"] = COUNTS[None]
        file["deep"] = COUNTS[None, None]
        file["text"] = "hello"


NAN = np.where(COUNTS > 20000, np.nan, COUNTS)
BAD = [
    ("no.npy", None, "", ["an image file", "no such file"]),
    ("a.jpg", data(b"x"), "", [".npy, .tif", "'.jpg'"]),
    ("a.npy", array(COUNTS[0]), "", ["2-D", "(60,)"]),
    ("a.npy", array(np.stack([COUNTS] * 5)), "", ["one 2-D image", "a.npy[0]", "(5, 40, 60)"]),
    (
        "a.npy",
        array(np.stack([COUNTS] * 5)),
        "[5]",
        ["an index inside the shape (5, 40, 60)", "[5]"],
    ),
    ("a.npy", array(np.dstack([COUNTS] * 3)), "", ["one grey channel", "3 channels"]),
    ("a.npy", array([[7]]), "", ["at least 8 pixels", "(1, 1)"]),
    ("a.npy", array(COUNTS[:, :0]), "", ["at least 8 pixels", "(40, 0)"]),
    ("a.npy", array(COUNTS > 9), "", ["whole numbers or floats", "bool"]),
    ("a.npy", array(COUNTS + 1j), "", ["whole numbers or floats", "complex"]),
    ("a.npy", array(COUNTS.astype(int) - 5), "", ["counts from 0 to 65535", "-5"]),
    ("a.npy", array(COUNTS.astype(int) * 2), "", ["counts from 0 to 65535", "131070"]),
    ("a.npy", array(NAN), "", ["finite values in 50%", "NaN"]),
    ("a.npy", array(np.array([{}], dtype=object)), "", ["readable .npy", "objects"]),
    ("a.npy", data(b""), "", ["readable .npy"]),
    ("a.png", picture("RGB"), "", ["one grey channel", "RGB"]),
    ("a.png", picture("RGBA"), "", ["one grey channel", "RGBA"]),
    ("a.png", picture("P"), "", ["one grey channel", "mode P"]),
    ("a.tif", picture("1"), "", ["one grey channel", "mode 1"]),
    ("a.tif", data(plain_tiff(COUNTS, ">")), "[1]", ["an index inside", "[1]"]),
    ("a.tif", data(plain_tiff(COUNTS, ">")[:999]), "", ["readable .tif"]),
    ("a.png", data(b"not a picture"), "", ["readable .png", "cannot identify"]),
    ("a.pgm", data(pgm(COUNTS, 65535)[:-9]), "", ["40 x 60 pixels", "2395 pixels"]),
    ("a.pgm", data(b"P6 9 9 255\n" + bytes(243)), "", ["one grey channel", "colour"]),
    ("a.pgm", data(b"P5 nine"), "", ["P2 or P5"]),
    ("a.h5", hdf5, "", ["/run/image (40, 60)", "/run/stack (1, 40, 60)", "no dataset"]),
    ("a.h5", hdf5, ":/image", ["/run/image", "'/image'"]),
    ("a.h5", hdf5, ":/run/stack", ["one 2-D image", "a.h5:/run/stack[0]"]),
    ("a.h5", hdf5, ":/deep[0]", ["one 2-D image", "a.h5:/deep[0,0]"]),
    ("a.h5", hdf5, ":/text", ["2-D"]),
    ("a.h5", data(b"x" * 999), ":/a", ["readable .h5"]),
    ("a.fits", data(b"x" * 999), "", ["readable .fits"]),
    (
        "a.fits",
        lambda path: fits.PrimaryHDU(COUNTS[None]).writeto(path),
        "",
        ["a.fits[0,0]", "(1, 40, 60)"],
    ),
    ("a.fits", lambda path: fits.PrimaryHDU(COUNTS).writeto(path), "[3]", ["one of [0]", "[3]"]),
]


@pytest.mark.parametrize(("name", "write", "index", "said"), BAD)
def test_what_is_wrong_is_said_in_one_line(
    tmp_path: Path, name: str, write: Callable[[Path], None] | None, index: str, said: list[str]
) -> None:
    if write is not None:
        write(tmp_path / name)
    with pytest.raises(ImageError) as caught:
        read_image(f"{tmp_path / name}{index}")
    text = str(caught.value)
    assert text.startswith(f"{tmp_path / name}{index}: wanted ")
    assert "\n" not in text
    assert all(word in text.partition(": wanted ")[2] for word in said), text


@pytest.mark.parametrize(
    ("level", "said"), [(0, "differ, got 0"), (900, "differ, got 900"), (65535, "below 65535")]
)
def test_an_image_of_one_value_is_refused(tmp_path: Path, level: int, said: str) -> None:
    np.save(tmp_path / "a.npy", np.full(SHAPE, level, dtype=np.uint16))
    with pytest.raises(ImageError, match=said):
        read_image(f"{tmp_path}/a.npy").refuse_without_contrast(saturation=65535)


def test_a_saturated_image_is_refused_by_the_facts(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.maximum(COUNTS, 4000))
    image = read_image(f"{tmp_path}/a.npy")
    image.refuse_without_contrast(saturation=4001)
    with pytest.raises(ImageError, match="saturation at 4000 counts, got none below 4000"):
        image.refuse_without_contrast(saturation=4000)


def test_fits_without_astropy_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "a.fits", COUNTS)
    for name in [name for name in sys.modules if name.startswith("astropy")]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImageError, match=r"magis-calib\[fits\]"):
        read_image(f"{tmp_path}/a.fits")
