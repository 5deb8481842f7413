"""What an image file holds, judged by its header before any of it is taken into memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from magis_calib.imaging.address import Address

Pixels = npt.NDArray[Any]
MOST_PX, MOST_FLOAT_PX = 50_000_000, 25_000_000
"""Pixels of one image that are read: of counts, and of floats, which take four times the memory."""
MOST_BYTES = 256_000_000
"""Bytes of a compressed file once unpacked, or of a chunk of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """One image as its file holds it."""

    pixels: Pixels
    """(rows, columns), of any type of number."""
    full_scale: int | None = None
    """The largest count that the file says it can hold; None: that of its type."""


def refuse_large(address: Address, shape: tuple[int, ...], kind: np.dtype[Any]) -> None:
    """Refuse an image of more pixels than are taken into memory. Raises `ImageError`."""
    pixels = math.prod(shape)
    most = MOST_FLOAT_PX if kind.kind == "f" else MOST_PX
    if pixels > most:
        raise address.wrong(
            f"at most {most / 1e6:g} megapixels of {'floats' if kind.kind == 'f' else 'counts'}",
            f"{pixels / 1e6:.0f} ({' x '.join(map(str, shape))})",
        )


def refuse_bytes(address: Address, size: int, of: str) -> None:
    """Refuse more bytes than are unpacked at once. Raises `ImageError`."""
    if size > MOST_BYTES:
        raise address.wrong(f"{of} of at most {MOST_BYTES / 1e6:g} MB", f"{size / 1e6:.0f} MB")


def select(address: Address, stack: Any, skip: int = 0) -> Pixels:
    """Return the image of an array or dataset that the index names, after `skip` numbers of it."""
    index = address.index[skip:]
    address.check_stack(stack.shape, skip)
    if stack.dtype.kind not in "uif":
        raise address.wrong("whole numbers or floats", f"values of type {stack.dtype}")
    refuse_large(address, stack.shape[len(index) :], stack.dtype)
    return np.array(stack[index])
