"""Weighted least squares of one view with lmfit; weights from the fitted mean, until they agree.

Next on the path of a pair: `magis_calib/feedback/loop.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import lmfit
import numpy as np
import numpy.typing as npt

from magis_calib.config.station import ParameterRule
from magis_calib.domain.errors import FitError
from magis_calib.domain.estimate import NAN, Array
from magis_calib.estimation.bins import cut_bins, outgrown
from magis_calib.estimation.grid import Grid
from magis_calib.estimation.model import FitModel, Layout, Start
from magis_calib.estimation.weighed import NAMING_TURNS, Weighed, noise_variance
from magis_calib.imaging.electrons import Binned, Electrons

Mask = npt.NDArray[np.bool_]
MOST_ROUNDS = 6
"""Rounds of weights and outliers. One does where the start values are good, else two or three."""
MAX_EVALUATIONS = 50
LOOSE, TIGHT = 1e-3, 1e-5
"""Relative change of chi-square and parameters at which a round ends.

A round from poor start values serves weights only, for which a few standard errors are nothing.
"""
FEWEST_JUDGED = 20
"""Chi-square is judged where signal > background, but over no fewer bins than this."""
ON_BOUND = 0.05
"""A parameter within this many standard errors of a bound lies on it."""


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A converged or failed minimisation."""

    values: dict[str, float]
    """Of every parameter of the model, those held included."""
    names: tuple[str, ...]
    """Parameters that were fitted, in the order of the covariance."""
    absent: frozenset[str]
    """Parameters that this image cannot tell."""
    covariance: Array
    converged: bool
    chi2_per_dof: float
    """Over the bins where the signal exceeds the background; NaN where the noise was not known."""
    judged_bins: int
    evaluations: int
    at_bounds: tuple[str, ...]
    image: Electrons
    """With the outliers masked that the fit found."""
    bins: Binned
    data: Array
    """Electrons of the bins, masked pixels filled."""
    mean: Array
    """Fitted electrons of the bins."""
    variance: Array
    result: lmfit.minimizer.MinimizerResult


def fit_image(
    image: Electrons, model: FitModel, start: Start, rules: Mapping[str, ParameterRule]
) -> Fit:
    """Fit a model from these start values, on the whole image in adaptive bins.

    Raises `FitError` where there are fewer bins than parameters.
    """
    parameters = _parameters(model, start, rules)
    bins = cut_bins(image, _layout(model, parameters, image))
    following = Weighed.by(parameters.valuesdict(), model, image, bins, turn=0)
    evaluations = 0
    for turn in range(MOST_ROUNDS):
        weighed = following
        result = _minimise(model, weighed, parameters)
        evaluations = evaluations + int(result.nfev)
        parameters = result.params
        if turn + 1 >= NAMING_TURNS:
            image, bins = weighed.image, weighed.bins
        layout = _layout(model, parameters, image)
        bins = cut_bins(image, layout) if outgrown(bins, layout) else bins
        following = Weighed.by(parameters.valuesdict(), model, image, bins, turn + 1)
        if following.repeats(weighed):
            break
    return _finished(model, start, weighed, result, evaluations)


def _layout(model: FitModel, parameters: lmfit.Parameters, image: Electrons) -> Layout | None:
    return model.layout(parameters.valuesdict(), image.shape, image.facts.object_pixel_m)


def _parameters(
    model: FitModel, start: Start, rules: Mapping[str, ParameterRule]
) -> lmfit.Parameters:
    parameters = lmfit.Parameters()
    for name in model.parameters:
        absent = name in start.absent
        parameters.add(name, **_setting(start.values[name], rules.get(name), absent=absent))
    return parameters


def _setting(value: float, rule: ParameterRule | None, *, absent: bool) -> dict[str, Any]:
    """Return how lmfit has to treat a parameter with this start value."""
    if rule is not None and rule.fixed is not None:
        return {"value": rule.fixed, "vary": False}
    low, high = _limits(rule)
    held = {"value": float(np.clip(value, low, high)), "vary": not absent}
    return held if absent else held | {"min": low, "max": high}


def _limits(rule: ParameterRule | None) -> tuple[float, float]:
    if rule is None:
        return -math.inf, math.inf
    low = -math.inf if rule.minimum is None else rule.minimum
    return low, math.inf if rule.maximum is None else rule.maximum


def _minimise(
    model: FitModel, weighed: Weighed, start: lmfit.Parameters
) -> lmfit.minimizer.MinimizerResult:
    problem = _LeastSquares.of(model, weighed, start)
    minimizer = lmfit.Minimizer(
        problem.residual,
        start,
        scale_covar=False,
        nan_policy="propagate",
        max_nfev=problem.most_evaluations,
    )
    tolerance = LOOSE if weighed.poor else TIGHT
    return minimizer.leastsq(ftol=tolerance, xtol=tolerance, **problem.derivatives)


