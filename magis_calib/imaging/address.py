"""The name of one image: a file, and which image of it where it holds several."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from magis_calib.domain.errors import ImageError

_INSIDE = re.compile(r"(?P<path>.+\.(?:h5|hdf5|hdf|nxs|npz)):(?P<dataset>[^\[\]]*)", re.IGNORECASE)
_INDEX = re.compile(r"(?P<rest>.+)\[(?P<index>\s*-?\d+\s*(?:,\s*-?\d+\s*)*)\]")
_COLOURS = (3, 4)
LEAST_PX = 8
"""An image has at least this many pixels along its longer side."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where an image stands: `a.tif`, `stack.npy[2]`, `file.h5:/dataset[3,0]`, `file.fits[1]`."""

    name: str
    """As the user wrote it."""
    path: Path
    dataset: str = ""
    index: tuple[int, ...] = ()

    @classmethod
    def parse(cls, name: str) -> Address:
        """Take the name apart; a name that exists as a file is that file."""
        rest, index = _without_index(name)
        inside = _INSIDE.fullmatch(rest)
        path, dataset = (inside["path"], inside["dataset"]) if inside else (rest, "")
        return cls(name, Path(path), dataset, index)

    def wrong(self, wanted: str, got: str) -> ImageError:
        """Return the error that this image cannot be used."""
        return ImageError(f"{self.name}: wanted {wanted}, got {got}")

    def check_stack(self, shape: tuple[int, ...], skip: int = 0) -> None:
        """Refuse a stack unless the index, after `skip` numbers of it, names one image.

        Raises `ImageError`.
        """
        index = self.index[skip:]
        inside = all(-size <= at < size for at, size in zip(index, shape, strict=False))
        if len(index) > len(shape) or not inside:
            raise self.wrong(f"an index inside the shape {shape}", f"{list(index)}")
        check_shape(self, shape[len(index) :])


def _without_index(name: str) -> tuple[str, tuple[int, ...]]:
    """Return the name before an index, and the index; the name of a file has none."""
    indexed = _INDEX.fullmatch(name)
    if not indexed or Path(name).exists():
        return name, ()
    return indexed["rest"], tuple(map(int, indexed["index"].split(",")))


def check_shape(address: Address, shape: tuple[int, ...]) -> None:
    """Refuse what is not one grey image. Raises `ImageError`."""
    if len(shape) < 2:
        raise address.wrong("a 2-D image (rows, columns), a profile as (1, n)", f"shape {shape}")
    if len(shape) == 3 and shape[2] in _COLOURS and min(shape[:2]) >= LEAST_PX:
        raise address.wrong("one grey channel", f"{shape[2]} channels of colour in shape {shape}")
    if len(shape) > 2:
        raise address.wrong(
            f"one 2-D image, named like {_example(address, len(shape) - 2)}", f"a stack of {shape}"
        )
    if max(shape) < LEAST_PX or min(shape) < 1:
        raise address.wrong(f"at least {LEAST_PX} pixels in a row or a column", f"shape {shape}")


def _example(address: Address, missing: int) -> str:
    base = f"{address.path}:{address.dataset}" if address.dataset else str(address.path)
    return f"{base}[{','.join(str(at) for at in (*address.index, *[0] * missing))}]"
