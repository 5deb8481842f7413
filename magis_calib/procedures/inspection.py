"""Looks at what is there without a move: atoms, cameras' geometry, stability, tolerance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from magis_calib.domain.camera import VIEWS, View
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.estimate import Array, Value, ViewEstimate
from magis_calib.domain.quantities import OBSERVABLES, wrap_error
from magis_calib.procedures.gains import DRIFTS, weighed
from magis_calib.procedures.protocol import (
    Procedure,
    ProcedureResult,
    Request,
    StartingPoint,
    over_drops,
)
from magis_calib.state.procedure import Axes
from magis_calib.state.statistics import allan_deviation

FEWEST = 8


def drift_and_jitter(values: Array) -> tuple[float | None, float | None]:
    """Return standard deviations of the random walk's step per drop, and of white noise.

    By restricted maximum likelihood over their ratio, as for measured gains. None for fewer than 8
    values.
    """
    if len(values) < FEWEST:
        return None, None
    times = np.arange(len(values), dtype=float)
    walk = np.minimum.outer(times, times)
    design = np.ones((len(values), 1))
    tried = [
        (weighed(values, design, np.eye(len(values)) + ratio**2 * walk), ratio) for ratio in DRIFTS
    ]
    (_, _, _, residual), ratio = max(tried, key=lambda one: one[0][0])
    jitter = float(np.sqrt(residual @ residual / (len(values) - 1)))
    return float(ratio * jitter), jitter


def allan_by_length(values: Array) -> dict[str, float]:
    """Return the overlapping Allan deviation by the number of drops averaged: 1, 2, 4, …"""
    found = allan_deviation(values)
    return {
        str(length): float(one) for length, one in zip(found.lengths, found.deviations, strict=True)
    }


LEAST_STABLE_DROPS = 60


def atoms(place: StartingPoint, minimum: float = 1e5, drops: int = 3) -> Procedure:
    """Are there enough atoms, and no saturated pixels?"""
    records = yield Request({}, "atoms and counts", drops, curves=(Axes("atoms"),))
    counts = [record.estimate.values["atoms"] for record in records]
    saturated = sum(
        view.saturated_px for record in records for view in record.estimate.views.values()
    )
    mean = float(np.nanmean(counts)) if np.isfinite(counts).any() else math.nan
    product = {"atoms": mean, "saturated_px": saturated, "minimum": minimum}
    if not mean >= minimum:
        return ProcedureResult(
            False,
            f"too few atoms: {mean:.3g}, wanted at least {minimum:.3g}: is the source on?",
            product,
        )
    return ProcedureResult(True, f"{mean:.3g} atoms, {saturated} saturated pixels", product)


def cameras(
    place: StartingPoint,
    drops: int = 5,
    most_roll_rad: float = 2e-3,
    most_magnification_error: float = 0.02,
) -> Procedure:
    """Orientation, roll and magnification of each view, from where the two ports lie."""
    records = yield Request({}, "camera orientation, roll and magnification", drops)
    product: dict[str, Any] = {}
    wrong: list[str] = []
    for view in VIEWS:
        found = _geometry(view, records)
        product[view] = found
        if found["upright"] is False:
            wrong.append(f"view {view}: port a lies below port b: is its orientation right?")
        wrong += _wrong_roll(view, found["roll_rad"], most_roll_rad)
        wrong += _wrong_magnification(view, found["magnification"], most_magnification_error)
    return ProcedureResult(
        not wrong,
        "; ".join(wrong) or "orientation, roll and magnification are as configured",
        product,
    )


def stability(place: StartingPoint, drops: int = LEAST_STABLE_DROPS) -> Procedure:
    """Let the station drift, untouched: Allan deviation, drift and jitter of every observable."""
    goal = {name: place.base[name] for name in place.station.loop.actuators}
    records: list[DropRecord] = []
    curves = over_drops(place.station, OBSERVABLES)
    for number in range(1, drops + 1):
        records += yield Request(
            goal, f"open-loop stability: drop {number} of {drops}", curves=curves
        )
    product = {}
    for name in OBSERVABLES:
        values = np.array([record.estimate.values[name] for record in records])
        values = np.unwrap(values) if name == "phase_rad" else values
        drift, jitter = drift_and_jitter(values[np.isfinite(values)])
        product[name] = {
            "drift_per_drop": drift,
            "jitter": jitter,
            "allan_deviation": allan_by_length(values),
        }
    return ProcedureResult(
        True, f"drift and jitter of all observables measured over {drops} drops", product
    )


def in_tolerance(place: StartingPoint, in_a_row: int = 10, most_drops: int = 120) -> Procedure:
    """Close the loop, and wait until so many drops in a row are within all tolerances."""
    row, seen = 0, 0
    loop = place.station.loop
    errors = {}
    curves = over_drops(place.station, OBSERVABLES)
    while row < in_a_row and seen < most_drops:
        words = f"loop closed: {row} of {in_a_row} drops in a row within tolerance"
        (record,) = yield Request({}, words, loop="closed", curves=curves)
        seen += 1
        errors = {name: _error(name, record, one.target) for name, one in loop.observables.items()}
        row = (
            row + 1
            if all(abs(error) <= loop.observables[name].tolerance for name, error in errors.items())
            else 0
        )
        if row == in_a_row:
            words = f"within tolerance {in_a_row} drops in a row, after {seen} drops"
            return ProcedureResult(
                True, words, {"drops": seen, "error": errors}, dict(record.in_force)
            )
    off = ", ".join(
        OBSERVABLES[name].label
        for name, error in errors.items()
        if not abs(error) <= loop.observables[name].tolerance
    )
    return ProcedureResult(
        False,
        f"not {in_a_row} drops in a row within tolerance in {most_drops}: {off or 'just short'}",
        {"drops": seen, "error": errors},
    )


def _error(name: str, record: DropRecord, target: float) -> float:
    return wrap_error(name, record.estimate.values[name] - target)


def _wrong_roll(view: View, roll_rad: float | None, most_rad: float) -> list[str]:
    if roll_rad is None or abs(roll_rad) <= most_rad:
        return []
    return [f"view {view}: roll {1e3 * roll_rad:.2f} mrad, wanted at most {1e3 * most_rad:g}"]


def _wrong_magnification(view: View, found: float | None, most_error: float) -> list[str]:
    if found is not None and abs(found - 1.0) <= most_error:
        return []
    return [
        f"view {view}: ports {found} of their nominal separation apart, "
        f"wanted 1 ± {most_error:g}: is object_pixel_m right?"
    ]


def _geometry(view: View, records: Sequence[DropRecord]) -> dict[str, float | bool | None]:
    """Return roll, separation over the nominal one, whether port a is up; None if unknown."""
    seen = [record.estimate.views.get(view) for record in records]
    usable = [one for one in seen if one is not None and one.usable]
    ratios = [_separation(one) for one in usable]
    rolls = [one.diagnostics.get("roll_rad", Value()).value for one in usable]
    known = [roll for roll in rolls if math.isfinite(roll)]
    ratio = float(np.mean(ratios)) if ratios else None
    return {
        "roll_rad": float(np.mean(known)) if known else None,
        "magnification": ratio,
        "upright": None if ratio is None else ratio > 0,
    }


def _separation(view: ViewEstimate) -> float:
    """Return the height of port a above port b over the nominal one."""
    nominal = view.displacements["a"][1] - view.displacements["b"][1]
    return (view.value("port_a_vertical_m") - view.value("port_b_vertical_m")) / nominal