@dataclass(frozen=True, slots=True, eq=False)
class _LeastSquares:
    """What lmfit asks while it minimises; arrays have one entry a bin."""

    model: FitModel
    grid: Grid
    electrons: Array
    weight: Array
    """1 / standard deviation of each bin."""
    varied: tuple[str, ...]

    @classmethod
    def of(cls, model: FitModel, weighed: Weighed, start: lmfit.Parameters) -> Self:
        """Return the problem. Raises `FitError` where there are fewer bins than parameters."""
        weight = (1.0 / np.sqrt(weighed.variance)).ravel()
        varied = tuple(name for name, one in start.items() if one.vary)
        good = np.count_nonzero(weight)
        if good <= len(varied):
            raise FitError(f"too few good pixels: {good} bins for {len(varied)} parameters")
        return cls(model, weighed.grid, weighed.data.ravel(), weight, varied)

    def residual(self, parameters: lmfit.Parameters) -> Array:
        values = parameters.valuesdict()
        mean = self.model.background(self.grid, values) + self.model.signal(self.grid, values)
        weighted: Array = (mean.ravel() - self.electrons) * self.weight
        if not np.isfinite(weighted.sum()):
            raise FitError("not converged: the fit ran into values that are not finite")
        return weighted

    def jacobian(self, parameters: lmfit.Parameters) -> Array:
        derivatives = self.model.jacobian(self.grid, parameters.valuesdict(), self.varied)
        weighted: Array = derivatives * self.weight  # type: ignore[operator]  # only where there is one
        return weighted

    @property
    def by_differences(self) -> bool:
        """Whether the model brings no derivatives of its own."""
        return type(self.model).jacobian is FitModel.jacobian

    @property
    def derivatives(self) -> dict[str, Any]:
        """Options of `leastsq` that name the model's own derivatives."""
        return {} if self.by_differences else {"Dfun": self.jacobian, "col_deriv": True}

    @property
    def most_evaluations(self) -> int:
        """Differences cost one evaluation a parameter and step more."""
        return MAX_EVALUATIONS * (1 + len(self.varied) if self.by_differences else 1)


def _finished(
    model: FitModel,
    start: Start,
    weighed: Weighed,
    result: lmfit.minimizer.MinimizerResult,
    evaluations: int,
) -> Fit:
    image, bins, grid = weighed.image, weighed.bins, weighed.grid
    values = dict(result.params.valuesdict())
    names = tuple(name for name in model.parameters if result.params[name].vary)
    background, signal = model.background(grid, values), model.signal(grid, values)
    variance = noise_variance(bins, background, signal, image)
    squares = (weighed.data - background - signal) ** 2 / variance
    covariance = _covariance(result, names)
    chi2 = NAN
    judged = 0
    if image.noise_known:
        chi2, judged = _chi2_per_dof(squares, signal > background, bins.good > 0, len(names))
    else:
        covariance = covariance * _scale(squares, bins, len(names))
    return Fit(
        values,
        names,
        start.absent,
        covariance,
        bool(result.success) and bool(np.all(np.isfinite(covariance))),
        chi2,
        judged,
        evaluations,
        _at_bounds(result.params, names, covariance),
        image,
        bins,
        weighed.data,
        background + signal,
        variance,
        result,
    )


def _scale(squares: Array, bins: Binned, fitted: int) -> float:
    """Return chi-square over its degrees of freedom, with weights that are only relative."""
    free = max(1, int(np.count_nonzero(bins.good)) - fitted)
    return float(squares.sum()) / free


def _chi2_per_dof(squares: Array, lit: Mask, good: Mask, fitted: int) -> tuple[float, int]:
    """Return chi-square over its degrees of freedom, and the bins judged: lit ones, if enough."""
    bright = lit & good
    chosen = squares[bright] if np.count_nonzero(bright) >= FEWEST_JUDGED else squares[good]
    judged = int(chosen.size)
    return float(chosen.sum() / max(1, judged - fitted)), judged


def _covariance(result: lmfit.minimizer.MinimizerResult, names: tuple[str, ...]) -> Array:
    covariance = getattr(result, "covar", None)
    if covariance is None or not result.success:
        return np.full((len(names), len(names)), np.nan)
    order = [result.var_names.index(name) for name in names]
    return np.asarray(covariance)[np.ix_(order, order)]


def _at_bounds(
    parameters: lmfit.Parameters, names: tuple[str, ...], covariance: Array
) -> tuple[str, ...]:
    variances = zip(names, np.diag(covariance), strict=True)
    return tuple(
        f"{name} = {parameters[name].value:.6g}"
        for name, variance in variances
        if _lies_on_bound(parameters[name], variance)
    )


def _lies_on_bound(one: lmfit.Parameter, variance: float) -> bool:
    room = min(one.value - one.min, one.max - one.value)
    error = float(np.sqrt(variance)) if variance > 0 else 0.0
    span = one.max - one.min
    return bool(room <= max(ON_BOUND * error, 1e-6 * span if np.isfinite(span) else 0.0))
