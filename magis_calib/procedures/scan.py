"""`scan`: step one actuator over a range, fit the right curve, propose the place it is for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from magis_calib.domain.camera import SequenceType
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import ProcedureError
from magis_calib.domain.quantities import ACTUATORS
from magis_calib.procedures.curves import BELL, PARABOLA, RABI, Curve, Found, fitted, line_to
from magis_calib.procedures.protocol import (
    Option,
    Procedure,
    ProcedureResult,
    ProcedureSpec,
    Request,
    StartingPoint,
)
from magis_calib.state.procedure import Axes

POINTS = 13
DROPS_EACH = 2


@dataclass(frozen=True, slots=True)
class Scan:
    """What one scan is about."""

    actuator: str
    observed: str
    """Name of what is plotted: an observable or diagnostic of the station."""
    half_range: float
    """To either side of the setpoint it begins at (SI), where nothing else is asked."""
    curve: Callable[[StartingPoint], Curve]
    summary: str
    sequence_type: SequenceType = "interferometer"


SCANS = {
    "pulse_area": Scan(
        "pulse_area",
        "contrast",
        0.25,
        lambda place: PARABOLA,
        "contrast against pulse area: after the tilt is set",
    ),
    "detuning": Scan(
        "detuning_hz",
        "port_fraction",
        6e3,
        lambda place: RABI,
        "population of pi-test drops against detuning, both flanks",
        "pi_test",
    ),
    "mirror_tilt_x": Scan(
        "mirror_tilt_x_rad",
        "fringe_x_rad_per_m",
        20e-6,
        lambda place: line_to(place.station.loop.observables["fringe_x_rad_per_m"].target),
        "wavevector against mirror tilt",
    ),
    "mirror_tilt_y": Scan(
        "mirror_tilt_y_rad",
        "contrast",
        60e-6,
        lambda place: BELL,
        "contrast against mirror tilt y: nulls the wavevector along the line of sight",
    ),
}


def scan(
    place: StartingPoint,
    name: str,
    start: float | None = None,
    stop: float | None = None,
    points: int = POINTS,
    drops_each: int = DROPS_EACH,
    keep: bool = False,
) -> Procedure:
    """Scan NAME (one of `SCANS`) from `start` to `stop` (SI); `keep`: stay at what was found.

    Raises `ProcedureError` for an unknown name, a range that cannot be, or where there is nothing
    to be found.
    """
    one = _known(name, place)
    grid = _grid(one, place, start, stop, points)
    if drops_each < 1:
        raise ProcedureError(f"scan {name}: wanted at least 1 drop at each point, got {drops_each}")
    taken: list[DropRecord] = []
    curves = (Axes(one.observed, one.actuator),)
    for number, value in enumerate(_nearest_first(grid, place.base[one.actuator]), 1):
        goal = {one.actuator: float(value)}
        words = f"scan {name}: point {number} of {points}"
        taken += yield Request(goal, words, drops_each, one.sequence_type, curves=curves)
    at, seen, errors = _seen(one, taken)
    curve = one.curve(place)
    found = fitted(curve, at, seen, errors)
    product = _product(one, found, at, seen, errors, curve)
    setpoint = {one.actuator: found.place} if keep else {}
    return ProcedureResult(True, _in_words(one, found, place), product, setpoint)


def _in_words(one: Scan, found: Found, place: StartingPoint) -> str:
    shown = ACTUATORS[one.actuator]
    best = f"{shown.with_error(found.place, found.stderr)} {shown.shown_unit}".rstrip()
    now = shown.shown(place.base[one.actuator])
    there = f"{one.observed.replace('_', ' ')} {found.height:.4g} there"
    return f"{shown.label} best at {best}, now {now}; {there}"


def _known(name: str, place: StartingPoint) -> Scan:
    if name not in SCANS:
        raise ProcedureError(f"scan {name!r}: wanted one of {sorted(SCANS)}")
    if SCANS[name].actuator not in place.facts:
        raise ProcedureError(f"scan {name}: no controller describes {SCANS[name].actuator}")
    return SCANS[name]


def _grid(
    one: Scan, place: StartingPoint, start: float | None, stop: float | None, points: int
) -> np.ndarray:
    """Return the places, rising, inside the controller's range. Raises `ProcedureError`."""
    facts, now = place.facts[one.actuator], place.base[one.actuator]
    low = max(facts.minimum, now - one.half_range) if start is None else start
    high = min(facts.maximum, now + one.half_range) if stop is None else stop
    if not (facts.minimum <= low < high <= facts.maximum):
        raise ProcedureError(
            f"scan: impossible range [{low:.6g}, {high:.6g}] {facts.unit}: wanted a rising one "
            f"within "
            f"[{facts.minimum:.6g}, {facts.maximum:.6g}]"
        )
    if points < 4:
        raise ProcedureError(f"scan: wanted at least 4 points, got {points}")
    return np.linspace(low, high, points)


def _nearest_first(grid: np.ndarray, now: float) -> np.ndarray:
    """Return the grid from its nearer end: steps are then as short as the grid allows."""
    return grid if abs(grid[0] - now) <= abs(grid[-1] - now) else grid[::-1]


def _seen(one: Scan, taken: list[DropRecord]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    known = [row for row in (_point(one, record) for record in taken) if _is_known(row)]
    if not known:
        raise ProcedureError(f"scan: {one.observed} was not measured in any of {len(taken)} drops")
    at, seen, errors = np.array(known).T
    return at, seen, errors


def _point(one: Scan, record: DropRecord) -> tuple[float, float, float]:
    """Return setpoint, what was seen there, and its standard error."""
    estimate = record.estimate
    seen, stderr = estimate.values[one.observed], estimate.stderr[one.observed]
    return record.in_force[one.actuator], seen, stderr


def _is_known(row: tuple[float, float, float]) -> bool:
    return all(math.isfinite(number) for number in row) and row[2] > 0


def _product(
    one: Scan, found: Found, at: np.ndarray, seen: np.ndarray, errors: np.ndarray, curve: Curve
) -> dict[str, object]:
    return {
        "actuator": one.actuator,
        "unit": ACTUATORS[one.actuator].unit,
        "observed": one.observed,
        "curve": curve.formula,
        "optimum": found.place,
        "optimum_stderr": found.stderr,
        "value_there": found.height,
        "chi2_per_dof": found.chi2_per_dof,
        "parameters": {
            name: {"value": value, "stderr": stderr}
            for name, (value, stderr) in found.parameters.items()
        },
        "points": [
            {"at": a, "seen": s, "stderr": e} for a, s, e in zip(at, seen, errors, strict=True)
        ],
    }


def _planned(options: Mapping[str, Any]) -> int:
    return int(options.get("points", POINTS) * options.get("drops_each", DROPS_EACH))


DROPS_EACH_OPTION = Option("drops_each", "--drops-each N", "drops at each", int, DROPS_EACH)
KEEP_OPTION = Option("keep", "--set", "stay at what was found", bool, default=False)
OPTIONS = (
    Option("start", "--from X", "first setpoint, SI (default: some below)"),
    Option("stop", "--to X", "last setpoint, SI (default: some above)"),
    Option("points", "--points N", "setpoints", int, POINTS),
    DROPS_EACH_OPTION,
    KEEP_OPTION,
)
SPECS = tuple(
    ProcedureSpec(
        f"scan_{name}",
        one.summary,
        partial(scan, name=name),
        _planned,
        OPTIONS,
        moves=f"{ACTUATORS[one.actuator].label} over a range, and back at the end",
        group="scan",
    )
    for name, one in SCANS.items()
)
