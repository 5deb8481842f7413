"""Gains of all observables to all actuators that moved, with errors that know drift and jitter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import OBSERVABLES, wrap_phase

DRIFTS = np.concatenate([[0.0], np.geomspace(1e-3, 3.0, 30)])
"""Ratios tried of the random walk's step to the white noise of a drop."""
WILD_SIGMA = 6.0
MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True, slots=True, eq=False)
class Gains:
    """Measured response: observables (order of `OBSERVABLES`) x actuators, SI.

    NaN where not measured.
    """

    actuators: tuple[str, ...]
    values: Array
    stderr: Array
    correlation: Array
    """6 x actuators x actuators: of the gains of one observable with each other."""
    drops: tuple[int, ...]
    """Measurements that entered, for each observable."""


def measured_gains(records: Sequence[DropRecord], actuators: Sequence[str]) -> Gains:
    """Return the gains from drops whose setpoints moved; NaN where too few drops tell.

    Each observable is a constant + gains · moves + a random walk + white noise, whose ratio is
    found by restricted maximum likelihood and whose size by the residuals (Patterson and Thompson,
    Biometrika 58 (1971) 545).
    """
    size = len(actuators)
    moves = np.array([[record.in_force[name] for name in actuators] for record in records])
    values, stderr = np.full((6, size), np.nan), np.full((6, size), np.nan)
    correlation = np.full((6, size, size), np.nan)
    counts = []
    for row, name in enumerate(OBSERVABLES):
        at = np.array([record.estimate.values[name] for record in records])
        known = np.isfinite(at)
        if int(known.sum()) < size + 3:
            counts.append(int(known.sum()))
            continue
        times = np.array([float(record.drop_id) for record in records])[known]
        away = _unwrapped(at[known]) if name == "phase_rad" else at[known]
        gain, covariance, used = _without_wild(away, moves[known], times)
        values[row] = gain
        stderr[row] = np.sqrt(np.diag(covariance))
        correlation[row] = covariance / np.outer(stderr[row], stderr[row])
        counts.append(used)
    return Gains(tuple(actuators), values, stderr, correlation, tuple(counts))


def _unwrapped(phases: Array) -> Array:
    """Return phases within π of their circular mean."""
    middle = circular_mean(phases)
    return np.array([wrap_phase(float(phase) - middle) for phase in phases])


def circular_mean(phases: Array) -> float:
    """Return the direction of the mean of unit vectors (rad)."""
    return float(np.angle(np.mean(np.exp(1j * phases))))


def _without_wild(away: Array, moves: Array, times: Array) -> tuple[Array, Array, int]:
    """Fit, leave out what no drift or noise explains, and fit again."""
    gain, covariance, residual = _fitted(away, moves, times)
    scatter = MAD_TO_SIGMA * float(np.median(np.abs(residual - np.median(residual))))
    kept = np.abs(residual) <= WILD_SIGMA * scatter
    if scatter > 0 and not kept.all() and int(kept.sum()) > moves.shape[1] + 2:
        gain, covariance, _ = _fitted(away[kept], moves[kept], times[kept])
        return gain, covariance, int(kept.sum())
    return gain, covariance, len(away)


def _fitted(away: Array, moves: Array, times: Array) -> tuple[Array, Array, Array]:
    """Return gains, covariance and whitened residuals of the likeliest ratio of drift to noise."""
    scale = np.abs(moves - moves.mean(axis=0)).max(axis=0)
    scale[scale == 0] = 1.0
    design = np.column_stack([np.ones(len(away)), (moves - moves.mean(axis=0)) / scale])
    walk = np.minimum.outer(times - times.min(), times - times.min())
    found = max(
        (weighed(away, design, np.eye(len(away)) + ratio**2 * walk) for ratio in DRIFTS),
        key=lambda one: one[0],
    )
    _, solution, covariance, residual = found
    return solution[1:] / scale, covariance[1:, 1:] / np.outer(scale, scale), residual


def weighed(away: Array, design: Array, shape: Array) -> tuple[float, Array, Array, Array]:
    """Return restricted log-likelihood, solution, covariance, whitened residuals."""
    factor = scipy.linalg.cholesky(shape, lower=True)
    white, target = (
        scipy.linalg.solve_triangular(factor, one, lower=True) for one in (design, away)
    )
    solution, _, rank, _ = np.linalg.lstsq(white, target, rcond=None)
    residual = target - white @ solution
    free = len(away) - int(rank)
    variance = float(residual @ residual) / free
    normal = white.T @ white
    logs = 2.0 * np.log(np.diag(factor)).sum() + np.linalg.slogdet(normal)[1]
    likelihood = -0.5 * (free * np.log(max(variance, 1e-300)) + logs)
    return float(likelihood), solution, variance * np.linalg.pinv(normal), residual
