"""Which software made something: its own version and those that its numbers depend on."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
from collections.abc import Mapping

DEPENDED_ON = ("numpy", "scipy", "lmfit", "h5py", "hdf5plugin", "pyzmq")


@functools.cache
def identity() -> Mapping[str, str]:
    """Return names and versions."""
    ours = importlib.metadata.version("magis-calib")
    versions = {name: importlib.metadata.version(name) for name in DEPENDED_ON}
    return {
        "magis-calib": ours,
        "python": platform.python_version(),
        "machine": platform.machine(),
        **versions,
    }
