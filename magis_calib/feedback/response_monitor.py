"""Does each actuator do what the matrix says? Ordinary running tells where it moved."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from magis_calib.domain.control import RuleVerdict
from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES
from magis_calib.domain.rules import RESPONSE
from magis_calib.feedback.kalman_bank import Flags
from magis_calib.feedback.response_diagnosis import exchanged, late

WINDOW_DROPS, MOVED_DROPS, FEWEST_DROPS = 60, 30, 12
"""Drops that tell the scatter, the newest that tell the response, and the fewest."""
EXCITED_SIGMA = 2.0
"""A motion of less effect than this many standard deviations of a drop tells nothing."""
NAMED_SIGMA = 4.0
HARMLESS = 0.2
"""A response off by less than this share neither upsets the loop nor is worth stopping it."""
UNMOVED = 0.3
PHASE = list(OBSERVABLES).index("phase_rad")


class ResponseMonitor:
    """Regresses innovations on what they would miss if an actuator did not move."""

    def __init__(self, actuators: Sequence[str]) -> None:
        """Begin with nothing. `actuators`: the main one of each channel."""
        self._actuators = actuators
        self._away = np.full((WINDOW_DROPS, len(actuators)), np.nan)
        self._moved = np.zeros((WINDOW_DROPS, len(actuators)))
        self._seen = np.full((2, MOVED_DROPS, len(actuators)), np.nan)
        self._late = ""
        self._kept: Array | None = None
        self._sums = np.zeros((4, len(actuators)))
        self._phase_repeated = False
        self._found = ""

    @property
    def found(self) -> bool:
        """Whether an actuator was found not to do what the matrix says."""
        return bool(self._found)

    def lags(self, disturbance: Array, effect: Array) -> None:
        """Take in every comparison, used or not: does a motion come a drop late?

        By channel: what was measured minus the effect of the setpoints in force, and that effect.
        """
        self._seen = np.roll(self._seen, -1, axis=1)
        self._seen[:, -1] = disturbance, effect
        labels = [ACTUATORS[name].label for name in self._actuators]
        self._late = self._late or late(self._seen[0], self._seen[1], labels)

    def add(self, innovation: Array, motion: Array, phase_repeats: bool) -> None:
        """Take in a drop, by channel: innovation (NaN where none) and motion.

        The phase is looked at once it repeated from drop to drop: an actuator that fails may be why
        it does no more.
        """
        self._phase_repeated = self._phase_repeated or phase_repeats
        self._sums = self.look_back() + _sums(innovation[None], motion[None])
        self._away[:-1] = self._away[1:]
        self._moved[:-1] = self._moved[1:]
        self._away[-1] = innovation
        self._moved[-1] = motion
        self._kept = None

    def look_back(self) -> Array:
        """Sum up the drops that stay in the window when the next one comes.

        Worked out once a drop.
        """
        if self._kept is None:
            self._kept = _sums(self._away[1:], self._moved[1:])
        return self._kept

    def verdict(self) -> RuleVerdict:
        """Return which actuators do not do what the matrix says.

        Once found, this stands until `forget`.
        """
        if self._found:
            return RESPONSE.failed(self._found)
        told, scatter = self._excited()
        names = [ACTUATORS[name].label for name in self._actuators]
        moved = [channel for channel in range(len(names)) if told[:, channel].any()]
        wrong = {}
        for channel in moved:
            at = told[:, channel]
            away, motion = self._away[-MOVED_DROPS:, channel], self._moved[-MOVED_DROPS:, channel]
            factor = _factor(away[at], motion[at], float(scatter[channel]))
            if factor is not None and (channel != PHASE or self._phase_repeated):
                wrong[channel] = _in_words(names[channel], *factor)
        causes = [self._late, exchanged(self._away, self._moved, list(wrong), names)]
        words = "; ".join(filter(None, [*causes, *wrong.values()]))
        if words:
            self._found = f"an actuator does not do what the matrix says: {words}"
            return RESPONSE.failed(self._found)
        seen = (
            f"moved enough to tell: {', '.join(names[one] for one in moved)}"
            if moved
            else "too quiet to tell"
        )
        return RESPONSE.passed(f"last {MOVED_DROPS} drops, {seen}")

    def forget(self) -> None:
        """Begin anew: somebody looked at the actuators."""
        self._away[:] = np.nan
        self._seen[:] = np.nan
        self._late = ""
        self._kept = None
        self._found = ""

    def _excited(self) -> tuple[Flags, Array]:
        """Mark which of the newest motions stand out of the scatter; return that, too.

        The scatter is what the regression itself leaves: a filter that a dead actuator misled knows
        nothing about it.
        """
        count, away2, product, moved2 = self._sums
        left = away2 - product**2 / np.maximum(moved2, 1e-300)
        scatter = np.sqrt(np.maximum(left, 0.0) / np.maximum(count - 1, 1))
        known = np.isfinite(self._away[-MOVED_DROPS:])
        stands_out = np.abs(self._moved[-MOVED_DROPS:]) > EXCITED_SIGMA * scatter
        excited: Flags = known & stands_out & (count >= FEWEST_DROPS)
        return excited, scatter


def _sums(away: Array, moved: Array) -> Array:
    """Return by channel: number of drops, Σ away², Σ away · moved, Σ moved²."""
    known = np.isfinite(away)
    away, moved = np.where(known, away, 0.0), np.where(known, moved, 0.0)
    return np.array(
        [
            known.sum(axis=0),
            (away * away).sum(axis=0),
            (away * moved).sum(axis=0),
            (moved * moved).sum(axis=0),
        ]
    )


def moved_only(innovation: Array, sigma: Array, fresh_motion: Array) -> Array:
    """Return the innovations of a rejected drop where a motion may explain them.

    A wild drop proves nothing else.
    """
    return np.where(np.abs(fresh_motion) >= EXCITED_SIGMA * sigma, innovation, np.nan)


def _in_words(label: str, factor: float, error: float) -> str:
    what = (
        "does not move"
        if abs(factor) < UNMOVED
        else "moves the other way"
        if factor < 0
        else "moves by another amount"
    )
    return f"{label} {what}: {factor:.2f} ± {error:.2f} of what the matrix says"


def _factor(away: Array, moved: Array, scatter: float) -> tuple[float, float] | None:
    """Return actual over expected response with its error; None where it may be 1.

    One drop alone proves nothing: without the one that speaks loudest the others must say the same.
    """
    if len(away) < 2:
        return None
    slope, error = _slope(away, moved, scatter)
    if abs(slope) <= max(HARMLESS, NAMED_SIGMA * error):
        return None
    loudest = int(np.argmax(np.abs(away * moved)))
    rest, rest_error = _slope(np.delete(away, loudest), np.delete(moved, loudest), scatter)
    return (
        (1.0 + slope, error) if slope * rest > 0 and abs(rest) > NAMED_SIGMA * rest_error else None
    )


def _slope(away: Array, moved: Array, scatter: float) -> tuple[float, float]:
    """Return the slope through the origin and its standard error."""
    weight = float(moved @ moved)
    return float(away @ moved) / weight, scatter / math.sqrt(weight)
