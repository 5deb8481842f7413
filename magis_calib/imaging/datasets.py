"""Images in HDF5 files, NeXus among them: `file.h5:/dataset[3]`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin

from magis_calib.imaging.address import Address
from magis_calib.imaging.stored import Stored, refuse_bytes, select

_FILTERS = hdf5plugin.FILTERS
LISTED = 20


def read_dataset(address: Address) -> Stored:
    """Return the image that the name tells. Raises `ImageError` or what HDF5 raises."""
    with _opened(address) as file:
        dataset = file.get(address.dataset) if address.dataset else None
        if not isinstance(dataset, h5py.Dataset):
            got = repr(address.dataset) if address.dataset else "no dataset's name"
            raise address.wrong(f"{address.path}:DATASET with one of {_datasets(file)}", got)
        _refuse_missing_sources(address, dataset)
        if dataset.chunks:
            size = math.prod(dataset.chunks) * dataset.dtype.itemsize
            refuse_bytes(address, size, "chunks")
        return Stored(select(address, dataset))


def _opened(address: Address) -> h5py.File:
    """Open it, also while a recording writes to it or after one was killed."""
    try:
        return h5py.File(address.path, "r")
    except OSError:
        return h5py.File(address.path, "r", swmr=True)


def _refuse_missing_sources(address: Address, dataset: h5py.Dataset) -> None:
    """Refuse a dataset whose numbers stand in other files that are not there.

    HDF5 reads those as zeros. Raises `ImageError`.
    """
    names = [one.file_name for one in dataset.virtual_sources()] if dataset.is_virtual else []
    names += [name for name, _, _ in dataset.external or ()]
    for name in dict.fromkeys(names):
        if name != "." and not _beside(address.path, name).is_file():
            raise address.wrong(f"the file {name} that holds its numbers", "no such file")


def _beside(path: Path, name: str) -> Path:
    return path.parent / name


def _datasets(file: h5py.File) -> str:
    found: list[str] = []

    def note(name: str, item: Any) -> bool | None:
        if isinstance(item, h5py.Dataset) and item.ndim in (2, 3) and item.dtype.kind in "uif":
            found.append(f"/{name} {item.shape}")
        return True if len(found) > LISTED else None

    file.visititems(note)
    listed = "; ".join(found[:LISTED]) + ("; …" if len(found) > LISTED else "")
    return listed or "its datasets (there is none of 2 or 3 dimensions)"
