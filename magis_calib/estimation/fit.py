"""Weighted least squares of one view with lmfit: weights from the fitted mean, repeated until they agree."""

from __future__ import annotations

from dataclasses import dataclass

import lmfit
import numpy as np

from magis_calib.domain.camera import CameraFacts
from magis_calib.domain.estimate import Array
from magis_calib.estimation.bins import axis_edges
from magis_calib.estimation.guess import Cloud
from magis_calib.estimation.model import FRINGE, MODELS, Displacements, Parameters, TwoPortImage
from magis_calib.imaging.electrons import Binned, Electrons

ROUNDS = 2
"""Rounds of weights: the second changes no parameter by more than a few hundredths of its standard error."""
MAX_EVALUATIONS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A converged or failed minimisation."""

    values: dict[str, float]
    names: tuple[str, ...]
    covariance: Array
    converged: bool
    chi2_per_dof: float
    """Over the bins where the signal exceeds the background; over all bins where there are fewer than 20."""
    judged_bins: int
    evaluations: int


def fit_view(image: Electrons, model: str, start: Parameters, cloud: Cloud, displacements: Displacements) -> Fit:
    """Fit the named model from these start values, on the whole image in adaptive bins."""
    bins = _cut(image, start, cloud)
    names = MODELS[model]
    two_port = TwoPortImage.on(bins, image.shape, image.facts.object_pixel_m, displacements)
    values, evaluations = dict(start), 0
    for last in range(ROUNDS):
        variance = noise_variance(bins, two_port.background(values), two_port.signal(values), image.facts)
        result = _minimise(two_port, bins, variance, values, names, 1e-4 if last + 1 < ROUNDS else 1e-8)
        values = {name: float(result.params[name].value) for name in names}
        evaluations += int(result.nfev)
    chi2, judged = _chi2(two_port, bins, values, image.facts, len(names))
    covariance = _covariance(result, names)
    converged = bool(result.success) and bool(np.all(np.isfinite(covariance)))
    return Fit(values, names, covariance, converged, chi2, judged, evaluations)


def noise_variance(bins: Binned, background: Array, signal: Array, facts: CameraFacts) -> Array:
    """Return the variance of each bin (docs/contracts.md, "Noise"), electrons²."""
    variance = (
        np.maximum(background, 0.0)
        + (1.0 + facts.excess) * np.maximum(signal, 0.0)
        + bins.pixels * facts.quantised_read_variance
    )
    scaled: Array = variance * bins.scale
    return scaled


def _cut(image: Electrons, start: Parameters, cloud: Cloud) -> Binned:
    pixel_m, (rows, columns) = image.facts.object_pixel_m, image.shape
    centre_columns = [u / pixel_m + (columns - 1) / 2.0 for u in cloud.horizontal_m.values()]
    centre_rows = [(rows - 1) / 2.0 - v / pixel_m for v in cloud.vertical_m.values()]
    kappa_u, kappa_v = (start.get(name, 0.0) * pixel_m for name in FRINGE[:2])
    return image.binned(
        axis_edges(rows, centre_rows, cloud.width_vertical_m / pixel_m, kappa_v),
        axis_edges(columns, centre_columns, cloud.width_horizontal_m / pixel_m, kappa_u),
    )


def _minimise(
    two_port: TwoPortImage, bins: Binned, variance: Array, start: Parameters, names: tuple[str, ...], tolerance: float
) -> lmfit.minimizer.MinimizerResult:
    weight = (1.0 / np.sqrt(variance)).ravel()
    data = bins.electrons.ravel()

    def residual(parameters: lmfit.Parameters) -> Array:
        values = parameters.valuesdict()
        mean = (two_port.background(values) + two_port.signal(values)).ravel()
        weighted: Array = (mean - data) * weight
        return weighted

    def jacobian(parameters: lmfit.Parameters) -> Array:
        return two_port.jacobian(parameters.valuesdict(), names) * weight

    parameters = lmfit.Parameters()
    for name in names:
        parameters.add(name, value=start[name])
    minimizer = lmfit.Minimizer(residual, parameters, scale_covar=False, nan_policy="raise", max_nfev=MAX_EVALUATIONS)
    return minimizer.leastsq(Dfun=jacobian, col_deriv=True, ftol=tolerance, xtol=tolerance)


def _covariance(result: lmfit.minimizer.MinimizerResult, names: tuple[str, ...]) -> Array:
    if result.covar is None or not result.success:
        return np.full((len(names), len(names)), np.nan)
    order = [result.var_names.index(name) for name in names]
    return np.asarray(result.covar)[np.ix_(order, order)]


def _chi2(
    two_port: TwoPortImage, bins: Binned, values: Parameters, facts: CameraFacts, fitted: int
) -> tuple[float, int]:
    background, signal = two_port.background(values), two_port.signal(values)
    pulls = (bins.electrons - background - signal) ** 2 / noise_variance(bins, background, signal, facts)
    bright = signal > background
    judged = pulls[bright] if np.count_nonzero(bright) >= 20 else pulls.ravel()
    return float(judged.sum() / max(1, judged.size - fitted)), int(judged.size)
