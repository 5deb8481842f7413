"""Both views of a drop as one station estimate: generalised least squares, the common atoms included."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from magis_calib.domain.camera import View
from magis_calib.domain.estimate import NAN, Array, StationEstimate, Value, ViewEstimate
from magis_calib.domain.quantities import DIAGNOSTICS, OBSERVABLES, wrap_phase
from magis_calib.estimation.model import FRINGE, PORTS, WIDTHS

HORIZONTAL: dict[View, str] = {"x": "x_m", "y": "y_m"}


@dataclass(frozen=True, slots=True)
class _Row:
    """One measured number of one view and the observable it measures."""

    view: View
    parameter: str
    observable: str
    offset: float
    """What to take away: the port's nominal displacement."""


def combine(views: Mapping[View, ViewEstimate]) -> StationEstimate:
    """Return the station estimate of one drop from its views (at least one)."""
    drop_id = next(iter(views.values())).drop_id
    rows = [row for view in views.values() for row in _rows(view)]
    names = [name for name in OBSERVABLES if any(row.observable == name for row in rows)]
    values, stderr = (dict.fromkeys((*OBSERVABLES, *DIAGNOSTICS), NAN) for _ in range(2))
    covariance = np.full((6, 6), np.nan)
    if rows:
        solution, solved = _solve(rows, names, views)
        at = [list(OBSERVABLES).index(name) for name in names]
        covariance[np.ix_(at, at)] = solved
        for place, name in enumerate(names):
            values[name] = wrap_phase(solution[place]) if name == "phase_rad" else float(solution[place])
            stderr[name] = math.sqrt(solved[place, place])
    for name, found in _diagnostics(views).items():
        values[name], stderr[name] = found.value, found.stderr
    reasons = tuple(f"view {view.view}: {reason}" for view in views.values() for reason in view.reasons)
    return StationEstimate(drop_id, values, stderr, covariance, bool(rows), reasons, dict(views))


def _rows(view: ViewEstimate) -> list[_Row]:
    """What this view measures of the observables. A view y never measures the fringe along x."""
    rows = []
    if "position" in view.usable_quantities:
        for port, (_, horizontal, vertical) in PORTS.items():
            right, up = view.displacements[port]
            rows.append(_Row(view.view, horizontal, HORIZONTAL[view.view], right))
            rows.append(_Row(view.view, vertical, "z_m", up))
    if "fringe" in view.usable_quantities:
        if view.view == "x":
            rows.append(_Row("x", FRINGE[0], "fringe_x_rad_per_m", 0.0))
        rows.append(_Row(view.view, FRINGE[1], "fringe_z_rad_per_m", 0.0))
    if "phase" in view.usable_quantities:
        rows.append(_Row(view.view, "phase_rad", "phase_rad", 0.0))
    return rows


def _solve(rows: list[_Row], names: list[str], views: Mapping[View, ViewEstimate]) -> tuple[Array, Array]:
    measured = np.array([views[row.view].value(row.parameter) - row.offset for row in rows])
    design = np.array([[float(row.observable == name) for name in names] for row in rows])
    covariance = _joint_covariance(rows, views)
    scale = np.sqrt(np.diag(covariance))
    whitener = np.linalg.inv(np.linalg.cholesky(covariance / np.outer(scale, scale)))
    white_design = whitener @ (design / scale[:, None])
    unit = np.linalg.norm(white_design, axis=0)
    solved = np.linalg.inv((white_design / unit).T @ (white_design / unit)) / np.outer(unit, unit)
    solution = solved @ white_design.T @ (whitener @ (measured / scale))
    return solution, solved


def _joint_covariance(rows: list[_Row], views: Mapping[View, ViewEstimate]) -> Array:
    """Covariance of all rows: each view's own, and width²/atoms between the heights of one port in two views."""
    covariance = np.zeros((len(rows), len(rows)))
    for i, one in enumerate(rows):
        for j, other in enumerate(rows):
            if one.view == other.view:
                names, whole = views[one.view].names, views[one.view].covariance
                covariance[i, j] = whole[names.index(one.parameter), names.index(other.parameter)]
            elif one.parameter == other.parameter and one.observable == "z_m":
                covariance[i, j] = _common_height(one.parameter, views)
    return covariance


def _common_height(parameter: str, views: Mapping[View, ViewEstimate]) -> float:
    """Variance of a port's height that both views share because they see the same atoms: width²/atoms."""
    port = next(name for name, parts in PORTS.items() if parameter in parts)
    shared = []
    for view in views.values():
        electrons = view.value(PORTS[port][0])
        total = sum(view.value(PORTS[name][0]) for name in PORTS)
        atoms = view.atoms.value * electrons / total
        shared.append(view.value(WIDTHS[1]) ** 2 / atoms if atoms > 0 else 0.0)
    return min(shared)


def _diagnostics(views: Mapping[View, ViewEstimate]) -> dict[str, Value]:
    """Means over the views; what the common atoms scatter by themselves does not average out."""
    usable = {name: view for name, view in views.items() if view.usable}
    atoms = min((view.atoms.value for view in usable.values() if view.atoms.value > 0), default=math.inf)
    found = {"atoms": _mean([view.atoms for view in usable.values()], atoms if atoms < math.inf else 0.0)}
    found["port_fraction"] = _mean([_port_fraction(view) for view in usable.values()], 0.25 / atoms)
    found["contrast"] = _mean([v.parameters["contrast"] for v in usable.values() if "contrast" in v.usable_quantities])
    heights = [view.parameters[WIDTHS[1]] for view in usable.values()]
    found["width_z_m"] = _mean(heights, heights[0].value ** 2 / (2.0 * atoms) if heights else 0.0)
    for name, view in usable.items():
        found[f"width_{name}_m"] = view.parameters[WIDTHS[0]]
    return found


def _port_fraction(view: ViewEstimate) -> Value:
    """Port a over both, with the error from the covariance of the two."""
    names = [PORTS[port][0] for port in PORTS]
    a, b = (view.value(name) for name in names)
    at = [view.names.index(name) for name in names]
    slope = np.array([b, -a]) / (a + b) ** 2
    variance = float(slope @ view.covariance[np.ix_(at, at)] @ slope)
    return Value(a / (a + b), math.sqrt(max(variance, 0.0)))


def _mean(values: list[Value], shared_variance: float = 0.0) -> Value:
    """Mean weighted by the standard errors, of which `shared_variance` is common to all of the values."""
    known = [value for value in values if math.isfinite(value.value) and value.stderr > 0]
    if not known:
        return Value()
    weights = np.array([value.stderr**-2 for value in known])
    weights /= weights.sum()
    own = np.array([max(value.stderr**2 - shared_variance, 0.0) for value in known])
    mean = float(weights @ [value.value for value in known])
    return Value(mean, math.sqrt(float(weights**2 @ own) + shared_variance))
