"""One drop beside what was expected of it, channel by channel."""

from __future__ import annotations

import math
from collections.abc import Container
from dataclasses import dataclass

import numpy as np

from magis_calib.domain.control import Expectation, Setpoints
from magis_calib.domain.estimate import Array, StationEstimate
from magis_calib.domain.quantities import OBSERVABLES, wrap_error, wrap_phase
from magis_calib.feedback.kalman_bank import DisturbanceFilters
from magis_calib.feedback.response_matrix import Response

PHASE = list(OBSERVABLES).index("phase_rad")


@dataclass(frozen=True, slots=True, eq=False)
class Innovation:
    """Arrays of six channels, each in units of its main observable; NaN where not measured."""

    disturbance: Array
    """Measured minus the response to the setpoints in force."""
    fit_variance: Array
    """Of the disturbance, from the estimate's own covariance."""
    innovation: Array
    """Disturbance minus its prediction; NaN, too, where there was none."""
    sigma: Array
    """Standard deviation expected of the innovation; infinite where there was no prediction."""
    moved: Array
    """Effect of the setpoints in force."""
    effect: Array
    """The same by observable: the matrix product in force."""
    prediction: Array
    """Observables expected for the setpoints in force."""

    def named(self) -> Expectation:
        """Put it into names; what was not measured is left out."""
        told = (self.effect, self.disturbance, self.innovation, self.sigma)
        named = [
            {
                name: value
                for name, value in zip(OBSERVABLES, one.tolist(), strict=True)
                if math.isfinite(value)
            }
            for one in told
        ]
        prediction = zip(OBSERVABLES, self.prediction.tolist(), strict=True)
        return Expectation({name: wrap_error(name, value) for name, value in prediction}, *named)


def compared(
    estimate: StationEstimate,
    in_force: Setpoints,
    response: Response,
    filters: DisturbanceFilters,
    missing: Container[str],
) -> Innovation:
    """Compare an estimate with the response to its setpoints. What is missing counts as predicted.

    A channel is not measured where its main observable is missing, or another one that it needs and
    that was never measured before.
    """
    effect = response.effect(in_force)
    turn = response.to_channels
    mean, variance = filters.predicted()
    known = np.array([name not in missing for name in OBSERVABLES])
    away = estimate.vector - response.reference - effect
    away[PHASE] = wrap_phase(float(away[PHASE])) if known[PHASE] else 0.0
    covariance = estimate.covariance
    unknown = ~known
    if not known.all():
        away = np.where(known, away, response.from_channels @ mean)
        covariance = np.where(np.outer(known, known), covariance, 0.0)
        unknown = (response.needed & ~(known | filters.seen)).any(axis=1) | ~known
    disturbance = np.where(unknown, np.nan, turn @ away)
    fit_variance = ((turn @ covariance) * turn).sum(axis=1)
    sigma = np.sqrt(variance + filters.jitter_variance() + fit_variance)
    return Innovation(
        disturbance,
        fit_variance,
        filters.innovation(disturbance),
        sigma,
        turn @ effect,
        effect,
        response.reference + effect + response.from_channels @ mean,
    )
