"""Turn a sensor's image upright: row 0 on top, columns to the right."""

from __future__ import annotations

import numpy as np

from magis_calib.domain.camera import Counts, Orientation


def upright(counts: Counts, orientation: Orientation) -> Counts:
    """Return a view of the counts, mirrored where asked, then turned counter-clockwise."""
    mirrored = orientation.startswith("mirrored")
    turns = {"0": 0, "90": 1, "180": 2, "270": 3}.get(orientation.rpartition("_")[2], 0)
    return np.rot90(counts[:, ::-1] if mirrored else counts, turns)
