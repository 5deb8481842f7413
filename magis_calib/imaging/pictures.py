"""TIFF and PNG pictures: the numbers that they store, not those that they are to be shown as."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import IO, Any

import numpy as np
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from magis_calib.imaging.address import Address, check_shape
from magis_calib.imaging.stored import Pixels, Stored, refuse_large

GREY_MODES = ("L", "I;16", "I;16L", "I;16B", "I", "F")
"""Pillow's modes of one channel that are kept as they are: 8, 16, 32 bit and 32 bit float."""
STRETCHED = {"L;2": (85, 3), "L;4": (17, 15)}
"""What Pillow multiplies counts of few bits by, and the largest of these."""
INVERTED = "I"
"""At the end of what Pillow calls data whose 0 is shown white."""
COLUMNS, ROWS = 256, 257
BITS, SAMPLE_FORMAT = 258, 339
COMPRESSION, PREDICTOR = 259, 317
STRIPS, LENGTHS = 273, 279
DEFLATE = (8, 32946)
"""Tags and values of TIFF 6.0 (Adobe, 1992) and its supplement on deflate."""


def read_picture(kind: str) -> Callable[[Address], Stored]:
    """Return what reads files of this kind of Pillow's."""

    def read(address: Address) -> Stored:
        try:
            image = Image.open(address.path, formats=(kind,))
        except UnidentifiedImageError:
            doubles = _doubles(address) if kind == "TIFF" and not address.index else None
            if doubles is None:
                raise
            return Stored(doubles)
        with image:
            return _stored(address, image)

    return read


def _stored(address: Address, image: Image.Image) -> Stored:
    pages = getattr(image, "n_frames", 1)
    if pages > 1 or address.index:
        address.check_stack((pages, image.height, image.width))
        image.seek(address.index[0] % pages)
    if image.mode not in GREY_MODES:
        raise address.wrong(
            "one grey channel of 8, 16 or 32 bits", f"a picture of mode {image.mode}"
        )
    check_shape(address, (image.height, image.width))
    kind = np.dtype("f4" if image.mode == "F" else "i4")
    refuse_large(address, (image.height, image.width), kind)
    words = _raw_mode(image)  # known before the pixels are loaded only
    return _as_stored(np.asarray(image), words)


def _raw_mode(image: Image.Image) -> str:
    tiles: list[Any] = getattr(image, "tile", [])
    how = tiles[0][3] if tiles else ""
    return str(how[0] if isinstance(how, tuple) else how)


def _as_stored(shown: Pixels, raw_mode: str) -> Stored:
    """Undo what Pillow does to grey values so that they look right on a screen."""
    inverted = raw_mode.startswith("L") and raw_mode.endswith(INVERTED)
    by, most = STRETCHED.get(raw_mode.removesuffix(INVERTED), (1, 255))
    pixels = (shown // by) if by > 1 else shown
    pixels = most - pixels if inverted else pixels
    return Stored(pixels, most if by > 1 else None)


def _doubles(address: Address) -> Pixels | None:
    """Return an image of 64-bit floats, which Pillow does not know; None for another.

    Raises `ImageError`, or what a damaged file leads to.
    """
    with address.path.open("rb") as file:
        tags = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
        file.seek(tags.next)
        tags.load(file)
        if tags.get(BITS) != (64,) or tags.get(SAMPLE_FORMAT) != (3,):
            return None
        if tags[COMPRESSION] not in (1, *DEFLATE) or tags.get(PREDICTOR, 1) != 1:
            raise address.wrong("floats of 64 bit plain or deflated", "packed in another way")
        shape = int(tags[ROWS]), int(tags[COLUMNS])
        check_shape(address, shape)
        refuse_large(address, shape, np.dtype("f8"))
        data = _strips(file, tags, 8 * shape[0] * shape[1])
    if len(data) < 8 * shape[0] * shape[1]:
        raise address.wrong(f"{shape[0]} x {shape[1]} pixels", "fewer: the file is cut off")
    order = "<" if tags.prefix == b"II" else ">"
    return np.frombuffer(data, f"{order}f8").reshape(shape).astype(np.float64)


def _strips(file: IO[bytes], tags: TiffImagePlugin.ImageFileDirectory_v2, size: int) -> bytearray:
    """Return at most so many bytes of the image, strip after strip."""
    data = bytearray()
    for at, length in zip(tags[STRIPS], tags[LENGTHS], strict=True):
        file.seek(at)
        packed = file.read(min(length, 2 * size))
        left = size - len(data)
        plain = tags[COMPRESSION] == 1
        data += packed[:left] if plain else zlib.decompressobj().decompress(packed, max(1, left))
    return data
