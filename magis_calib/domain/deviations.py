"""How far the observables of many drops were from what they were aimed at."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from magis_calib.domain.history import HistoryRows, column
from magis_calib.domain.quantities import OBSERVABLES, TWO_PI

_PLACES = {name: at for at, name in enumerate(OBSERVABLES)}


def targets_of(rows: HistoryRows, name: str, otherwise: float = math.nan) -> npt.NDArray[np.float64]:
    """Return what this observable was aimed at in each drop (SI); `otherwise` where that was not recorded."""
    recorded = rows["targets"][:, _PLACES[name]]
    return np.where(np.isfinite(recorded), recorded, otherwise)


def deviations(rows: HistoryRows, name: str, otherwise: float = math.nan) -> npt.NDArray[np.float64]:
    """Return measured minus target in force (SI), the phase in (−π, π]; NaN where there is no number or no target."""
    errors = column(rows, name)[0] - targets_of(rows, name, otherwise)
    return math.pi - np.mod(math.pi - errors, TWO_PI) if name == "phase_rad" else errors


def share_within(errors: npt.NDArray[np.float64], tolerance: float) -> float:
    """Return the share (0 to 1) of the known errors that are within the tolerance; NaN where none is known."""
    known = errors[np.isfinite(errors)]
    return float(np.mean(np.abs(known) <= tolerance)) if len(known) else math.nan
