"""What of a fit may be used, and why not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from magis_calib.domain.config import Camera
from magis_calib.domain.estimate import Array
from magis_calib.estimation.fit import Fit
from magis_calib.estimation.guess import Cloud
from magis_calib.estimation.model import FRINGE, PORTS, WIDTHS
from magis_calib.imaging.electrons import Electrons

NO_CLOUD_SIGMA = 6.0
EDGE_WIDTHS = 2.0
"""A port centre closer than this to the frame's edge is cut by it."""
FRINGE_RADIANS = 2.0
"""Below this |κ·width| contrast and phase cannot be told from the envelope."""
BRANCH_SIGMA = 5.0
CHI2_SIGMA, CHI2_SLACK = 6.0, 0.15
"""Chi-square per degree of freedom may miss 1 by 6 of its standard deviations and, on top, by 15 %."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be used of one view."""

    usable_quantities: tuple[str, ...]
    reasons: tuple[str, ...]


def judge(fit: Fit, cloud: Cloud, image: Electrons, camera: Camera, expected: tuple[float, float] | None) -> Verdict:
    """Judge a fit in standard form. `expected` is the predicted wavevector in the loop, None offline."""
    fatal = _spoils_all(fit, cloud, image)
    if fatal:
        return Verdict((), tuple(fatal))
    quantities = ["position", "atoms", "width"]
    if camera.model == "two_port":
        return Verdict(tuple(quantities), ())
    reasons = _spoils_fringe(fit, expected)
    if "phase_rad" in fit.names:
        quantities += ["fringe", "contrast"]
        if not reasons:
            quantities.append("phase")
    return Verdict(tuple(quantities), tuple(reasons))


def _spoils_all(fit: Fit, cloud: Cloud, image: Electrons) -> list[str]:
    reasons = []
    if not fit.converged:
        reasons.append("not converged")
    if not cloud.significance > NO_CLOUD_SIGMA:
        reasons.append(f"no cloud: {cloud.significance:.1f} standard errors, wanted more than {NO_CLOUD_SIGMA:g}")
    if image.saturated_px:
        reasons.append(f"saturated: {image.saturated_px} neighbouring pixels at {image.facts.saturation} counts")
    reasons += _cut_by_edge(fit, image)
    room = CHI2_SIGMA * math.sqrt(2.0 / max(1, fit.judged_bins)) + CHI2_SLACK
    if not abs(fit.chi2_per_dof - 1.0) <= room:
        reasons.append(f"chi-square {fit.chi2_per_dof:.2f} out of range 1 ± {room:.2f}")
    return reasons


def _cut_by_edge(fit: Fit, image: Electrons) -> list[str]:
    rows, columns = image.shape
    half_u, half_v = (size * image.facts.object_pixel_m / 2.0 for size in (columns, rows))
    reasons = []
    for port, (_, horizontal, vertical) in PORTS.items():
        room_u = half_u - abs(fit.values[horizontal]) - EDGE_WIDTHS * fit.values[WIDTHS[0]]
        room_v = half_v - abs(fit.values[vertical]) - EDGE_WIDTHS * fit.values[WIDTHS[1]]
        if not min(room_u, room_v) > 0:
            reasons.append(f"cut by the edge: port {port} at ({fit.values[horizontal] * 1e3:.2f}, "
                           f"{fit.values[vertical] * 1e3:.2f}) mm")  # fmt: skip
    return reasons


def _spoils_fringe(fit: Fit, expected: tuple[float, float] | None) -> list[str]:
    if "phase_rad" not in fit.names:
        return ["no fringe"]
    kappa = np.array([fit.values[name] for name in FRINGE[:2]])
    radians = math.hypot(kappa[0] * fit.values[WIDTHS[0]], kappa[1] * fit.values[WIDTHS[1]])
    if expected is None:
        return []
    if radians < FRINGE_RADIANS:
        return [f"branch ambiguous: {radians:.2f} radians across a width, wanted {FRINGE_RADIANS:g}"]
    if all(_distance_sigma(fit, sign * kappa, np.array(expected)) < BRANCH_SIGMA for sign in (1.0, -1.0)):
        return [f"branch ambiguous: both lie within {BRANCH_SIGMA:g} standard errors of the prediction"]
    return []


def _distance_sigma(fit: Fit, kappa: Array, expected: Array) -> float:
    at = [fit.names.index(name) for name in FRINGE[:2]]
    away = kappa - expected
    return math.sqrt(max(0.0, float(away @ np.linalg.solve(fit.covariance[np.ix_(at, at)], away))))
