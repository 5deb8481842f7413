"""One view: from its frame to a `ViewEstimate`, with a verdict on what may be used."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from magis_calib.domain.camera import Frame
from magis_calib.domain.config import Camera
from magis_calib.domain.errors import FitError
from magis_calib.domain.estimate import NAN, Value, ViewEstimate
from magis_calib.domain.quantities import wrap_phase
from magis_calib.estimation.fit import Fit, fit_view
from magis_calib.estimation.guess import FREE_SEARCH_SIGMA, Cloud, Fringe, find_cloud, find_fringe
from magis_calib.estimation.model import FRINGE, PORTS, WIDTHS, Displacements
from magis_calib.estimation.verdict import judge
from magis_calib.imaging.electrons import Electrons, Mask, to_electrons

Wavevector = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Expected:
    """The wavevector the setpoints in force should give (horizontal, vertical), rad/m; it decides the branch."""

    wavevector: Wavevector


def displacements_of(camera: Camera) -> Displacements:
    """Return the nominal places of the ports in this camera's view."""
    return {"a": camera.port_a_displacement_m, "b": camera.port_b_displacement_m}


def estimate_view(
    frame: Frame, camera: Camera, expected: Expected | None = None, defects: Mask | None = None
) -> ViewEstimate:
    """Fit the view of a frame: `to_electrons`, then `estimate_image`."""
    return estimate_image(to_electrons(frame, defects), camera, expected, frame.header.drop_id)


def estimate_image(
    image: Electrons, camera: Camera, expected: Expected | None = None, drop_id: int = 0
) -> ViewEstimate:
    """Fit one view. Never raises on bad light: an image without an answer is an estimate with reasons and NaN.

    `expected` decides between (κ, φ) and (-κ, -φ), which are the same image; without it the configured direction does.
    """
    displacements = displacements_of(camera)
    try:
        cloud = find_cloud(image, displacements)
        fringe = find_fringe(image, cloud, displacements) if camera.model == "two_port_fringe" else None
        model = "two_port_fringe" if fringe and fringe.score > FREE_SEARCH_SIGMA else "two_port"
        start = _start(cloud, fringe if model == "two_port_fringe" else None)
        fit = fit_view(image, model, start, cloud, displacements)
    except (FitError, ValueError, FloatingPointError, np.linalg.LinAlgError) as error:
        return _nothing(image, camera, drop_id, str(error))
    fit = _standard_form(fit, camera, expected)
    verdict = judge(fit, cloud, image, camera, expected.wavevector if expected else None)
    errors = np.sqrt(np.diag(fit.covariance))
    parameters = {name: Value(fit.values[name], float(e)) for name, e in zip(fit.names, errors, strict=True)}
    return ViewEstimate(
        camera.view,
        drop_id,
        model,
        parameters,
        fit.names,
        fit.covariance,
        "position" in verdict.usable_quantities,
        verdict.usable_quantities,
        verdict.reasons,
        fit.chi2_per_dof,
        _atoms(fit, image),
        image.saturated_px,
        int(image.bad.size),
        fit.evaluations,
        displacements,
    )


def _start(cloud: Cloud, fringe: Fringe | None) -> dict[str, float]:
    start = {
        "background_electrons_per_px": cloud.background,
        "background_gradient_horizontal": 0.0,
        "background_gradient_vertical": 0.0,
        WIDTHS[0]: cloud.width_horizontal_m,
        WIDTHS[1]: cloud.width_vertical_m,
    }
    for port, (electrons, horizontal, vertical) in PORTS.items():
        start[electrons] = cloud.electrons[port]
        start[horizontal] = cloud.horizontal_m[port]
        start[vertical] = cloud.vertical_m[port]
    if fringe is not None:
        found = (fringe.horizontal_rad_per_m, fringe.vertical_rad_per_m, fringe.contrast, fringe.phase_rad)
        start.update(zip(FRINGE, found, strict=True))
    return start


def _standard_form(fit: Fit, camera: Camera, expected: Expected | None) -> Fit:
    """Return the same image written as the contract asks: widths and contrast >= 0, phase wrapped, branch chosen."""
    values, signs = dict(fit.values), np.ones(len(fit.names))
    for name in WIDTHS:
        values[name], signs[fit.names.index(name)] = abs(values[name]), math.copysign(1.0, values[name])
    if "phase_rad" in values:
        if values["contrast"] < 0:
            values["contrast"], values["phase_rad"] = -values["contrast"], values["phase_rad"] + math.pi
            signs[fit.names.index("contrast")] = -1.0
        if _branch(values, camera, expected) < 0:
            for name in (FRINGE[0], FRINGE[1], "phase_rad"):
                values[name] = -values[name]
                signs[fit.names.index(name)] = -1.0
        values["phase_rad"] = wrap_phase(values["phase_rad"])
    covariance = fit.covariance * np.outer(signs, signs)
    return Fit(values, fit.names, covariance, fit.converged, fit.chi2_per_dof, fit.judged_bins, fit.evaluations)


def _branch(values: dict[str, float], camera: Camera, expected: Expected | None) -> float:
    kappa = (values[FRINGE[0]], values[FRINGE[1]])
    towards = expected.wavevector if expected is not None else camera.expected_fringe
    return kappa[0] * towards[0] + kappa[1] * towards[1]


def _atoms(fit: Fit, image: Electrons) -> Value:
    """Atoms in both ports: electrons / excess, where the camera says how many electrons an atom gives."""
    per_atom = image.facts.excess
    if per_atom <= 0:
        return Value()
    names = [PORTS[port][0] for port in PORTS]
    rows = [fit.names.index(name) for name in names]
    variance = float(fit.covariance[np.ix_(rows, rows)].sum())
    return Value(sum(fit.values[name] for name in names) / per_atom, math.sqrt(max(variance, 0.0)) / per_atom)


def _nothing(image: Electrons, camera: Camera, drop_id: int, reason: str) -> ViewEstimate:
    empty = np.empty((0, 0))
    return ViewEstimate(
        camera.view, drop_id, camera.model, {}, (), empty, False, (), (reason,), NAN, Value(),
        image.saturated_px, int(image.bad.size), 0, displacements_of(camera),
    )  # fmt: skip
