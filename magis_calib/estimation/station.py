"""Both views of a drop as one station estimate: least squares with the common atoms."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from magis_calib.domain.camera import VIEWS, View
from magis_calib.domain.estimate import (
    NAN,
    Array,
    Measurement,
    StationEstimate,
    Value,
    ViewEstimate,
)
from magis_calib.domain.quantities import DIAGNOSTICS, OBSERVABLES, wrap_phase
from magis_calib.estimation.averages import station_diagnostics, weighted_mean
from magis_calib.estimation.port import PORTS, WIDTHS

TORN_SIGMA = 6.0
"""Views that differ by more in one observable are not combined: nobody knows which one is right."""

OBSERVED: dict[tuple[View, str], str] = {
    ("x", "horizontal_m"): "x_m",
    ("y", "horizontal_m"): "y_m",
    ("x", "vertical_m"): "z_m",
    ("y", "vertical_m"): "z_m",
    ("x", "fringe_horizontal_rad_per_m"): "fringe_x_rad_per_m",
    ("x", "fringe_vertical_rad_per_m"): "fringe_z_rad_per_m",
    ("y", "fringe_vertical_rad_per_m"): "fringe_z_rad_per_m",
    ("x", "phase_rad"): "phase_rad",
    ("y", "phase_rad"): "phase_rad",
}
"""What a view tells the station. The wavevector along y only corrects the phase."""
EXCHANGED_CHI2 = 10.0
"""A fringe in a view whose model has none gives a hundred; every other flaw gave less than 3."""
NEEDS = {"horizontal_m": "position", "vertical_m": "position", "phase_rad": "phase"}
"""Quantity that must be usable; "fringe" for the others."""


@dataclass(frozen=True, slots=True)
class Row:
    """One measured number (SI) of one view and the observable it measures."""

    view: View
    observable: str
    terms: Mapping[str, float]
    value: float
    extra_variance: float = 0.0
    """Beyond what the covariance of the view says."""


def combine(views: Mapping[View, ViewEstimate]) -> StationEstimate:
    """Return the station estimate of one drop from its views (at least one)."""
    drop_id = next(iter(views.values())).drop_id
    rows = [row for view in views.values() for row in _rows(view, views)]
    chi2, dof, torn = between_views(rows, views)
    if exchanged := _exchanged(views):
        torn = {"exchanged": exchanged}
    rows = [] if exchanged else [row for row in rows if row.observable not in torn]
    found, covariance = _observed(rows, views)
    found |= station_diagnostics(views)
    return StationEstimate(
        drop_id,
        {name: one.value for name, one in found.items()},
        {name: one.stderr for name, one in found.items()},
        covariance,
        bool(rows),
        (*_reasons(views), *torn.values()),
        dict(views),
        chi2,
        dof,
    )


def _reasons(views: Mapping[View, ViewEstimate]) -> list[str]:
    return [f"view {view.view}: {reason}" for view in views.values() for reason in view.reasons]


def _observed(
    rows: list[Row], views: Mapping[View, ViewEstimate]
) -> tuple[dict[str, Value], Array]:
    """Return what the rows tell, NaN where nothing, and the covariance of all six observables."""
    found = dict.fromkeys((*OBSERVABLES, *DIAGNOSTICS), Value())
    covariance = np.full((6, 6), np.nan)
    if not rows:
        return found, covariance
    names = [name for name in OBSERVABLES if any(row.observable == name for row in rows)]
    solution, solved = _solve(rows, names, views)
    at = [list(OBSERVABLES).index(name) for name in names]
    covariance[np.ix_(at, at)] = solved
    for place, name in enumerate(names):
        value = wrap_phase(solution[place]) if name == "phase_rad" else float(solution[place])
        found[name] = Value(value, math.sqrt(solved[place, place]))
    return found, covariance


def _exchanged(views: Mapping[View, ViewEstimate]) -> str:
    """Say that the pictures look exchanged: no fringe in the one, no cloud in the other."""
    for view, other in ((views.get("x"), views.get("y")), (views.get("y"), views.get("x"))):
        if view is None or other is None or not view.usable or other.usable:
            continue
        if _misses_its_fringe(view) and other.chi2_per_dof > EXCHANGED_CHI2:
            return (
                f"the pictures look exchanged: no fringe in view {view.view}, and chi-square "
                f"{other.chi2_per_dof:.0f} in view {other.view}, which has none"
            )
    return ""


def _misses_its_fringe(view: ViewEstimate) -> bool:
    """Whether a view that should tell a wavevector does not."""
    fringed = any(
        one.told.startswith("fringe_") and (view.view, one.told) in OBSERVED
        for one in view.measurements
    )
    return fringed and "fringe" not in view.usable_quantities


def between_views(
    rows: list[Row], views: Mapping[View, ViewEstimate]
) -> tuple[float, int, dict[str, str]]:
    """Return chi-square and degrees of freedom of what both views measure, and who disagrees."""
    chi2 = 0.0
    dof = 0
    torn = {}
    for name in ("z_m", "fringe_z_rad_per_m", "phase_rad"):
        apart = _apart(rows, name)
        names = sorted({row.observable for row in apart})
        if len(names) < len(VIEWS):
            continue
        (one, other), solved = _solve(apart, names, views)
        variance = float(solved[0, 0] + solved[1, 1] - 2.0 * solved[0, 1])
        away = wrap_phase(one - other) if name == "phase_rad" else float(one - other)
        chi2 = chi2 + away**2 / variance
        dof = dof + 1
        if away**2 > TORN_SIGMA**2 * variance:
            torn[name] = _disagreement(name, away, math.sqrt(variance))
    return (chi2, dof, torn) if dof else (NAN, 0, {})


def _apart(rows: list[Row], name: str) -> list[Row]:
    """Return the rows of one observable as if each view measured another one."""
    return [
        replace(row, observable=f"{name}, view {row.view}")
        for row in rows
        if row.observable == name
    ]


def _disagreement(name: str, away: float, sigma: float) -> str:
    shown = OBSERVABLES[name]
    return (
        f"the views disagree: {shown.label} by {shown.with_unit(away)}, "
        f"{abs(away) / sigma:.1f} standard errors"
    )


def _rows(view: ViewEstimate, views: Mapping[View, ViewEstimate]) -> list[Row]:
    """What this view measures of the observables."""
    rows = []
    for one in view.measurements:
        observable = OBSERVED.get((view.view, one.told))
        usable = NEEDS.get(one.told, "fringe") in view.usable_quantities
        if observable is None or not usable or not _is_measured(one, view):
            continue
        value = _value(one, view)
        along, extra = _line_of_sight(view, views) if one.told == "phase_rad" else (0.0, 0.0)
        rows.append(Row(view.view, observable, one.terms, value - along, extra))
    return rows


def _line_of_sight(view: ViewEstimate, views: Mapping[View, ViewEstimate]) -> tuple[float, float]:
    """Return κ·μ along the line of sight and its variance; 0 where the other view lacks one."""
    other = views.get("y" if view.view == "x" else "x")
    if other is None or not {"fringe", "position"} <= set(other.usable_quantities):
        return 0.0, 0.0
    kappa, place = (_one(other, told) for told in ("fringe_horizontal_rad_per_m", "horizontal_m"))
    if kappa is None or place is None:
        return 0.0, 0.0
    variance = (place.value * kappa.stderr) ** 2 + (kappa.value * place.stderr) ** 2
    return kappa.value * place.value, variance


def _is_measured(one: Measurement, view: ViewEstimate) -> bool:
    """Whether the fit had all parameters that this is made of."""
    return set(one.terms) <= set(view.names)


def _value(one: Measurement, view: ViewEstimate) -> float:
    return sum(part * view.value(name) for name, part in one.terms.items()) - one.offset


def _one(view: ViewEstimate, told: str) -> Value | None:
    """Return the weighted mean of what a view tells of one thing."""
    found = [
        Value(_value(one, view), math.sqrt(_covariance(one.terms, one.terms, view)))
        for one in view.measurements
        if one.told == told and _is_measured(one, view)
    ]
    return weighted_mean(found) if found else None


def _solve(
    rows: list[Row], names: list[str], views: Mapping[View, ViewEstimate]
) -> tuple[Array, Array]:
    measured = np.array([row.value for row in rows])
    if "phase_rad" in names:
        measured = _near_each_other(measured, [row.observable == "phase_rad" for row in rows])
    design = np.array([[float(row.observable == name) for name in names] for row in rows])
    covariance = _joint_covariance(rows, views)
    scale = np.sqrt(np.diag(covariance))
    whitener = np.linalg.inv(np.linalg.cholesky(covariance / np.outer(scale, scale)))
    white_design = whitener @ (design / scale[:, None])
    unit = np.linalg.norm(white_design, axis=0)
    solved = np.linalg.inv((white_design / unit).T @ (white_design / unit)) / np.outer(unit, unit)
    solution = solved @ white_design.T @ (whitener @ (measured / scale))
    return solution, solved


def fringe_y(station: StationEstimate) -> Value:
    """Return the wavevector along y (rad/m), which only a fringe in view y tells, as in a z-shear.

    Else NaN.
    """
    view = station.views.get("y")
    if view is None or "fringe" not in view.usable_quantities:
        return Value()
    return _one(view, "fringe_horizontal_rad_per_m") or Value()


def _near_each_other(measured: Array, is_phase: list[bool]) -> Array:
    """Return the numbers with all phases within π of the first one."""
    measured = measured.copy()
    at = np.flatnonzero(is_phase)
    for place in at[1:]:
        measured[place] = measured[at[0]] + wrap_phase(measured[place] - measured[at[0]])
    return measured


def _joint_covariance(rows: list[Row], views: Mapping[View, ViewEstimate]) -> Array:
    """Covariance of all rows: each view's own, and of the heights of one port in both views."""
    covariance = np.zeros((len(rows), len(rows)))
    for i, one in enumerate(rows):
        for j, other in enumerate(rows):
            if one.view == other.view:
                covariance[i, j] = _covariance(one.terms, other.terms, views[one.view])
            elif one.terms == other.terms and one.observable.startswith("z_m"):
                covariance[i, j] = _common_height(next(iter(one.terms)), views)
        covariance[i, i] += one.extra_variance
    return covariance


def _covariance(one: Mapping[str, float], other: Mapping[str, float], view: ViewEstimate) -> float:
    """Covariance of two linear combinations of a view's parameters."""
    at = view.names.index
    return float(
        sum(
            a * b * view.covariance[at(first), at(second)]
            for first, a in one.items()
            for second, b in other.items()
        )
    )


def _common_height(parameter: str, views: Mapping[View, ViewEstimate]) -> float:
    """Variance of a port's height that both views share, who see the same atoms: width²/atoms."""
    port = next((name for name, parts in PORTS.items() if parameter in parts), None)
    if port is None:
        return 0.0
    return min(_height_variance(view, PORTS[port][0]) for view in views.values())


def _height_variance(view: ViewEstimate, electrons: str) -> float:
    """Variance of the mean height of the atoms in the port with these electrons."""
    total = sum(view.value(PORTS[name][0]) for name in PORTS)
    atoms = view.atoms.value * view.value(electrons) / total
    return view.value(WIDTHS[1]) ** 2 / atoms if atoms > 0 else 0.0
