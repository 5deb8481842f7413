"""What freezes the setpoints though a drop can be used, and how corrections begin again."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

import numpy as np
import scipy.special

from magis_calib.domain.control import RuleVerdict
from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.domain.rules import CAPTURE, SURPRISE
from magis_calib.feedback.innovation import Innovation

CAPTURE_RAD_PER_M = 500.0
"""A wavevector further from its prediction is not followed: wrong peaks may agree."""
SURPRISE_DROPS = 8
SURPRISE_PROBABILITY = 1e-5
LEARNING_DROPS = 8
"""Before a channel showed so many innovations, its filter's standard deviation is a guess."""
RAMP = (0.25, 0.5, 0.75)
"""Shares of the correction that are sent in the first drops after a hold."""
WAVES = [row for row, name in enumerate(OBSERVABLES) if name.startswith("fringe_")]


def in_capture_range(found: Innovation) -> RuleVerdict:
    """Let only wavevectors pass that lie near their prediction."""
    names = list(OBSERVABLES.values())
    away = {
        names[row].label: abs(float(found.innovation[row]))
        for row in WAVES
        if np.isfinite(found.innovation[row])
    }
    if not away:
        return CAPTURE.passed("nothing to compare with yet")
    label = max(away, key=lambda one: away[one])
    words = f"{label} {away[label]:.1f} rad/m from its prediction, at most {CAPTURE_RAD_PER_M:g}"
    far = away[label] > CAPTURE_RAD_PER_M
    return CAPTURE.judged(not far, f"beyond the capture range: {words}" if far else words)


class InnovationTest:
    """Chi-square of the last innovations: many small misses in a row are no chance."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._drops: deque[Array] = deque(maxlen=SURPRISE_DROPS)
        self._known = np.zeros(len(OBSERVABLES), dtype=int)

    def add(self, found: Innovation, controlled: Collection[str]) -> None:
        """Take in an accepted drop; `controlled`: what was corrected after the one before."""
        with np.errstate(invalid="ignore"):
            ratio = found.innovation / found.sigma
        at = np.array([name in controlled for name in OBSERVABLES]) & (
            self._known >= LEARNING_DROPS
        )
        self._known += np.isfinite(ratio)
        self._drops.append(np.where(at, ratio, np.nan))

    def forget(self) -> None:
        """Begin anew: a real step was followed."""
        self._drops.clear()

    def verdict(self) -> RuleVerdict:
        """Return whether the last drops are credible."""
        if len(self._drops) < SURPRISE_DROPS:
            return SURPRISE.passed(f"{len(self._drops)} of {SURPRISE_DROPS} drops known")
        innovations = np.array(self._drops)
        parts = np.nansum(innovations**2, axis=0)
        chi2 = float(parts.sum())
        count = int(np.isfinite(innovations).sum())
        chance = float(scipy.special.chdtrc(count, chi2)) if count else 1.0
        most = list(OBSERVABLES.values())[int(np.argmax(parts))].label
        words = (
            f"chi-square of the last {SURPRISE_DROPS} innovations {chi2:.1f} of {count}, most of "
            f"it of {most}, probability {chance:.1g}, wanted at least {SURPRISE_PROBABILITY:g}"
        )
        return SURPRISE.judged(chance >= SURPRISE_PROBABILITY, words)


class SoftStart:
    """Begins corrections gently after a hold; the very first ones of a run are whole."""

    def __init__(self) -> None:
        """Begin: nothing was sent yet."""
        self._begun = False
        self._step = len(RAMP)

    def share(self) -> float:
        """Return the share of the next correction that is sent."""
        return RAMP[self._step] if self._step < len(RAMP) else 1.0

    def note(self, held: bool) -> None:
        """Take in whether a drop's correction was held."""
        if not held:
            self._begun = True
            self._step = min(self._step + 1, len(RAMP))
        elif self._begun:
            self._step = 0
