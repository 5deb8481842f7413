"""Which observables of a drop may enter the correction, and why the others may not."""

from __future__ import annotations

import cmath
import math
from collections import deque

from magis_calib.domain.camera import SequenceType
from magis_calib.domain.estimate import StationEstimate
from magis_calib.domain.quantities import OBSERVABLES

PHASE_WINDOW, PHASE_RESULTANT = 20, 0.7
PHASE_FIRST_WINDOW, PHASE_FIRST_RESULTANT = 8, 0.95
"""The phase is meaningful where the mean resultant length of its disturbances over the last 20 drops is at least
0.7; before there are 20, over the last 8 at least 0.95. A uniform phase passes either 1.5e-5 of the time."""


def unusable_drop(sequence_type: SequenceType, estimate: StationEstimate) -> str | None:
    """Return why nothing of this drop may be used, or None."""
    if sequence_type != "interferometer":
        return f"sequence type {sequence_type}: the loop acts on interferometer drops only"
    if not estimate.usable:
        return "; ".join(estimate.reasons) or "no observable can be used"
    return None


def unusable_observables(estimate: StationEstimate) -> dict[str, str]:
    """Return the observables without a finite value and error, with the reason."""
    reason = "; ".join(estimate.reasons) or "not measured"
    return {
        name: reason
        for name in OBSERVABLES
        if not (math.isfinite(estimate.values[name]) and math.isfinite(estimate.stderr[name]))
    }


class PhaseGate:
    """Phase may be controlled only where it repeats from drop to drop."""

    def __init__(self) -> None:
        """Begin knowing nothing."""
        self._disturbances: deque[float] = deque(maxlen=PHASE_WINDOW)

    def add(self, disturbance_rad: float) -> None:
        """Take in the phase disturbance of one accepted drop."""
        self._disturbances.append(disturbance_rad)

    def reason(self) -> str | None:
        """Return why the phase may not be controlled now, or None."""
        known = len(self._disturbances)
        if known < PHASE_FIRST_WINDOW:
            return f"phase not yet known to be meaningful: {known} of {PHASE_FIRST_WINDOW} drops"
        whole = known == PHASE_WINDOW
        last = PHASE_WINDOW if whole else PHASE_FIRST_WINDOW
        wanted = PHASE_RESULTANT if whole else PHASE_FIRST_RESULTANT
        turned = [cmath.exp(1j * phase) for phase in list(self._disturbances)[-last:]]
        resultant = abs(sum(turned)) / last
        if resultant >= wanted:
            return None
        return f"phase not meaningful: resultant {resultant:.2f} over {last} drops, wanted {wanted:g}"
