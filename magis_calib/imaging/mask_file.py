"""Pixels that are known to be bad, read from the file that the configuration names."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from magis_calib.domain.errors import ConfigError
from magis_calib.imaging.electrons import Mask
from magis_calib.imaging.stored import MOST_PX


def read_defects(name: str) -> Mask | None:
    """Return the mask (rows, columns) in this .npy file, true = never use; None for "".

    Raises `ConfigError`.
    """
    if not name:
        return None
    try:
        mask = np.load(Path(name), mmap_mode="r", allow_pickle=False)
    except (OSError, EOFError, ValueError) as error:
        raise ConfigError(f"{name}: cannot be read as a defect mask: {error}") from error
    if mask.ndim != 2:
        raise ConfigError(f"{name}: a defect mask is (rows, columns), got shape {mask.shape}")
    if mask.size > MOST_PX:
        raise ConfigError(f"{name}: wanted at most {MOST_PX} pixels, got shape {mask.shape}")
    found: Mask = mask.astype(bool)
    return found
