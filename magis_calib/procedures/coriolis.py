"""`coriolis`: the rate at which the wavevector does not depend on the interrogation time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import ProcedureError
from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import ACTUATORS
from magis_calib.procedures.protocol import (
    Option,
    Procedure,
    ProcedureResult,
    ProcedureSpec,
    Request,
    StartingPoint,
)
from magis_calib.procedures.scan import DROPS_EACH_OPTION, KEEP_OPTION
from magis_calib.state.procedure import Axes

TIME = "interrogation_time_s"
RATE = "coriolis_rate_y_rad_per_s"
OBSERVED = "fringe_x_rad_per_m"
SHORTER = 0.7
"""The second interrogation time, of the first."""
HALF_RANGE_RAD_PER_S = 20e-6
POINTS = 5
DROPS_EACH = 2
SEEN_SIGMA = 4.0
FEWEST = 6


def coriolis(
    place: StartingPoint,
    half_range: float = HALF_RANGE_RAD_PER_S,
    drops_each: int = DROPS_EACH,
    keep: bool = False,
) -> Procedure:
    """Scan the compensation rate at two interrogation times; `keep`: stay at the rate found.

    `half_range`: of the rate, rad/s. At one time a rate and a mirror tilt do the same to the
    wavevector; the rate's part goes with the time squared: κx = tilt + g T² (rate - rate₀). Raises
    `ProcedureError` where g does not stand out (use the `long` preset).
    """
    taken: list[DropRecord] = []
    curves = (Axes(OBSERVED, RATE),)
    for time_s, rate in _points(place, half_range):
        part = f"T {1e3 * time_s:.0f} ms"
        words = f"coriolis: {ACTUATORS[RATE].shown(rate)} µrad/s at {part}"
        goal = {TIME: time_s, RATE: rate}
        taken += yield Request(goal, words, drops_each, curves=curves, part=part)
    found = _null(taken)
    if not abs(found.gain_per_m_per_s) > SEEN_SIGMA * found.gain_stderr:
        gain = f"{found.gain_per_m_per_s:.3g} ± {found.gain_stderr:.2g} rad/m per rad/s and s²"
        raise ProcedureError(
            f"coriolis: the rate does not move κx: {gain}; is the interrogation time long enough?"
        )
    shown = ACTUATORS[RATE]
    null = f"{shown.with_error(found.null_rad_per_s, found.null_stderr)} {shown.shown_unit}"
    words = f"{shown.label} that compensates the rotation: {null}"
    setpoint = {RATE: found.null_rad_per_s} if keep else {}
    return ProcedureResult(True, words, _product(found, taken), setpoint)


@dataclass(frozen=True, slots=True)
class _Null:
    """The rate at which the time has no effect, and the gain g (SI), with standard errors."""

    null_rad_per_s: float
    null_stderr: float
    gain_per_m_per_s: float
    gain_stderr: float


def _points(place: StartingPoint, half_range: float) -> Iterator[tuple[float, float]]:
    """Yield interrogation time (s) and rate (rad/s): up at the first time, down at the second."""
    missing = sorted({TIME, RATE} - set(place.facts))
    if missing:
        raise ProcedureError(f"coriolis: no controller describes {missing}")
    rates = _rates(place, half_range)
    yield from ((place.base[TIME], rate) for rate in rates)
    yield from ((SHORTER * place.base[TIME], rate) for rate in reversed(rates))


def _measured(taken: list[DropRecord]) -> list[DropRecord]:
    return [one for one in taken if math.isfinite(one.estimate.values[OBSERVED])]


def _rates(place: StartingPoint, half_range: float) -> list[float]:
    """Return rates about the one in force, inside the controller's range (rad/s)."""
    now, facts = place.base[RATE], place.facts[RATE]
    low = max(facts.minimum, now - half_range)
    high = min(facts.maximum, now + half_range)
    rates: list[float] = np.linspace(low, high, POINTS).tolist()
    return rates


def _product(found: _Null, taken: list[DropRecord]) -> dict[str, object]:
    return {
        "actuator": RATE,
        "unit": ACTUATORS[RATE].unit,
        "optimum": found.null_rad_per_s,
        "optimum_stderr": found.null_stderr,
        "gain_per_square_time": found.gain_per_m_per_s,
        "gain_stderr": found.gain_stderr,
        "observed": OBSERVED,
        "points": [_point(one) for one in _measured(taken)],
    }


def _point(record: DropRecord) -> dict[str, float]:
    return {
        "interrogation_time_s": record.in_force[TIME],
        "at": record.in_force[RATE],
        "seen": record.estimate.values[OBSERVED],
        "stderr": record.estimate.stderr[OBSERVED],
    }


def _null(taken: list[DropRecord]) -> _Null:
    """Fit κx = tilt + T² (offset + gain · rate) by weighted least squares, errors scaled."""
    known = _measured(taken)
    if len(known) < FEWEST:
        raise ProcedureError(
            f"coriolis: κx was measured in {len(known)} of {len(taken)} drops, "
            f"wanted {FEWEST} at least"
        )
    square = np.array([one.in_force[TIME] ** 2 for one in known])
    rate = np.array([one.in_force[RATE] for one in known])
    seen = np.array([one.estimate.values[OBSERVED] for one in known])
    error = np.array([one.estimate.stderr[OBSERVED] for one in known])
    scale = np.abs(rate).max() or 1.0
    design = np.column_stack([np.ones(len(known)), square, square * rate / scale]) / error[:, None]
    solution, *_ = np.linalg.lstsq(design, seen / error, rcond=None)
    residual = seen / error - design @ solution
    worse = max(1.0, float(residual @ residual) / (len(known) - 3))
    return _with_errors(solution, worse * np.linalg.inv(design.T @ design), scale)


def _with_errors(solution: Array, covariance: Array, scale: float) -> _Null:
    """Return the null -offset / gain with its error, to first order."""
    _, offset, gain = solution
    slope = np.array([-1.0 / gain, offset / gain**2])
    stderr = float(np.sqrt(slope @ covariance[1:, 1:] @ slope))
    gain_stderr = float(np.sqrt(covariance[2, 2]) / scale)
    return _Null(float(-offset / gain * scale), stderr * scale, float(gain / scale), gain_stderr)


SPEC = ProcedureSpec(
    "scan_coriolis",
    "find the rotation compensation, at two interrogation times",
    coriolis,
    lambda options: 2 * POINTS * int(options.get("drops_each", DROPS_EACH)),
    (
        Option(
            "half_range",
            "--half-range X",
            "of the rate to either side, rad/s",
            default=HALF_RANGE_RAD_PER_S,
        ),
        DROPS_EACH_OPTION,
        KEEP_OPTION,
    ),
    moves="interrogation time and Coriolis rate y, and back at the end",
    group="scan",
)
