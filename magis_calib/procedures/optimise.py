"""`optimise`: hold the contrast at its best beside the loop, by dithers of the pulse area."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

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
from magis_calib.state.procedure import Axes

ACTUATOR = "pulse_area"
OBSERVED = "contrast"
BEND = math.pi**2 / 2.0
"""Contrast falls by this times the square of the pulse area's error, to second order."""
DITHER = 0.02
HALF_RANGE = 0.25
DROPS = 200
PATTERN = (1.0, -1.0, -1.0, 1.0)
"""Up, down, down, up: what drifts linearly is in neither side."""
BOLD, CALM = 0.7, 0.15
"""Share of the error seen that is corrected after a cycle: where it is clear, and where it is not.
"""
CLEAR_SIGMA = 3.0


def optimise(
    place: StartingPoint,
    drops: int = DROPS,
    dither: float = DITHER,
    minimum: float | None = None,
    maximum: float | None = None,
) -> Procedure:
    """Dither the pulse area inside bounds, follow the contrast up, and stay at its top.

    The loop goes on as the operator wants it. Raises `ProcedureError` for bounds or a dither that
    cannot be.
    """
    now = _begin(place, dither)
    low, high = _bounds(place, now, dither, minimum, maximum)
    way = [now]
    for cycle in range(max(1, drops // len(PATTERN))):
        taken = yield from _cycle(cycle + 1, now, dither)
        now = float(np.clip(now - _step(taken, dither), low + dither, high - dither))
        way.append(now)
    shown = ACTUATORS[ACTUATOR]
    words = f"{shown.label} held at {shown.shown(now)} for the best contrast"
    return ProcedureResult(True, words, _product(way), {ACTUATOR: now})


def _cycle(number: int, now: float, dither: float) -> Any:
    """Take one drop on each side of the pattern; return them with their signs."""
    words = f"optimise: cycle {number} about {ACTUATORS[ACTUATOR].label}"
    curves = (Axes(OBSERVED, ACTUATOR),)
    taken: list[tuple[float, DropRecord]] = []
    for sign in PATTERN:
        goal = {ACTUATOR: now + sign * dither}
        told = f"{words} {ACTUATORS[ACTUATOR].shown(now)}"
        (record,) = yield Request(goal, told, loop="as_wanted", curves=curves)
        taken.append((sign, record))
    return taken


def _step(taken: Sequence[tuple[float, DropRecord]], dither: float) -> float:
    """Return how far down to go after a cycle: most of a clear error, little of a doubtful one."""
    error, stderr = _error(taken, dither)
    if not math.isfinite(error):
        return 0.0
    share = BOLD if abs(error) > CLEAR_SIGMA * stderr else CALM
    return float(np.clip(share * error, -2.0 * dither, 2.0 * dither))


def _product(way: Sequence[float]) -> dict[str, object]:
    return {
        "actuator": ACTUATOR,
        "unit": ACTUATORS[ACTUATOR].unit,
        "observed": OBSERVED,
        "optimum": way[-1],
        "spread": _spread(way[len(way) // 2 :]),
        "way": [*way],
    }


def _spread(settled: Sequence[float]) -> float:
    return float(np.std(settled)) if len(settled) > 1 else math.nan


def _begin(place: StartingPoint, dither: float) -> float:
    if ACTUATOR not in place.facts:
        raise ProcedureError(f"optimise: no controller describes {ACTUATOR}")
    longest = place.facts[ACTUATOR].sure_step
    if not 0.0 < 4.0 * dither <= 2.0 * longest:
        raise ProcedureError(
            f"optimise: dither {dither:g}: wanted above 0 and at most half a step, {longest / 2:g}"
        )
    return float(place.base[ACTUATOR])


def _bounds(
    place: StartingPoint, now: float, dither: float, minimum: float | None, maximum: float | None
) -> tuple[float, float]:
    facts = place.facts[ACTUATOR]
    low = max(facts.minimum, now - HALF_RANGE if minimum is None else minimum)
    high = min(facts.maximum, now + HALF_RANGE if maximum is None else maximum)
    if not low <= now - dither < now + dither <= high:
        raise ProcedureError(
            f"optimise: {ACTUATOR} {now:g} ± {dither:g} does not lie within [{low:g}, {high:g}]"
        )
    return low, high


def _error(taken: Sequence[tuple[float, DropRecord]], dither: float) -> tuple[float, float]:
    """Return how far above its optimum the pulse area is, with its standard error.

    NaN where a side is missing.
    """
    sides: dict[float, list[tuple[float, float]]] = {1.0: [], -1.0: []}
    for sign, record in taken:
        value, error = record.estimate.values[OBSERVED], record.estimate.stderr[OBSERVED]
        if math.isfinite(value) and math.isfinite(error):
            sides[sign].append((value, error))
    if not all(sides.values()):
        return math.nan, math.nan
    (up, up_error), (down, down_error) = (np.mean(np.array(one), axis=0) for one in sides.values())
    top = (up + down) / 2.0
    slope = 4.0 * top * BEND * dither
    return float((down - up) / slope), float(
        math.hypot(up_error, down_error) / math.sqrt(2.0) / slope
    )


SPEC = ProcedureSpec(
    "optimise",
    "hold the contrast at its best beside the loop",
    optimise,
    lambda options: int(options.get("drops", DROPS)),
    (
        Option("dither", "--dither X", "of the pulse area, to either side", default=DITHER),
        Option("minimum", "--minimum X", "lower bound (default: 0.25 below)"),
        Option("maximum", "--maximum X", "upper bound (default: 0.25 above)"),
        Option("drops", "--for-drops N", "drops", int, DROPS),
    ),
    moves="the pulse area a little to both sides of the best, which it stays at",
    about="By small dithers of the pulse area.",
    beside_loop=True,
)
