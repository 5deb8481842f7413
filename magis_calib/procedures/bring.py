"""`bring`: move observables to their targets by the matrix in force, in a few measured steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from magis_calib.config.loop import LoopConfig
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import ProcedureError
from magis_calib.domain.quantities import OBSERVABLES, wrap_error
from magis_calib.feedback.control_law import correcting_move, rooms_at
from magis_calib.feedback.response_matrix import Response
from magis_calib.procedures.gains import circular_mean
from magis_calib.procedures.protocol import (
    Procedure,
    ProcedureResult,
    Request,
    StartingPoint,
    over_drops,
)

MOST_STEPS, DROPS_EACH = 16, 3


def bring(
    place: StartingPoint,
    observables: Sequence[str],
    steps: int = MOST_STEPS,
    drops_each: int = DROPS_EACH,
) -> Procedure:
    """Bring these observables within tolerance and stay there, in at most so many steps.

    Raises `ProcedureError` for an unknown observable.
    """
    unknown = sorted(set(observables) - set(OBSERVABLES))
    if unknown:
        raise ProcedureError(f"bring {unknown}: wanted some of {list(OBSERVABLES)}")
    loop = place.station.loop
    response = Response.of(place.station)
    labels = ", ".join(OBSERVABLES[name].label for name in observables)
    curves = over_drops(place.station, observables)
    goal = {name: place.base[name] for name in loop.actuators}
    errors: dict[str, float] = {}
    for number in range(1, steps + 1):
        records = yield Request(goal, f"bring {labels}: step {number}", drops_each, curves=curves)
        errors = {
            name: _mean_error(name, records, loop.observables[name].target) for name in observables
        }
        if _are_there(errors, loop):
            words = f"{labels} at their targets after {number} steps"
            return ProcedureResult(True, words, {"error": errors}, goal)
        headroom = rooms_at(goal, goal, loop, place.facts)
        proposal, stuck = correcting_move(errors, goal, response, headroom, 1.0)
        if stuck:
            words = f"{labels} cannot be brought: {'; '.join(stuck)}"
            return ProcedureResult(False, words, {"error": errors})
        goal = {**goal, **proposal.limited}
    words = f"{labels} not within tolerance after {steps} steps: still off by {_in_words(errors)}"
    return ProcedureResult(False, words, {"error": errors})


def _are_there(errors: Mapping[str, float], loop: LoopConfig) -> bool:
    """Whether all stand well within tolerance: in its inner half."""
    return all(abs(one) <= loop.observables[name].tolerance / 2 for name, one in errors.items())


def _in_words(errors: Mapping[str, float]) -> str:
    return ", ".join(
        f"{OBSERVABLES[name].label} {OBSERVABLES[name].with_unit(error)}"
        for name, error in errors.items()
    )


def _mean_error(name: str, records: Sequence[DropRecord], target: float) -> float:
    """Return the mean error; circular for the phase.

    Raises `ProcedureError` where none was measured.
    """
    errors = [wrap_error(name, record.estimate.values[name] - target) for record in records]
    known = np.array([error for error in errors if np.isfinite(error)])
    if not len(known):
        reasons = "; ".join(records[-1].estimate.reasons)
        raise ProcedureError(
            f"{OBSERVABLES[name].label} was not measured in {len(records)} drops: {reasons}"
        )
    return circular_mean(known) if name == "phase_rad" else float(np.mean(known))
