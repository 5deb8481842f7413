"""What each way of packing images costs and saves: full-size pictures into an HDF5 file."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import h5py
import numpy as np

from magis_calib.benchmark.clocked import SETUPS, clocked_pair
from magis_calib.benchmark.statistic import BenchmarkVerdict
from magis_calib.benchmark.workers import Tick
from magis_calib.config.recording import COMPRESSIONS, Compression
from magis_calib.domain.camera import Counts
from magis_calib.recording.segments.layout import filter_of

WANTED_RATIO = 1.5
"""Noise does not pack: a realistic picture of 12 bits in 16 gets little smaller than this."""


@dataclass(frozen=True, slots=True)
class Packed:
    """One way of packing, medians over the repeats; MB of unpacked pixels."""

    compression: Compression
    ratio: float
    write_mb_per_s: float
    """Packed and handed to the system, without waiting for the disk."""
    synced_mb_per_s: float
    """With waiting for the disk."""
    read_mb_per_s: float


@dataclass(frozen=True, slots=True)
class PackingResult:
    """Every way."""

    ways: tuple[Packed, ...]

    def verdicts(self) -> list[BenchmarkVerdict]:
        """The clock judges nothing, machines differ; the size of what is kept does not."""
        return [
            BenchmarkVerdict(f"{one.compression}: ratio", one.ratio, WANTED_RATIO, 10.0)
            for one in self.ways
            if one.compression == "bitshuffle-lz4"
        ]

    def document(self) -> dict[str, object]:
        """For JSON."""
        return {"ways": [asdict(one) for one in self.ways]}


def try_packing(seed: int, repeats: int, tick: Tick) -> PackingResult:
    """Write and read both views of a full-size drop in each way, so many times, in this process."""
    pictures = [one.counts for one in clocked_pair(seed, SETUPS[0]).values()]
    with tempfile.TemporaryDirectory() as folder:
        return PackingResult(
            tuple(_try(Path(folder), pictures, one, repeats, tick) for one in COMPRESSIONS)
        )


def _try(
    folder: Path, pictures: list[Counts], compression: Compression, repeats: int, tick: Tick
) -> Packed:
    size = sum(one.nbytes for one in pictures)
    took: dict[str, list[float]] = {"write": [], "synced": [], "read": []}
    packed = 0
    for repeat in range(repeats):
        path = folder / f"{compression}-{repeat}.h5"
        with h5py.File(path, "w", libver="v110") as file:
            shape = pictures[0].shape
            images = file.create_dataset(
                "counts",
                (len(pictures), *shape),
                "u2",
                chunks=(1, *shape),
                **filter_of(compression),
            )
            file.swmr_mode = True
            began_s = time.perf_counter()
            for place, one in enumerate(pictures):
                images[place] = one
            file.flush()
            took["write"].append(time.perf_counter() - began_s)
            os.fsync(file.id.get_vfd_handle())
            took["synced"].append(time.perf_counter() - began_s)
            packed = int(images.id.get_storage_size())
        took["read"].append(_read_s(path, pictures))
        path.unlink()
        tick()
    rates = {name: size / median(seconds) / 1e6 for name, seconds in took.items()}
    return Packed(compression, size / packed, rates["write"], rates["synced"], rates["read"])


def _read_s(path: Path, pictures: list[Counts]) -> float:
    with h5py.File(path, "r") as file:
        began_s = time.perf_counter()
        found = [file["counts"][place] for place in range(len(pictures))]
        took_s = time.perf_counter() - began_s
    if not all(np.array_equal(*pair) for pair in zip(found, pictures, strict=True)):
        raise RuntimeError(f"{path}: other pixels were read than were written")
    return took_s
