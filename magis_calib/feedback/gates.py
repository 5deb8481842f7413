"""Which observables of a drop may enter the correction, and why the others may not."""

from __future__ import annotations

import cmath
import math
from collections import deque
from collections.abc import Mapping

import numpy as np

from magis_calib.domain.camera import SequenceType
from magis_calib.domain.config import Loop
from magis_calib.domain.estimate import Array, StationEstimate
from magis_calib.domain.quantities import CLOSING_ORDER, OBSERVABLES
from magis_calib.feedback.channels import Channels, Flags
from magis_calib.feedback.comparison import Comparison
from magis_calib.feedback.jumps import AGREEING, Jumps

PHASE_WINDOW, PHASE_RESULTANT = 20, 0.7
PHASE_FIRST_WINDOW, PHASE_FIRST_RESULTANT = 8, 0.95
"""The phase is meaningful where the mean resultant length of its innovations over the last 20 drops is at least
0.7; before there are 20, over the last 8 at least 0.95. A uniform phase passes either 1.5e-5 of the time."""


CAPTURE_RAD_PER_M = 500.0
"""A wavevector further than this from its prediction is not followed: three equal wrong Fourier peaks may agree."""


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
        self._innovations: deque[float] = deque(maxlen=PHASE_WINDOW)

    def add(self, innovation_rad: float) -> None:
        """Take in the phase innovation of one accepted drop."""
        self._innovations.append(innovation_rad)

    def reason(self) -> str | None:
        """Return why the phase may not be controlled now, or None."""
        known = len(self._innovations)
        if known < PHASE_FIRST_WINDOW:
            return f"phase not yet known to be meaningful: {known} of {PHASE_FIRST_WINDOW} drops"
        whole = known == PHASE_WINDOW
        last = PHASE_WINDOW if whole else PHASE_FIRST_WINDOW
        wanted = PHASE_RESULTANT if whole else PHASE_FIRST_RESULTANT
        turned = [cmath.exp(1j * phase) for phase in list(self._innovations)[-last:]]
        resultant = abs(sum(turned)) / last
        if resultant >= wanted:
            return None
        return f"phase not meaningful: resultant {resultant:.2f} over {last} drops, wanted {wanted:g}"


class JumpGate:
    """Rejects a drop whose innovation is too large; follows where three in a row agree on a real step."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._jumps = Jumps(len(OBSERVABLES))

    def judge(self, channels: Channels, found: Comparison, phase_repeats: bool) -> str:
        """Return why this drop may not be used, or nothing; where a step is real, the channels begin anew there."""
        judged = np.array([name != "phase_rad" or phase_repeats for name in OBSERVABLES])
        innovation = np.where(judged, found.innovation, np.nan)
        limit = self._jumps.limits(found.sigma)
        out = np.abs(innovation) > limit
        if not out.any():
            self._jumps.accept(innovation)
            return ""
        steps = self._jumps.reject(innovation, limit)
        real = out & np.isfinite(steps) & ~self._beyond_capture(steps)
        if not np.array_equal(real, out):
            return _rejected(found, limit, out)
        mean = channels.predicted()[0]
        for channel in np.flatnonzero(real):
            at = float(mean[channel] + steps[channel])
            channels.begin(int(channel), at, float(found.fit_variance[channel]), float(found.moved[channel]))
        self._jumps.accept(np.where(out, np.nan, innovation))
        return ""

    @staticmethod
    def _beyond_capture(steps: Array) -> Flags:
        wave = np.array([name.startswith("fringe_") for name in OBSERVABLES])
        return np.asarray(wave & (np.abs(steps) > CAPTURE_RAD_PER_M))


def _rejected(found: Comparison, limit: Array, out: Flags) -> str:
    words = [
        f"{shown.label} {shown.shown(float(away))} {shown.shown_unit} from its prediction, limit "
        f"{shown.shown(float(most))}"
        for shown, away, most, far in zip(OBSERVABLES.values(), found.innovation, limit, out, strict=True) if far
    ]  # fmt: skip
    return f"jump: {'; '.join(words)}; {AGREEING} in a row that agree are followed"


class Closing:
    """Closes position first, then wavevector, then phase: each stage when those before are within tolerance."""

    def __init__(self, loop: Loop) -> None:
        """Begin with the first stage closed."""
        self._tolerance = {name: one.tolerance for name, one in loop.observables.items()}
        self._closed = 1

    def not_yet(self, errors: Mapping[str, float]) -> dict[str, str]:
        """Return the observables of stages that stay open for now, with the reason, by the errors expected."""
        while self._closed < len(CLOSING_ORDER) and not self._away(errors, self._closed):
            self._closed += 1
        if self._closed == len(CLOSING_ORDER):
            return {}
        reason = f"waits until {', '.join(self._away(errors, self._closed))} is within tolerance"
        return {name: reason for stage in CLOSING_ORDER[self._closed :] for name in stage if name in errors}

    def _away(self, errors: Mapping[str, float], stages: int) -> list[str]:
        """Return labels of the observables of the first stages that are out of tolerance."""
        names = [name for stage in CLOSING_ORDER[:stages] for name in stage if name in errors]
        return [OBSERVABLES[name].label for name in names if abs(errors[name]) > self._tolerance[name]]
