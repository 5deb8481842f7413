"""`coriolis`: the compensation rate at which the wavevector no longer depends on the interrogation
time.
"""

from __future__ import annotations

import math

import numpy as np

from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import ProcedureError
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

TIME, RATE, OBSERVED = "interrogation_time_s", "coriolis_rate_y_rad_per_s", "fringe_x_rad_per_m"
SHORTER = 0.7
"""The second interrogation time, of the first."""
HALF_RANGE_RAD_PER_S = 20e-6
POINTS = 5
DROPS_EACH = 2
SEEN_SIGMA = 4.0


def coriolis(
    place: StartingPoint,
    half_range: float = HALF_RANGE_RAD_PER_S,
    drops_each: int = DROPS_EACH,
    keep: bool = False,
) -> Procedure:
    """Scan the compensation rate at two interrogation times; `keep`: stay at the rate found.

    At one time a rate and a mirror tilt do the same to the wavevector; the rate's part goes with
    the time squared: κx = tilt + g T² (rate - rate₀). Raises `ProcedureError` where g does not
    stand out (use the `long` preset).
    """
    missing = sorted({TIME, RATE} - set(place.facts))
    if missing:
        raise ProcedureError(f"coriolis: no controller describes {missing}")
    now, facts = place.base[RATE], place.facts[RATE]
    rates = np.linspace(
        max(facts.minimum, now - half_range), min(facts.maximum, now + half_range), POINTS
    )
    taken: list[DropRecord] = []
    curves = (Axes(OBSERVED, RATE),)
    for time_s in (place.base[TIME], SHORTER * place.base[TIME]):
        for rate in rates:
            part = f"T {1e3 * time_s:.0f} ms"
            words = f"coriolis: {ACTUATORS[RATE].shown(rate)} µrad/s at {part}"
            taken += yield Request(
                {TIME: time_s, RATE: float(rate)}, words, drops_each, curves=curves, part=part
            )
        rates = rates[::-1]
    null, stderr, gain, gain_stderr = _null(taken)
    if not abs(gain) > SEEN_SIGMA * gain_stderr:
        raise ProcedureError(
            f"coriolis: the rate does not move κx: {gain:.3g} ± {gain_stderr:.2g} rad/m per rad/s "
            "and s²; is the interrogation time long enough?"
        )
    shown = ACTUATORS[RATE]
    product = {
        "actuator": RATE,
        "unit": shown.unit,
        "optimum": null,
        "optimum_stderr": stderr,
        "gain_per_square_time": gain,
        "gain_stderr": gain_stderr,
        "observed": OBSERVED,
        "points": [
            {
                "interrogation_time_s": one.in_force[TIME],
                "at": one.in_force[RATE],
                "seen": one.estimate.values[OBSERVED],
                "stderr": one.estimate.stderr[OBSERVED],
            }
            for one in taken
            if math.isfinite(one.estimate.values[OBSERVED])
        ],
    }
    words = (
        f"{shown.label} that compensates the rotation: {shown.with_error(null, stderr)} "
        f"{shown.shown_unit}"
    )
    return ProcedureResult(True, words, product, {RATE: null} if keep else {})


def _null(taken: list[DropRecord]) -> tuple[float, float, float, float]:
    """Return the rate without effect of the time, and the gain g, each with its standard error."""
    rows = [
        (
            one.in_force[TIME] ** 2,
            one.in_force[RATE],
            one.estimate.values[OBSERVED],
            one.estimate.stderr[OBSERVED],
        )
        for one in taken
        if math.isfinite(one.estimate.values[OBSERVED])
    ]
    if len(rows) < 6:
        raise ProcedureError(
            f"coriolis: κx was measured in {len(rows)} of {len(taken)} drops, wanted 6 at least"
        )
    square, rate, seen, error = np.array(rows).T
    scale = np.abs(rate).max() or 1.0
    design = np.column_stack([np.ones(len(rows)), square, square * rate / scale]) / error[:, None]
    solution, *_ = np.linalg.lstsq(design, seen / error, rcond=None)
    residual = seen / error - design @ solution
    worse = max(1.0, float(residual @ residual) / (len(rows) - 3))
    covariance = worse * np.linalg.inv(design.T @ design)
    _, offset, gain = solution
    null = -offset / gain
    slope = np.array([-1.0 / gain, offset / gain**2])
    stderr = float(np.sqrt(slope @ covariance[1:, 1:] @ slope))
    return (
        float(null * scale),
        stderr * scale,
        float(gain / scale),
        float(np.sqrt(covariance[2, 2]) / scale),
    )


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
