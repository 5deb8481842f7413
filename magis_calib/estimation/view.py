"""One view: from its image to a `ViewEstimate`, with a verdict on what may be used."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import lmfit
import numpy as np

from magis_calib.config.station import Camera
from magis_calib.domain.camera import Frame
from magis_calib.domain.errors import FitError
from magis_calib.domain.estimate import NAN, Value, ViewEstimate
from magis_calib.estimation.covariance import part_of
from magis_calib.estimation.diagnostics import diagnostics
from magis_calib.estimation.fit import Fit, fit_image
from magis_calib.estimation.model import FitModel, Start, Wavevector
from magis_calib.estimation.models import model_for
from magis_calib.estimation.port import PORTS
from magis_calib.estimation.two_port import TwoPort, displacements_of
from magis_calib.estimation.verdict import FitVerdict, faint_fringe, judge
from magis_calib.imaging.electrons import Electrons, Mask, to_electrons


@dataclass(frozen=True, slots=True)
class Expected:
    """The wavevector the setpoints in force should give (horizontal, vertical), rad/m.

    It decides the branch.
    """

    wavevector: Wavevector


def estimate_view(
    frame: Frame, camera: Camera, expected: Expected | None = None, defects: Mask | None = None
) -> ViewEstimate:
    """Fit the view of a frame: `to_electrons`, then `estimate_image`."""
    return estimate_image(to_electrons(frame, defects), camera, expected, frame.header.drop_id)


def estimate_image(
    image: Electrons, camera: Camera, expected: Expected | None = None, drop_id: int = 0
) -> ViewEstimate:
    """Fit one view; bad light is no error, but an estimate with reasons and NaN.

    `expected` decides between (κ, φ) and (-κ, -φ), which are the same image; without it the
    configured direction does. Raises `ConfigError` where the camera's model or its rules cannot be
    used.
    """
    return _attempt(image, camera, expected, drop_id)[0]


def estimate_with_report(
    image: Electrons, camera: Camera, expected: Expected | None = None
) -> tuple[ViewEstimate, str]:
    """As `estimate_image`, and lmfit's report of the fit, or the reason why there is none."""
    estimate, fit = _attempt(image, camera, expected, 0)
    return estimate, lmfit.fit_report(fit.result) if fit else "; ".join(estimate.reasons)


def _attempt(
    image: Electrons, camera: Camera, expected: Expected | None, drop_id: int
) -> tuple[ViewEstimate, Fit | None]:
    model = model_for(camera)
    predicted = expected.wavevector if expected else None
    try:
        start, fit = _fitted(image, camera, model, predicted)
        verdict = judge(fit, model, start, predicted)
    except (FitError, ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        return _nothing(image, camera, drop_id, str(error)), None
    return _told(fit, verdict, model, start, predicted, drop_id), fit


def _fitted(
    image: Electrons, camera: Camera, model: FitModel, expected: Wavevector | None
) -> tuple[Start, Fit]:
    """Fit from one start after the other until what the start supposed comes out of its fit."""
    if image.blinded:
        raise FitError(image.blinded)
    start = model.guess(image, expected)
    fit = fit_image(image, model, start, camera.parameters)
    while start.otherwise and not _stands(fit, model, start, expected):
        start = start.otherwise()
        fit = fit_image(image, model, start, camera.parameters)
    return start, fit


def _stands(fit: Fit, model: FitModel, start: Start, expected: Wavevector | None) -> bool:
    """Whether the fringe that this start supposed came out of its fit."""
    if not fit.converged or model.fringe is None:
        return fit.converged
    return start.proven or not faint_fringe(fit, model.fringe, start.proven, expected)


def _told(
    fit: Fit,
    verdict: FitVerdict,
    model: FitModel,
    start: Start,
    expected: Wavevector | None,
    drop_id: int,
) -> ViewEstimate:
    values, turn = model.standard_form(dict(fit.values), fit.names, expected)
    fit = replace(fit, values=values, covariance=turn @ fit.covariance @ turn.T)
    told = diagnostics(fit, model) if isinstance(model, TwoPort) and fit.converged else {}
    parameters = _parameters(fit, [name for name in model.parameters if name not in start.absent])
    return ViewEstimate(
        model.camera.view,
        drop_id,
        model.name,
        parameters,
        fit.names,
        fit.covariance,
        "position" in verdict.usable_quantities,
        verdict.usable_quantities,
        verdict.reasons,
        fit.chi2_per_dof,
        _atoms(fit),
        verdict.saturated_px,
        int(fit.image.bad.size),
        fit.evaluations,
        displacements_of(model.camera),
        verdict.disagreement_sigma,
        told,
        model.measurements(fit.image.facts),
        fit.image.left_out,
        not fit.image.noise_known,
    )


def _parameters(fit: Fit, names: list[str]) -> dict[str, Value]:
    """Return these parameters with their standard errors, NaN for those that were held."""
    errors = dict(zip(fit.names, np.sqrt(np.diag(fit.covariance)).tolist(), strict=True))
    return {name: Value(fit.values[name], errors.get(name, NAN)) for name in names}


def _atoms(fit: Fit) -> Value:
    """Atoms in both ports: electrons / excess, where an atom is known to give so many."""
    per_atom = fit.image.facts.excess
    names = [PORTS[port][0] for port in PORTS]
    if per_atom <= 0 or not set(names) <= set(fit.names):
        return Value()
    variance = float(part_of(fit, names).sum())
    electrons = sum(fit.values[name] for name in names)
    return Value(electrons / per_atom, math.sqrt(max(variance, 0.0)) / per_atom)


def _nothing(image: Electrons, camera: Camera, drop_id: int, reason: str) -> ViewEstimate:
    left_out = image.left_out
    return ViewEstimate(
        camera.view,
        drop_id,
        camera.model,
        {},
        (),
        np.empty((0, 0)),
        False,
        (),
        (reason,),
        NAN,
        Value(),
        left_out.saturated_px,
        left_out.saturated_px + left_out.masked_px,
        0,
        displacements_of(camera),
        left_out=left_out,
    )
