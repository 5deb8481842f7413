"""Images in FITS files, plain or compressed: `file.fits[1]`, `file.fits.gz`, `file.fz`."""

from __future__ import annotations

import dataclasses
import gzip
import io
import math
from pathlib import Path
from typing import IO, Any

import numpy as np

from magis_calib.domain.errors import ImageError
from magis_calib.imaging.address import Address
from magis_calib.imaging.stored import MOST_BYTES, Stored, refuse_bytes, refuse_large, select

MOST_UNITS = 1000


def read_unit(address: Address) -> Stored:
    """Return the image of the unit that the index names, or of the first that has one.

    Raises `ImageError`, or what astropy raises.
    """
    try:
        from astropy.io import fits
    except ImportError as error:
        raise ImageError(
            f"{address.name}: FITS files need astropy: pip install 'magis-calib[fits]'"
        ) from error
    with _source(address) as source, fits.open(source, memmap=False) as units:
        images = _images(units)
        named = address if address.index else dataclasses.replace(address, index=tuple(images[:1]))
        if not named.index or named.index[0] not in images:
            raise address.wrong(
                f"the number of a unit with an image, one of {images}", f"{list(address.index)}"
            )
        unit = units[named.index[0]]
        _refuse_more_than_there_is(named, unit)
        return Stored(select(named, np.asarray(unit.data), skip=1))


def _source(address: Address) -> IO[bytes]:
    """Return the file, unpacked as far as that is bounded."""
    if Path(address.path).suffix.lower() != ".gz":
        return address.path.open("rb")
    with gzip.open(address.path) as packed:
        data = packed.read(MOST_BYTES + 1)
    refuse_bytes(address, len(data), "a file unpacked")
    return io.BytesIO(data)


def _images(units: Any) -> list[int]:
    found = []
    for number in range(MOST_UNITS):
        try:
            unit = units[number]
        except IndexError:
            break
        if unit.is_image and unit.shape:
            found.append(number)
    return found


def _refuse_more_than_there_is(address: Address, unit: Any) -> None:
    """Hold what a header tells against the bounds and, where nothing is packed, the file."""
    kind = np.dtype("f8" if int(unit.header.get("BITPIX", 8)) < 0 else "i8")
    index = address.index[1:]
    address.check_stack(unit.shape, 1)
    refuse_large(address, unit.shape[len(index) :], kind)
    size = math.prod(unit.shape) * abs(int(unit.header.get("BITPIX", 8))) // 8
    refuse_bytes(address, size, "a unit")
    tile = getattr(unit, "tile_shape", None)
    if tile is not None:
        refuse_bytes(address, math.prod(tile) * 8, "tiles")
