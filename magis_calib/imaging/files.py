"""Image files: one grey image as counts or floats, or one error that names file and fault.

NumPy (.npy, .npz), TIFF, PNG and PGM files, HDF5 datasets (`file.h5:/dataset[3]`) and FITS images
(`file.fits[1]`), compressed ones too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magis_calib.domain.camera import Counts
from magis_calib.domain.estimate import Array
from magis_calib.imaging.address import Address
from magis_calib.imaging.formats import read_stored
from magis_calib.imaging.stored import Pixels

_MOST_COUNTS = 65535
MOST_MASKED = 0.5
"""Share of pixels without a number that a picture of floats may have."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageFile:
    """One image as a file holds it."""

    address: Address
    pixels: Counts | Array
    """(rows, columns): uint16 where the file holds whole numbers, else float64.

    NaN and infinities of floats are pixels to be masked.
    """
    full_scale: int | None
    """The largest count that such a file could hold: as it says, or 255 or 65535. None: floats."""

    def refuse_without_contrast(self, saturation: int) -> None:
        """Refuse an image whose counts are all saturated, or of one value such as zero.

        Raises `ImageError`.
        """
        known = self.pixels if self.full_scale else self.pixels[np.isfinite(self.pixels)]
        least, most = known.min(), known.max()
        if self.full_scale is not None and least >= saturation:
            raise self.address.wrong(
                f"pixels below saturation at {saturation} counts", f"none below {least}"
            )
        if least == most:
            raise self.address.wrong("pixels that differ", f"{most:g} in all of them")


def read_image(name: str) -> ImageFile:
    """Return the image of this name.

    Raises `ImageError` where there is not one grey image of counts or floats.
    """
    address = Address.parse(name)
    stored = read_stored(address)
    if stored.pixels.dtype.kind == "f":
        return ImageFile(address, _floats(address, stored.pixels), None)
    usual = 255 if stored.pixels.dtype.itemsize == 1 else _MOST_COUNTS
    return ImageFile(address, _counts(address, stored.pixels), stored.full_scale or usual)


def _counts(address: Address, stored: Pixels) -> Counts:
    if stored.dtype.kind not in "ui":
        raise address.wrong("whole numbers or floats", f"values of type {stored.dtype}")
    least, most = int(stored.min()), int(stored.max())
    if least < 0 or most > _MOST_COUNTS:
        raise address.wrong(
            f"counts from 0 to {_MOST_COUNTS} (or floats)", f"from {least} to {most}"
        )
    counts: Counts = stored.astype(np.uint16, copy=False)
    return counts


def _floats(address: Address, stored: Pixels) -> Array:
    floats: Array = stored.astype(np.float64, copy=False)
    without = int(np.count_nonzero(~np.isfinite(floats)))
    if without > MOST_MASKED * floats.size:
        raise address.wrong(
            f"finite values in {1 - MOST_MASKED:.0%} of the pixels or more",
            f"NaN or infinity in {without} of {floats.size}",
        )
    return floats
