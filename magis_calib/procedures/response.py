"""`response`: measure the gains of all observables to all actuators, moved together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import ProcedureError
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES
from magis_calib.feedback.response_matrix import Response
from magis_calib.procedures.gains import Gains, measured_gains
from magis_calib.procedures.patterns import curves_of, moved, pattern, reach_of
from magis_calib.procedures.protocol import (
    Option,
    Procedure,
    ProcedureResult,
    ProcedureSpec,
    Request,
    StartingPoint,
)

SPARE_DROPS = 3
"""At least so many more than actuators, to tell noise from gain."""
DROPS = 112
"""Seven whole blocks of sixteen: gains known to a few percent at the shipped station."""


def response(place: StartingPoint, actuators: Sequence[str] = (), drops: int = DROPS) -> Procedure:
    """Measure the response of the actuators named, of the loop's own where none is.

    Setpoints are restored.
    """
    names = tuple(dict.fromkeys(actuators)) or tuple(place.station.loop.actuators)
    _require_measurable(names, drops, place)
    offsets = pattern(reach_of(names, place.station, place.facts, place.base), drops)
    records: list[DropRecord] = []
    curves = curves_of(names, place.station)
    for number, row in enumerate(offsets, 1):
        records += yield Request(
            moved(place.base, names, row), f"response: drop {number} of {drops}", curves=curves
        )
    gains = measured_gains(records, names)
    known = all(np.isfinite(gains.stderr[row, column]) for row, column in _mains(gains, place))
    return ProcedureResult(known, _in_words(gains, place), _product(gains, place))


def _require_measurable(names: Sequence[str], drops: int, place: StartingPoint) -> None:
    """Raise `ProcedureError` where this cannot be measured."""
    unknown = [name for name in names if name not in place.station.loop.actuators]
    if unknown:
        raise ProcedureError(
            f"actuators: wanted some of {list(place.station.loop.actuators)}, got {unknown}"
        )
    least = len(names) + SPARE_DROPS
    if drops < least:
        raise ProcedureError(
            f"drops: wanted at least {least} for {len(names)} actuators, got {drops}"
        )


def _mains(gains: Gains, place: StartingPoint) -> list[tuple[int, int]]:
    """Return row and column of every observable's main actuator among those that moved."""
    mains = enumerate(place.station.loop.observables[name].actuator for name in OBSERVABLES)
    return [(row, gains.actuators.index(name)) for row, name in mains if name in gains.actuators]


def _product(gains: Gains, place: StartingPoint) -> dict[str, object]:
    matrix = {
        name: dict(zip(gains.actuators, row, strict=True)) for name, row in _rows(gains.values)
    }
    errors = {
        name: dict(zip(gains.actuators, row, strict=True)) for name, row in _rows(gains.stderr)
    }
    return {
        "matrix": matrix,
        "stderr": errors,
        "observable_units": {name: quantity.unit for name, quantity in OBSERVABLES.items()},
        "actuator_units": {name: ACTUATORS[name].unit for name in gains.actuators},
        "correlation": gains.correlation.tolist(),
        "drops_used": dict(zip(OBSERVABLES, gains.drops, strict=True)),
        "condition_number": condition_number(gains, place),
        "correlation_with_matrix_in_force": likeness(gains, place),
        "matrix_in_force": place.station.loop.matrix,
        "mains": {name: one.actuator for name, one in place.station.loop.observables.items()},
    }


def condition_number(gains: Gains, place: StartingPoint) -> float | None:
    """Return the condition number after scaling.

    None where the matrix is not square or not whole.
    """
    if (
        set(gains.actuators) != set(place.station.loop.actuators)
        or not np.isfinite(gains.values).all()
    ):
        return None
    order = [gains.actuators.index(name) for name in place.station.loop.actuators]
    return float(np.linalg.cond(place.station.loop.scaled(gains.values[:, order])))


def likeness(gains: Gains, place: StartingPoint) -> float | None:
    """Return the correlation of the measured elements with those in force, scaled by noise."""
    force = Response.of(place.station)
    columns = [force.actuators.index(name) for name in gains.actuators]
    scale = force.unit[columns][None, :] / force.noise[:, None]
    ours = (gains.values * scale).ravel()
    theirs = (force.matrix[:, columns] * scale).ravel()
    known = np.isfinite(ours)
    if not known.any() or not np.std(theirs[known]) > 0:
        return None
    return float(np.corrcoef(ours[known], theirs[known])[0, 1])


def _in_words(gains: Gains, place: StartingPoint) -> str:
    words = [_known_to(gains, row, column) for row, column in _mains(gains, place)]
    return f"response measured; main gains known to {', '.join(words)}"


def _known_to(gains: Gains, row: int, column: int) -> str:
    label = list(OBSERVABLES.values())[row].label
    share = gains.stderr[row, column] / abs(gains.values[row, column])
    return f"{label} {share:.1%}" if np.isfinite(share) else f"{label} NOT"


def _rows(matrix: np.ndarray) -> list[tuple[str, list[float]]]:
    return list(zip(OBSERVABLES, matrix.tolist(), strict=True))


SPEC = ProcedureSpec(
    "response",
    "measure the response matrix of the loop's actuators",
    response,
    lambda options: int(options.get("drops", DROPS)),
    (
        Option(
            "actuators",
            "--actuator NAME",
            "only this one (repeatable; default: all that the loop moves)",
            str,
            many=True,
        ),
        Option("drops", "--measurements N", "drops to measure", int, DROPS),
    ),
    about="All of them move together, each a little to both sides, inside step caps and ranges;\n"
    "the setpoints are restored. What is found is a product with errors (`magis-calib products`);\n"
    "nothing uses it before it is promoted.",
)
