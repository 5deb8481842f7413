"""What of a fit may be used, and why not."""

from __future__ import annotations

import math
from collections.abc import Set
from dataclasses import dataclass

import numpy as np

from magis_calib.domain.estimate import NAN, Array
from magis_calib.estimation.covariance import part_of, sigma_of
from magis_calib.estimation.elsewhere import light_elsewhere
from magis_calib.estimation.fit import Fit
from magis_calib.estimation.model import FitModel, Fringe, Layout, Parameters, Start, Wavevector
from magis_calib.estimation.neighbours import residual_over_noise
from magis_calib.estimation.start.fourier import (
    FREE_SEARCH_SIGMA,
    PREDICTED_SIGMA,
    PREDICTED_WITHIN,
)
from magis_calib.estimation.start.second import disagreement
from magis_calib.imaging.defects import area_of

BRANCH_RADIANS = 2.0
"""Below this |κ·width| the loop cannot tell the branch."""
BRANCH_SIGMA = 5.0
CHI2_SIGMA, CHI2_SLACK = 6.0, 0.15
"""Chi-square per degree of freedom may miss 1 by 6 of its standard deviations and, on top, by 15 %.
"""
DISAGREEMENT_SIGMA = 6.0
FULL_SHARE = 0.3
"""A saturated pixel is light where the fit expects this share of the full scale or more."""
SPOILT_WITH_FRINGE = frozenset({"fringe", "contrast", "phase"})
HIDDEN_FRINGE = "a long fringe is there, but hides among position and width"
NARROWEST_PX = 4.0
"""What is narrower is a defect or a particle that hit the sensor, not a cloud (8 px and more)."""


@dataclass(frozen=True, slots=True)
class FitVerdict:
    """What may be used of one view."""

    usable_quantities: tuple[str, ...]
    reasons: tuple[str, ...]
    disagreement_sigma: float
    saturated_px: int


def judge(fit: Fit, model: FitModel, start: Start, expected: Wavevector | None) -> FitVerdict:
    """Judge a fit whose values are as minimised: the second estimator shares their branch."""
    saturated = _saturated_light(fit)
    checks = {
        about: tuple(one for one in start.checks if _about_fringe(one.terms, model.fringe) == about)
        for about in (False, True)
    }
    away, about = disagreement(checks[False], fit.values)
    fringe_away, fringe_about = disagreement(checks[True], fit.values)
    worst = max((one for one in (away, fringe_away) if math.isfinite(one)), default=NAN)
    fringe = model.fringe if model.fringe and model.fringe.phase in fit.names else None
    wrong = faint_fringe(fit, fringe, start.proven, expected) if fringe else []
    fatal = _spoils_all(fit, model, start, saturated)
    fatal += [_disagrees(about, away)] if away > DISAGREEMENT_SIGMA else []
    if fit.converged:
        fatal += _doubted(fit, model, start, expected, hidden=bool(wrong))
    if fatal:
        return FitVerdict((), tuple(fatal), worst, saturated)
    if fringe and fringe_away > DISAGREEMENT_SIGMA:
        wrong.append(_disagrees(fringe_about, fringe_away))
    ambiguous = _ambiguous(fit, model, fringe, expected) if fringe and not wrong else []
    spoilt = SPOILT_WITH_FRINGE if wrong else {"phase"} if ambiguous else set()
    reasons = (*start.reasons, *wrong, *ambiguous)
    return FitVerdict(_told(fit, model, spoilt), reasons, worst, saturated)


def _doubted(
    fit: Fit, model: FitModel, start: Start, expected: Wavevector | None, *, hidden: bool
) -> list[str]:
    """Say what speaks against a fit that converged; `hidden`: its fringe does not stand out."""
    doubts = [*model.doubts(fit, expected)]
    doubts += [words] if (words := light_elsewhere(fit, model)) else []
    doubts += [HIDDEN_FRINGE] if hidden and start.proven else []
    return doubts + ([start.reasons[-1]] if start.suspected else [])


def _told(fit: Fit, model: FitModel, spoilt: Set[str]) -> tuple[str, ...]:
    """Return the quantities that the fit tells, without the spoilt ones."""
    return tuple(
        quantity
        for quantity, names in model.quantities.items()
        if quantity not in spoilt and (not names or any(name in fit.names for name in names))
    )


def _spoils_all(fit: Fit, model: FitModel, start: Start, saturated: int) -> list[str]:
    reasons = [] if fit.converged else ["not converged"]
    if saturated:
        full = fit.image.facts.saturation
        reasons.append(f"saturated: {saturated} pixels of the light at {full} counts")
    reasons += [f"at a bound: {one}" for one in fit.at_bounds]
    layout = model.layout(fit.values, fit.image.shape, fit.image.facts.object_pixel_m)
    if layout is not None:
        reasons += _cut_by_edge(layout, model.edge_widths, fit.image.shape)
        reasons += _too_narrow(layout)
    return reasons + (_chi2_misses(fit) if fit.image.noise_known else _noise_misses(fit, model))


