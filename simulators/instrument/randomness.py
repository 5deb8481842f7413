"""Random numbers that depend on the seed, the drop and the source, and on nothing else."""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt
import scipy.special

POOL = 2**16
"""Values in a pool: 16 random bits choose one."""


def choices(random: np.random.Generator, size: int) -> npt.NDArray[np.uint16]:
    """Return places in a pool, drawn anew; four of each number of the bit generator."""
    return random.bit_generator.random_raw(-(-size // 4)).view(np.uint16)[:size]


def normal_pool() -> npt.NDArray[np.float32]:
    """Return the normal distribution within ±4.3 σ, with the exact mean and variance."""
    pool: npt.NDArray[np.float64] = scipy.special.ndtri(_ranks())
    return np.asarray(pool / pool.std(), dtype=np.float32)


def poisson_pool(mean: float) -> npt.NDArray[np.float64]:
    """Return the Poisson distribution: its mean and variance to a part in 10⁴."""
    most = int(mean + 10.0 * np.sqrt(mean) + 10.0)
    return np.searchsorted(scipy.special.pdtr(np.arange(most), mean), _ranks()).astype(np.float64)


def _ranks() -> npt.NDArray[np.float64]:
    return (np.arange(POOL) + 0.5) / POOL


FIXED = 0
"""In place of a drop's id: what stays the same for all drops. Drops count from 1."""


def stream(seed: int, drop_id: int, source: str) -> np.random.Generator:
    """Return the generator of this source for this drop."""
    return np.random.default_rng([seed, drop_id, zlib.crc32(source.encode())])
