"""The pixels of one image of each file format as stored: nobody else sees a format."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from magis_calib.domain.errors import ImageError
from magis_calib.imaging.address import Address
from magis_calib.imaging.datasets import read_dataset
from magis_calib.imaging.fits_units import read_unit
from magis_calib.imaging.grey_map import read_pgm
from magis_calib.imaging.numpy_files import read_npy, read_npz
from magis_calib.imaging.pictures import read_picture
from magis_calib.imaging.stored import Stored


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
        said = " ".join(str(error).split()) or type(error).__name__
        raise address.wrong(wanted, said[:300]) from error


def _reader_of(address: Address) -> Callable[[Address], Stored]:
    """Return what reads this file, by its ending. Raises `ImageError`."""
    name = address.path.name.lower()
    if not address.path.is_file():
        found = "a folder" if address.path.is_dir() else "no such file"
        raise address.wrong("an image file", found)
    for ending, reader in _READERS.items():
        if name.endswith(ending):
            return reader
    suffix = address.path.suffix.lower()
    wanted = f"a file that ends in {', '.join(_READERS)}"
    raise address.wrong(wanted, repr(suffix) if suffix else "no ending")


_READERS: dict[str, Callable[[Address], Stored]] = {
    ".npy": read_npy,
    ".tif": read_picture("TIFF"),
    ".tiff": read_picture("TIFF"),
    ".png": read_picture("PNG"),
    ".pgm": read_pgm,
    ".h5": read_dataset,
    ".hdf5": read_dataset,
    ".hdf": read_dataset,
    ".nxs": read_dataset,
    ".fits": read_unit,
    ".fit": read_unit,
    ".fits.gz": read_unit,
    ".fit.gz": read_unit,
    ".fz": read_unit,
    ".npz": read_npz,
}
