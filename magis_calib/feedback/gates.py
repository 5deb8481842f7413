"""Which drops may enter the correction, and which of their observables.

Each answer with its reason.
"""

from __future__ import annotations

import cmath
import math
from collections import deque
from collections.abc import Sequence
from statistics import median

from magis_calib.domain.camera import SequenceType
from magis_calib.domain.control import Hold, RuleVerdict
from magis_calib.domain.estimate import StationEstimate
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.domain.rules import ATOMS, COVARIANCE, FRESH, SEQUENCE, USABLE

PHASE_RANDOM = "phase_random"
STALE = "stale"
STALE_AFTER_S = 30.0
"""A drop that waited longer between its last frame and its decision is no longer acted upon."""
ATOMS_WINDOW = 60
ATOMS_FEWEST = 8
ATOMS_FEWER = 0.3
ATOMS_MORE = 3.0
"""Atoms may differ from the median of the last 60 accepted drops by these factors.

Asked from 8 drops on.
"""
ATOMS_AGREEING = 3
ATOMS_AGREE_WITHIN = 1.5
LEAST_SHARE = 1e-9
"""Of a variance that the other observables do not tell: below this a covariance is singular."""
PHASE_WINDOW = 20
PHASE_RESULTANT = 0.7
PHASE_FIRST_WINDOW = 8
PHASE_FIRST_RESULTANT = 0.95
"""The phase is meaningful where the mean resultant length of its innovations over the last 20 drops
is at least
0.7; before there are 20, over the last 8 at least 0.95. A uniform phase passes either 1.5e-5 of the
time."""


def in_sequence(sequence_type: SequenceType) -> RuleVerdict:
    """Let only interferometer drops pass."""
    acted = sequence_type == "interferometer"
    words = f"sequence type {sequence_type}" + (
        "" if acted else ": the loop acts on interferometer drops only"
    )
    return SEQUENCE.judged(acted, words)


def fresh(drop_id: int, latest_drop: int, waited_s: float) -> RuleVerdict:
    """Let only drops pass that come in order and are decided in time."""
    if drop_id <= latest_drop:
        return FRESH.failed(f"out of order: drop {latest_drop} was decided before")
    words = f"{waited_s:.2g} s since its last frame, at most {STALE_AFTER_S:g} s"
    stale = waited_s > STALE_AFTER_S
    return FRESH.failed(f"stale: {words}", STALE) if stale else FRESH.passed(words)


def usable(estimate: StationEstimate) -> RuleVerdict:
    """Let only estimates pass of which something can be used."""
    reasons = "; ".join(estimate.reasons)
    return USABLE.judged(
        estimate.usable, reasons or ("" if estimate.usable else "no observable can be used")
    )


def certain(estimate: StationEstimate) -> RuleVerdict:
    """Let only estimates pass whose covariance, of what was measured, is that of something."""
    least = _least_independent_share(estimate.covariance.tolist())
    words = f"smallest independent share of a variance {least:.2g}, wanted above 0"
    return COVARIANCE.judged(
        least > LEAST_SHARE, words if least > LEAST_SHARE else f"covariance singular: {words}"
    )


def _least_independent_share(covariance: list[list[float]]) -> float:
    """Return the smallest pivot² of the Cholesky decomposition over its variance, or NaN.

    Rows without a finite variance were not measured. Written out: six rows take a library longer to
    be called.
    """
    at = [row for row in range(len(covariance)) if math.isfinite(covariance[row][row])]
    factor: list[list[float]] = []
    least = math.nan if not at else math.inf
    for place, row in enumerate(at):
        known: list[float] = []
        for other, column in enumerate(at[:place]):
            done = sum(a * b for a, b in zip(known, factor[other], strict=False))
            known.append((covariance[row][column] - done) / factor[other][other])
        pivot = covariance[row][row] - sum(a * a for a in known)
        if not pivot > 0:
            return math.nan if not math.isfinite(pivot) else 0.0
        factor.append([*known, math.sqrt(pivot)])
        least = min(least, pivot / covariance[row][row])
    return least


def unusable_observables(estimate: StationEstimate) -> dict[str, str]:
    """Return the observables without a finite value and error, with the reason."""
    reason = "; ".join(estimate.reasons) or "not measured"
    return {name: reason for name in OBSERVABLES if not estimate.tells(name)}


def estimators_agree(estimate: StationEstimate) -> bool:
    """Whether the second estimator saw every view with a fringe, and did not object."""
    fringed = [view for view in estimate.views.values() if "fringe" in view.usable_quantities]
    return all(math.isfinite(view.disagreement_sigma) for view in fringed)


class AtomsGate:
    """Rejects a drop with far fewer or far more atoms than the last ones had."""

    def __init__(self) -> None:
        """Begin knowing nothing."""
        self._accepted: deque[float] = deque(maxlen=ATOMS_WINDOW)
        self._rejected: deque[float] = deque(maxlen=ATOMS_AGREEING)

    def verdict(self, atoms: float) -> RuleVerdict:
        """Take in the atoms of one usable drop (NaN: not measured)."""
        if not math.isfinite(atoms):
            return ATOMS.passed("not measured")
        usual = median(self._accepted) if len(self._accepted) >= ATOMS_FEWEST else math.nan
        words = (
            f"{atoms / usual:.2f} of the median, wanted {ATOMS_FEWER:g} to {ATOMS_MORE:g}"
            if usual > 0
            else f"{len(self._accepted)} of {ATOMS_FEWEST} drops known"
        )
        if (
            usual > 0
            and not ATOMS_FEWER <= atoms / usual <= ATOMS_MORE
            and not self._changed(atoms)
        ):
            return ATOMS.failed(f"atoms: {words}")
        self._rejected.clear()
        self._accepted.append(atoms)
        return ATOMS.passed(words)

    def _changed(self, atoms: float) -> bool:
        """Whether this is the third rejected drop in a row that agrees on a number."""
        self._rejected.append(atoms)
        agree = len(self._rejected) == ATOMS_AGREEING and _agree(self._rejected)
        if agree:
            self._accepted.clear()
        return agree


class PhaseGate:
    """Phase may be controlled only where it repeats from drop to drop."""

    def __init__(self) -> None:
        """Begin knowing nothing."""
        self._innovations: deque[float] = deque(maxlen=PHASE_WINDOW)

    def add(self, innovation_rad: float) -> None:
        """Take in the phase innovation of one accepted drop."""
        self._innovations.append(innovation_rad)

    def reason(self) -> Hold | None:
        """Return why the phase may not be controlled now, or None."""
        known = len(self._innovations)
        if known < PHASE_FIRST_WINDOW:
            words = f"phase not yet known to be meaningful: {known} of {PHASE_FIRST_WINDOW} drops"
            return Hold("phase_unknown", words)
        whole = known == PHASE_WINDOW
        last = PHASE_WINDOW if whole else PHASE_FIRST_WINDOW
        wanted = PHASE_RESULTANT if whole else PHASE_FIRST_RESULTANT
        turned = [cmath.exp(1j * phase) for phase in list(self._innovations)[-last:]]
        resultant = abs(sum(turned)) / last
        if resultant >= wanted:
            return None
        words = f"resultant {resultant:.2f} over {last} drops, wanted {wanted:g}"
        return Hold(PHASE_RANDOM, f"phase not meaningful: {words}")


def _agree(atoms: Sequence[float]) -> bool:
    """Whether these numbers of atoms are as good as the same."""
    return 0 < max(atoms) < ATOMS_AGREE_WITHIN * min(atoms)
