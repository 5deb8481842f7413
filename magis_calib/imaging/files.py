"""Image files: one grey image as counts or floats, or one error that names file and fault.

NumPy (.npy), TIFF, PNG and PGM files, HDF5 datasets (`file.h5:/dataset[3]`) and FITS images
(`file.fits[1]`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magis_calib.domain.camera import Counts
from magis_calib.domain.estimate import Array
from magis_calib.imaging.address import Address
from magis_calib.imaging.formats import Stored, read_stored

_MOST_COUNTS = 65535


@dataclass(frozen=True, slots=True, eq=False)
class ImageFile:
    """One image as a file holds it."""

    address: Address
    pixels: Counts | Array
    """(rows, columns): uint16 where the file holds whole numbers, else finite float64."""
    full_scale: int | None
    """The largest count that such a file could hold (255 or 65535); None for floats."""

    def refuse_without_contrast(self, saturation: int) -> None:
        """Refuse an image whose counts are all saturated, or of one value such as zero.

        Raises `ImageError`.
        """
        least, most = self.pixels.min(), self.pixels.max()
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
    if stored.dtype.kind == "f":
        return ImageFile(address, _floats(address, stored), None)
    return ImageFile(
        address, _counts(address, stored), 255 if stored.dtype.itemsize == 1 else _MOST_COUNTS
    )


def _counts(address: Address, stored: Stored) -> Counts:
    if stored.dtype.kind not in "ui":
        raise address.wrong("whole numbers or floats", f"values of type {stored.dtype}")
    least, most = int(stored.min()), int(stored.max())
    if least < 0 or most > _MOST_COUNTS:
        raise address.wrong(
            f"counts from 0 to {_MOST_COUNTS} (or floats)", f"from {least} to {most}"
        )
    counts: Counts = stored.astype(np.uint16, copy=False)
    return counts


def _floats(address: Address, stored: Stored) -> Array:
    floats: Array = stored.astype(np.float64)
    without = int(np.count_nonzero(~np.isfinite(floats)))
    if without:
        raise address.wrong(
            "finite values", f"NaN or infinity in {without} of {floats.size} pixels"
        )
    return floats
