"""The Cramér-Rao bound: how well any unbiased estimator can know the parameters of one picture."""

from __future__ import annotations

import numpy as np

from magis_calib.benchmark.picture import PARAMETERS, Mean, Truth, blocks, mean_of
from magis_calib.domain.camera import CameraFacts
from magis_calib.domain.estimate import Array

STEP = 1e-4
"""Of a parameter's own scale: central differences then miss the derivative by some 1e-8 of it."""

UNKNOWABLE = 1e-15
"""Parameters that hang together so far keep errors of millions instead of a singularity."""


def bound(truth: Truth, facts: CameraFacts) -> dict[str, float]:
    """Return the smallest possible standard error of each parameter, all free, on every pixel.

    F = Jᵀ V⁻¹ J, the bound for estimation from the mean with the variance of docs/contracts.md:
    background + (1 + excess)·signal + read noise² + lsb²/12 per pixel. What that variance itself
    says about the parameters is left out (physics: compound Poisson light is not Gaussian). A
    parameter that the picture says nothing about (the place of a port without atoms, the phase
    without contrast) has an infinite error and is held.
    """
    fisher = _fisher(truth, facts)
    scale = np.sqrt(np.diag(fisher))
    known = scale > 0
    errors = np.full(len(PARAMETERS), np.inf)
    unit = scale[known]
    eigenvalues, vectors = np.linalg.eigh(fisher[np.ix_(known, known)] / np.outer(unit, unit))
    variances = np.sum(vectors**2 / np.maximum(eigenvalues, UNKNOWABLE), axis=1)
    errors[known] = np.sqrt(variances) / unit
    return dict(zip(PARAMETERS, errors.tolist(), strict=True))


def _fisher(truth: Truth, facts: CameraFacts) -> Array:
    mean = mean_of(truth, facts)
    slopes = [_slope(truth, facts, name) for name in PARAMETERS]
    fisher = np.zeros((len(PARAMETERS), len(PARAMETERS)))
    for rows in blocks(facts.rows):
        signal, background = mean.part(rows)
        variance = background + (1.0 + facts.excess) * signal + facts.quantised_read_variance
        weight = (1.0 / np.sqrt(variance)).ravel()
        jacobian = np.empty((len(PARAMETERS), weight.size))
        for row, (tall, wide) in zip(jacobian, slopes, strict=True):
            np.matmul(tall[rows], wide, out=row.reshape(signal.shape))
        jacobian *= weight
        fisher += jacobian @ jacobian.T
    return fisher


def _slope(truth: Truth, facts: CameraFacts, name: str) -> tuple[Array, Array]:
    """Return the derivative of the mean as outer products: (rows, terms), (terms, columns)."""
    step = STEP * _scale(truth, facts, name)
    value = truth.value(name)
    above, below = (
        _factors(mean_of(truth.having(name, value + side), facts)) for side in (step, -step)
    )
    changed = np.any(above[0] != below[0], axis=0) | np.any(above[1] != below[1], axis=1)
    tall = np.concatenate([above[0][:, changed], below[0][:, changed]], axis=1)
    wide = np.concatenate([above[1][changed], -below[1][changed]]) / (2.0 * step)
    return tall, wide


def _factors(mean: Mean) -> tuple[Array, Array]:
    signal_v, signal_u = mean.signal
    background_v, background_u = mean.background
    return np.concatenate([signal_v, background_v], axis=1), np.concatenate(
        [signal_u, background_u]
    )


def _scale(truth: Truth, facts: CameraFacts, name: str) -> float:
    """Return over how much of this parameter the picture changes its face."""
    lengths = {"horizontal": truth.width_horizontal_m, "vertical": truth.width_vertical_m}
    axis = "horizontal" if "horizontal" in name else "vertical"
    if name.startswith("fringe"):
        return 1.0 / lengths[axis]
    if name.startswith("background_gradient"):
        return max(truth.background_electrons_per_px, 1.0) / (facts.object_pixel_m * facts.rows)
    if name.endswith("_m"):
        fringe = (
            truth.fringe_horizontal_rad_per_m
            if axis == "horizontal"
            else truth.fringe_vertical_rad_per_m
        )
        return 1.0 / (1.0 / lengths[axis] + abs(fringe))
    if name.endswith("_electrons"):
        return max(truth.value(name), 1.0)
    return max(truth.background_electrons_per_px, 1.0) if name.startswith("background") else 1.0
