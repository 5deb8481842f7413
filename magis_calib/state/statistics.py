"""How far the mean over some drops lies from the mean over the next ones: the Allan deviation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from magis_calib.domain.quantities import OBSERVABLES, TWO_PI
from magis_calib.state.history import HistoryRows, column

_PLACES = {name: at for at, name in enumerate(OBSERVABLES)}


def targets_of(
    rows: HistoryRows, name: str, otherwise: float = math.nan
) -> npt.NDArray[np.float64]:
    """Return what this observable was aimed at in each drop (SI).

    `otherwise` where that was not recorded.
    """
    recorded = rows["targets"][:, _PLACES[name]]
    return np.where(np.isfinite(recorded), recorded, otherwise)


def deviations(
    rows: HistoryRows, name: str, otherwise: float = math.nan
) -> npt.NDArray[np.float64]:
    """Return measured minus target in force (SI), the phase in (−π, π].

    NaN where there is no number or no target.
    """
    errors = column(rows, name)[0] - targets_of(rows, name, otherwise)
    return math.pi - np.mod(math.pi - errors, TWO_PI) if name == "phase_rad" else errors


def share_within(errors: npt.NDArray[np.float64], tolerance: float) -> float:
    """Return the share (0 to 1) of the known errors that are within the tolerance.

    NaN where none is known.
    """
    known = errors[np.isfinite(errors)]
    return float(np.mean(np.abs(known) <= tolerance)) if len(known) else math.nan


Numbers = npt.NDArray[np.float64]
LEAST_STRETCHES = 3
"""An average is as long as a third of the values at most: beyond, one pair of averages would
decide.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Allan:
    """Overlapping Allan deviation for averages over 1, 2, 4, … values."""

    lengths: npt.NDArray[np.int64]
    """Values in an average."""
    deviations: Numbers
    """In the unit of the values."""
    errors: Numbers
    """Standard errors of the deviations, as of white noise."""


def allan_deviation(values: Numbers) -> Allan:
    """Return the overlapping Allan deviation of values at equal intervals.

    Empty for fewer than three of them.

    W. J. Riley, Handbook of Frequency Stability Analysis, NIST SP 1065 (2008), eq. 11. Each value
    is a sample of the mean frequency, y_i, of that handbook; the interval between two drops is its
    unit of averaging time. NaN is passed over, as if there had been no such drop: white noise is
    judged right, and a drift is steeper by the share that is missing.
    """
    known = values[np.isfinite(values)].astype(np.float64)
    count = len(known)
    lengths = 2 ** np.arange(max(0, (count // LEAST_STRETCHES).bit_length()))
    sums = np.concatenate([[0.0], np.cumsum(known - known.mean() if count else known)])
    found = np.array([_deviation(sums, int(length)) for length in lengths])
    return Allan(lengths, found, found / np.sqrt(2.0 * _degrees_of_freedom(count, lengths)))


def _deviation(sums: Numbers, length: int) -> float:
    """Return the deviation for averages of this length from sums over the first 0, 1, 2,
    … values.
    """
    means = (sums[length:] - sums[:-length]) / length
    return float(np.sqrt(0.5 * np.mean((means[length:] - means[:-length]) ** 2)))


def _degrees_of_freedom(count: int, lengths: npt.NDArray[np.int64]) -> Numbers:
    """Return those of white frequency noise (NIST SP 1065, table 5): N phases are count + 1."""
    phases = count + 1.0
    length = lengths.astype(np.float64)
    stretches = 3.0 * (phases - 1.0) / (2.0 * length) - 2.0 * (phases - 2.0) / phases
    return np.maximum(1.0, stretches * 4.0 * length**2 / (4.0 * length**2 + 5.0))
