"""Random numbers that depend on the seed, the drop and the source, and on nothing else."""

from __future__ import annotations

import zlib

import numpy as np

FIXED = 0
"""In place of a drop's id: what stays the same for all drops. Drops count from 1."""


def stream(seed: int, drop_id: int, source: str) -> np.random.Generator:
    """Return the generator of this source for this drop."""
    return np.random.default_rng([seed, drop_id, zlib.crc32(source.encode())])
