"""What disturbs each channel of the loop.

Scalar Kalman filters that learn drift and noise from their innovations.

A channel is one component of R⁻¹(y - y_ref), in units of its main observable: mirror drift moves
wavevector and phase together, but only one channel. Each channel's disturbance is a random walk
(drift q a drop) seen through white noise (jitter j, unknown, and the fit's own error, told drop by
drop). `auto` runs a bank of filters over a lattice of q and j and weighs them by their likelihood,
old drops less than new ones (multiple-model estimation; Magill, IEEE Trans. Autom. Control 10
(1965) 434). Where a gain is fixed, the loop follows that; the bank learns beside it, for only
innovations of filters that may choose their gain are white, and tell whether an actuator moves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from magis_calib.domain.estimate import Array

JITTERS = np.geomspace(0.05, 20.0, 17)
"""Standard deviations tried for a drop's jitter, over the noise configured."""
DRIFTS = np.geomspace(0.003, 3.0, 17)
"""Standard deviations tried for the drift from drop to drop, over the same."""
MEMORY_DROPS = 1000.0
"""Likelihood of drops this long ago counts 1/e: drift and noise may change in a shift."""

Flags = npt.NDArray[np.bool_]
FixedGain = float | None
"""A fixed gain, or None to learn it."""


class DisturbanceFilters:
    """The disturbance of every channel, in units of the channels' main observables.

    One thread uses it.
    """

    def __init__(self, noise: Array, gains: Sequence[FixedGain], circular: Sequence[bool]) -> None:
        """Know nothing yet. `noise`: standard deviation of one drop, by channel."""
        size = len(noise)
        self._fixed = np.array([math.nan if gain is None else gain for gain in gains])
        self._circular = np.array(circular)
        self._jitter = (noise[:, None] * np.repeat(JITTERS, len(DRIFTS))) ** 2
        self._drift = (noise[:, None] * np.tile(DRIFTS, len(JITTERS))) ** 2
        shape = self._jitter.shape
        self._state = np.zeros(shape)
        self._variance = np.zeros(shape)
        self._weight = np.zeros(shape)
        self._moved = np.zeros(shape)
        self._followed = np.zeros(size)
        self._followed_variance = np.zeros(size)
        self._seen = np.zeros(size, dtype=bool)
        self._told: tuple[Array, Array, Array, Array] | None = None
        self._share: Array | None = None

    def follow(self, gains: Sequence[FixedGain]) -> None:
        """Go on with these gains.

        A channel whose gain becomes fixed begins at what the bank expects: nothing jumps.
        """
        fixed = np.array([math.nan if gain is None else gain for gain in gains])
        begun = np.isnan(self._fixed) & ~np.isnan(fixed)
        if begun.any():
            mean, spread = self._mixed(self._shares())
            variance = _over_bank(self._shares(), self._variance + spread**2)
            self._followed[begun] = mean[begun]
            self._followed_variance[begun] = variance[begun]
        self._fixed = fixed
        self._told = None

    @property
    def seen(self) -> Flags:
        """Mark the channels that were measured at least once."""
        return self._seen.copy()

    def predicted(self) -> tuple[Array, Array]:
        """Return the disturbance expected next and its variance (without jitter and fit error)."""
        return self._foresee()[:2]

    def jitter_variance(self) -> Array:
        """Return the variance of what no filter can foresee, as learned."""
        return self._foresee()[2]

    def innovation(self, measured: Array) -> Array:
        """Return measured minus predicted disturbance of each channel.

        NaN where not measured, now or before.
        """
        away = self._wrapped(measured - self.predicted()[0], slice(None))
        return np.where(self._seen, away, np.nan)

    def white_innovation(self, measured: Array) -> Array:
        """Return the same by the filters that learn, whether or not the loop follows them."""
        away = self._wrapped(measured - self._foresee()[3], slice(None))
        return np.where(self._seen, away, np.nan)

    def fresh_motion(self, moved: Array) -> Array:
        """Return the part of the actuators' effect on each channel that no filter has seen.

        If an actuator did r times what it should, (r - 1) times this would be missing in the
        innovation.
        """
        return moved - _over_bank(self._shares(), self._moved)

    def update(self, measured: Array, fit_variance: Array, moved: Array, drops: int = 1) -> None:
        """Take in one drop, so many after the last.

        By channel: disturbances (NaN: not measured), variances of the fit, effects of the setpoints
        in force.
        """
        known = np.isfinite(measured)
        first = known & ~self._seen
        later = known & self._seen
        self._follow_fixed(later, measured, fit_variance, drops)
        self._told = self._share = None
        self._variance = self._variance + drops * self._drift
        if later.any():
            self._follow(slice(None) if later.all() else later, measured, fit_variance, moved)
        for channel in np.flatnonzero(first):
            self.begin(
                int(channel),
                float(measured[channel]),
                float(fit_variance[channel]),
                float(moved[channel]),
            )

    def begin(self, channel: int, disturbance: float, fit_variance: float, moved: float) -> None:
        """Begin (anew) at this disturbance, keeping what was learned about drift and noise."""
        self._followed[channel] = disturbance
        self._followed_variance[channel] = self.jitter_variance()[channel] + fit_variance
        self._told = None
        self._state[channel] = disturbance
        self._moved[channel] = moved
        self._variance[channel] = self._jitter[channel] + fit_variance
        self._seen[channel] = True

    def forget(self, filters: Sequence[int]) -> None:
        """Know nothing about where these channels are.

        What was learned about drift and noise is kept.
        """
        self._told = None
        self._seen[list(filters)] = False

    def _follow(
        self, at: Flags | slice, measured: Array, fit_variance: Array, moved: Array
    ) -> None:
        innovation = self._wrapped(measured[at][:, None] - self._state[at], at)
        variance = self._variance[at]
        total = variance + self._jitter[at] + fit_variance[at][:, None]
        share = variance / total
        self._weight[at] = self._weight[at] * (1.0 - 1.0 / MEMORY_DROPS) - 0.5 * (
            np.log(total) + innovation**2 / total
        )
        self._state[at] += share * innovation
        self._moved[at] += share * (moved[at][:, None] - self._moved[at])
        self._variance[at] = variance * (1.0 - share)

    def _follow_fixed(self, later: Flags, measured: Array, fit_variance: Array, drops: int) -> None:
        """Follow with the gains that are fixed.

        Drift and jitter, as learned, tell how far off that leaves it.
        """
        at = later & ~np.isnan(self._fixed)
        if not at.any():
            return
        gain = self._fixed[at]
        ahead = self._followed_variance[at] + drops * self._drift_variance()[at]
        away = self._wrapped(measured - self._followed, slice(None))[at]
        self._followed[at] += gain * away
        noise = self.jitter_variance()[at] + fit_variance[at]
        self._followed_variance[at] = (1.0 - gain) ** 2 * ahead + gain**2 * noise

    def _drift_variance(self) -> Array:
        return _over_bank(self._shares(), self._drift)

    def _wrapped(self, values: Array, at: Flags | slice) -> Array:
        """Wrap, in place, what is an angle."""
        circular = self._circular[at]
        values[circular] = np.remainder(values[circular] + math.pi, math.tau) - math.pi
        return values

    def _foresee(self) -> tuple[Array, Array, Array, Array]:
        """Return mean and variance of the next disturbance as the loop follows it, the jitter's
        variance, and the mean
        of the filters that learn; worked out once a drop.
        """
        if self._told is None:
            share = self._shares()
            mean, spread = self._mixed(share)
            variance = _over_bank(share, self._variance + self._drift + spread**2)
            jitter = _over_bank(share, self._jitter)
            learns = np.isnan(self._fixed)
            followed = mean
            if not learns.all():
                followed = np.where(learns, mean, self._followed)
                variance = np.where(
                    learns, variance, self._followed_variance + self._drift_variance()
                )
            self._told = followed, np.where(self._seen, variance, np.inf), jitter, mean
        return self._told

    def _mixed(self, share: Array) -> tuple[Array, Array]:
        """Return the mean of all filters of each channel, and how far each one is from it.

        A phase may have wrapped.
        """
        near = self._state[np.arange(len(share)), share.argmax(axis=1)]
        spread = self._wrapped(self._state - near[:, None], slice(None))
        away = _over_bank(share, spread)
        return near + away, spread - away[:, None]

    def _shares(self) -> Array:
        """Return the weight of each filter, 1 in all for each channel."""
        if self._share is None:
            likely = np.exp(self._weight - self._weight.max(axis=1, keepdims=True))
            self._share = likely / likely.sum(axis=1, keepdims=True)
        return self._share


def _over_bank(share: Array, values: Array) -> Array:
    """Return the mean of each channel over its filters."""
    mean: Array = np.einsum("cf,cf->c", share, values)
    return mean
