"""A wild measurement is rejected; three in a row that agree are a real step of the disturbance."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from magis_calib.domain.control import RuleVerdict
from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.domain.rules import JUMP
from magis_calib.feedback.innovation import Innovation
from magis_calib.feedback.kalman_bank import DisturbanceFilters, Flags

WINDOW, FEWEST = 60, 15
"""Accepted drops whose scatter is looked at; before there are so many nothing is rejected."""
SIGMAS, FEW_SIGMAS = 5.0, 10.0
"""Limit over the standard deviation, of a window and of less: 4e-5 false alarms a drop."""
MAD_TO_SIGMA = 1.4826
AGREEING = 3
FRINGE = np.array([name.startswith("fringe_") or name == "phase_rad" for name in OBSERVABLES])


class JumpGate:
    """Rejects a drop whose innovation is too large.

    Follows where three in a row agree on a real step.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._jumps = Jumps(len(OBSERVABLES))
        self.followed = False
        """Whether the drop judged last was taken as a real step."""

    def look_back(self) -> None:
        """Work out the scatter of the last drops before the next one comes."""
        self._jumps.look_back()

    def verdict(
        self,
        filters: DisturbanceFilters,
        found: Innovation,
        phase_repeats: bool,
        estimators_agree: bool,
    ) -> RuleVerdict:
        """Return whether this drop may be used; the channels of a real step begin anew.

        A step of the fringe is followed only where the second estimator, too, saw it.
        """
        judged = np.array([name != "phase_rad" or phase_repeats for name in OBSERVABLES])
        innovation = np.where(judged, found.innovation, np.nan)
        limit = self._jumps.limits(found.sigma)
        out = np.abs(innovation) > limit
        self.followed = False
        if not out.any():
            self._jumps.accept(innovation)
            return JUMP.passed(_largest(innovation, found.sigma))
        steps = self._jumps.reject(
            np.where(FRINGE & ~np.bool_(estimators_agree), np.nan, innovation), limit
        )
        real: Flags = out & np.isfinite(steps)
        if not np.array_equal(real, out):
            return JUMP.failed(
                f"jump: {_named(innovation, limit, out)}; {AGREEING} in a row that agree are "
                f"followed"
            )
        mean = filters.predicted()[0]
        for channel in np.flatnonzero(real):
            at = float(mean[channel] + steps[channel])
            filters.begin(
                int(channel), at, float(found.fit_variance[channel]), float(found.moved[channel])
            )
        self._jumps.accept(np.where(out, np.nan, innovation))
        self.followed = True
        return JUMP.passed(f"a real step, followed: {_named(innovation, limit, out)}")


class Jumps:
    """Remembers innovations of accepted drops, and disturbances of drops rejected in a row."""

    def __init__(self, filters: int) -> None:
        """Begin with nothing."""
        self._accepted = np.full((WINDOW, filters), np.nan)
        self._scatter: tuple[npt.NDArray[np.int_], Array] | None = None
        self._rejected: deque[Array] = deque(maxlen=AGREEING)

    def limits(self, predicted_sigma: Array) -> Array:
        """Return how large an innovation of each channel may be; infinite while too few are known.

        The scatter of the last drops is asked beside the filter's own prediction: the larger one
        counts.
        """
        known, scatter = self.look_back()
        seen = np.where(known == WINDOW, SIGMAS, FEW_SIGMAS) * scatter
        limits = np.maximum(SIGMAS * predicted_sigma, seen)
        return np.where(known < FEWEST, np.inf, limits)

    def look_back(self) -> tuple[npt.NDArray[np.int_], Array]:
        """Return how many innovations are known of each channel, and their scatter.

        Worked out once a drop.
        """
        if self._scatter is None:
            known = np.isfinite(self._accepted).sum(axis=0)
            away = np.abs(self._accepted - _middle(self._accepted, known))
            self._scatter = known, MAD_TO_SIGMA * _middle(away, known)
        return self._scatter

    def accept(self, innovation: Array) -> None:
        """Take in the innovations of a drop that is used; NaN where there is none."""
        self._rejected.clear()
        self._scatter = None
        for channel in np.flatnonzero(np.isfinite(innovation)):
            self._accepted[:-1, channel] = self._accepted[1:, channel]
            self._accepted[-1, channel] = innovation[channel]

    def reject(self, innovation: Array, limit: Array) -> Array:
        """Take in the innovations of a rejected drop.

        Return the real steps seen by now, NaN in all other channels.
        """
        self._rejected.append(innovation)
        seen = np.array(self._rejected)
        if len(seen) < AGREEING:
            return np.full(innovation.shape, np.nan)
        agree = np.all(np.abs(seen) > limit, axis=0) & (np.ptp(seen, axis=0) <= limit)
        return np.where(agree, seen.mean(axis=0), np.nan)


def _middle(values: Array, known: npt.NDArray[np.int_]) -> Array:
    """Return the median of what is known of each column; NaN where nothing is."""
    ranked = np.sort(values, axis=0)
    columns = np.arange(values.shape[1])
    high = np.maximum(known // 2, 0)
    low = np.maximum((known - 1) // 2, 0)
    middle: Array = 0.5 * (
        ranked[np.minimum(high, len(values) - 1), columns] + ranked[low, columns]
    )
    return middle


def _largest(innovation: Array, sigma: Array) -> str:
    """Say which innovation stands out most."""
    ratio = np.abs(innovation) / sigma
    ratio[~np.isfinite(innovation)] = -1.0
    worst = int(ratio.argmax())
    if ratio[worst] < 0:
        return "nothing to compare with yet"
    label = list(OBSERVABLES.values())[worst].label
    return f"largest innovation {ratio[worst]:.1f} of its standard deviations, {label}"


def _named(innovation: Array, limit: Array, out: Flags) -> str:
    return "; ".join(
        f"{shown.label} {shown.shown(float(away))} {shown.shown_unit} from its prediction, limit "
        f"{shown.shown(float(most))}"
        for shown, away, most, far in zip(OBSERVABLES.values(), innovation, limit, out, strict=True)
        if far
    )