def _noise_misses(fit: Fit, model: FitModel) -> list[str]:
    """Judge as chi-square does, by the noise of neighbouring pixels."""
    if not fit.converged:
        return []
    ratio, told_by = residual_over_noise(fit, model)
    room = CHI2_SIGMA * math.sqrt(2.0 / told_by) + CHI2_SLACK
    words = f"not the model: it misses by {ratio:.2f} of the noise between neighbouring pixels, "
    return [f"{words}wanted up to {1 + room:.2f}"] if ratio > 1.0 + room else []


def _chi2_misses(fit: Fit) -> list[str]:
    room = CHI2_SIGMA * math.sqrt(2.0 / max(1, fit.judged_bins)) + CHI2_SLACK
    words = f"chi-square {fit.chi2_per_dof:.2f} out of range 1 ± {room:.2f}"
    return [] if abs(fit.chi2_per_dof - 1.0) <= room else [words]


def _too_narrow(layout: Layout) -> list[str]:
    narrow = min(min(spot.sigma_rows, spot.sigma_columns) for spot in layout.spots)
    words = f"no cloud: the light is {narrow:.1f} px wide, wanted {NARROWEST_PX:g} or more"
    return [words] if narrow < NARROWEST_PX else []


def _cut_by_edge(layout: Layout, edge_widths: float, shape: tuple[int, int]) -> list[str]:
    rows, columns = shape
    return [
        f"cut by the edge: light at column {spot.column:.0f}, row {spot.row:.0f} "
        f"of {columns} x {rows}"
        for spot in layout.spots
        if not _fits(spot.row, edge_widths * spot.sigma_rows, rows)
        or not _fits(spot.column, edge_widths * spot.sigma_columns, columns)
    ]


def _fits(middle: float, reach: float, size: int) -> bool:
    """Whether light reaches the edge of neither side; a profile has no edges across."""
    return size == 1 or min(middle, size - 1 - middle) - reach > 0


def _saturated_light(fit: Fit) -> int:
    """Count saturated pixels in areas, or where the fit expects light that bright."""
    image = fit.image
    if not image.saturated.size:
        return 0
    return max(area_of(image.saturated, image.shape[1]), _expected_bright(fit))


def _expected_bright(fit: Fit) -> int:
    """Count the saturated pixels where the fit expects a good share of the full scale."""
    facts = fit.image.facts
    rows, columns, _ = fit.bins.at(fit.image.saturated, fit.image.shape[1])
    at = fit.bins.bin_of(rows, columns)
    bright = (fit.mean[at] / fit.bins.pixels[at]) > FULL_SHARE * (
        facts.saturation - facts.offset
    ) * facts.gain
    return int(np.count_nonzero(bright))


def faint_fringe(fit: Fit, fringe: Fringe, proven: bool, expected: Wavevector | None) -> list[str]:
    """The fitted contrast must stand out as the Fourier peak had to.

    Less where it is certain that there is one.
    """
    if fringe.contrast not in fit.names:
        return []
    score = abs(fit.values[fringe.contrast]) / sigma_of(fit, fringe.contrast)
    wanted = PREDICTED_SIGMA if proven or _as_expected(fit, fringe, expected) else FREE_SEARCH_SIGMA
    words = f"no fringe: {score:.1f} standard errors, wanted more than {wanted:g}"
    return [] if score > wanted else [words]


def _as_expected(fit: Fit, fringe: Fringe, expected: Wavevector | None) -> bool:
    if expected is None:
        return False
    return min(_branch_distances(fit, fringe, expected)) < PREDICTED_WITHIN


def _branch_distances(fit: Fit, fringe: Fringe, expected: Wavevector) -> list[float]:
    """Return how far both branches lie from the prediction, in standard errors."""
    kappa = _kappa(fit, fringe)
    return [_distance_sigma(fit, fringe, s * kappa, np.array(expected)) for s in (1.0, -1.0)]


def _ambiguous(fit: Fit, model: FitModel, fringe: Fringe, expected: Wavevector | None) -> list[str]:
    if expected is None:
        return []
    layout = model.layout(fit.values, fit.image.shape, fit.image.facts.object_pixel_m)
    if layout is not None and layout.radians < BRANCH_RADIANS:
        return [
            f"branch ambiguous: {layout.radians:.2f} radians across a width, wanted "
            f"{BRANCH_RADIANS:g}"
        ]
    near = max(_branch_distances(fit, fringe, expected)) < BRANCH_SIGMA
    words = f"branch ambiguous: both lie within {BRANCH_SIGMA:g} standard errors of the prediction"
    return [words] if near else []


def _kappa(fit: Fit, fringe: Fringe) -> Array:
    return np.array([fit.values[fringe.horizontal], fit.values[fringe.vertical]])


def _distance_sigma(fit: Fit, fringe: Fringe, kappa: Array, expected: Array) -> float:
    names = (fringe.horizontal, fringe.vertical)
    if not set(names) <= set(fit.names):
        return math.inf
    away = kappa - expected
    return math.sqrt(max(0.0, float(away @ np.linalg.solve(part_of(fit, names), away))))


def _about_fringe(terms: Parameters, fringe: Fringe | None) -> bool:
    return fringe is not None and any(name in terms for name in fringe.names)


def _disagrees(about: str, sigma: float) -> str:
    return f"disagreement with the second estimator: {about} by {sigma:.1f} standard errors"
