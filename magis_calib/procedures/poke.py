"""`poke`: move every actuator a little before the loop is closed: is the matrix right?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES, wrap_error
from magis_calib.feedback.response_matrix import Response
from magis_calib.procedures.gains import Gains, measured_gains
from magis_calib.procedures.patterns import curves_of, moved, pattern, reach_of
from magis_calib.procedures.protocol import (
    Procedure,
    ProcedureResult,
    ProcedureSpec,
    Request,
    StartingPoint,
)

HARMLESS_SHARE = 1 / 250
HARMLESS_DROPS = 4
"""The first moves show nothing, but with a unit wrong by 1000, and then do no harm."""
DROPS = 24
"""Of the moves that are meant to be seen."""
SEEN_SIGMA = 7.0
WRONG_SHARE, WRONG_SIGMA = 0.5, 5.0
"""A gain is wrong where it misses the matrix by half of the main effect, and by 5 standard errors.
"""
PASSED = "poke passed: every actuator moves what, as far and in the direction that the matrix says"
WELL_ENOUGH = 0.125
"""Standard error of a main gain, of itself, with which a dead actuator is still found."""


def poke(place: StartingPoint) -> Procedure:
    """Move all of the loop's actuators, smallest first; restore the setpoints.

    A wrong one ends it by name.
    """
    names = tuple(place.station.loop.actuators)
    reach = reach_of(names, place.station, place.facts, place.base)
    curves = curves_of(names, place.station)
    harmless: list[DropRecord] = []
    for row in _up_and_down(pattern(reach, 2 * HARMLESS_DROPS, HARMLESS_SHARE)):
        harmless += yield Request(
            moved(place.base, names, row), "poke: moves too small to be seen", curves=curves
        )
    if wrong := _too_strong(harmless, place):
        return _failed(wrong, {"wrong": wrong})
    records: list[DropRecord] = []
    for number, row in enumerate(pattern(reach, DROPS), 1):
        records += yield Request(
            moved(place.base, names, row), f"poke: drop {number} of {DROPS}", curves=curves
        )
    gains = measured_gains(records, names)
    wrong = misfits(gains, place)
    product = _product(gains, wrong, place)
    return _failed(wrong, product) if wrong else ProcedureResult(True, PASSED, product)


def _failed(wrong: list[str], product: Mapping[str, Any]) -> ProcedureResult:
    return ProcedureResult(False, f"poke failed: {'; '.join(wrong)}", product)


def _product(gains: Gains, wrong: list[str], place: StartingPoint) -> dict[str, Any]:
    found = ratios(gains, place)
    return {
        "wrong": wrong,
        "ratio": {name: value for name, (value, _) in found.items()},
        "ratio_stderr": {name: error for name, (_, error) in found.items()},
    }


def ratios(gains: Gains, place: StartingPoint) -> dict[str, tuple[float, float]]:
    """Return measured over expected main gain of each actuator, with its standard error."""
    force = Response.of(place.station)
    found = {}
    for row, actuator in enumerate(force.mains):
        column = gains.actuators.index(actuator)
        own = force.matrix[row, force.actuators.index(actuator)]
        found[actuator] = (
            float(gains.values[row, column] / own),
            float(gains.stderr[row, column] / abs(own)),
        )
    return found


def misfits(gains: Gains, place: StartingPoint) -> list[str]:
    """Return what is wrong, by actuator and observable; empty where the matrix in force is right.

    Every element is looked at in units of what the observable's main actuator does to it by its own
    unit of motion.
    """
    force = Response.of(place.station)
    wrong = []
    columns = [force.actuators.index(name) for name in gains.actuators]
    scale = force.unit[columns][None, :] / force.noise[:, None]
    ours = gains.values * scale
    theirs = force.matrix[:, columns] * scale
    errors = gains.stderr * scale
    for row, quantity in enumerate(OBSERVABLES.values()):
        for column, actuator in enumerate(gains.actuators):
            label = ACTUATORS[actuator].label
            away = ours[row, column] - theirs[row, column]
            error = errors[row, column]
            main = force.mains[row] == actuator
            if main and not error < WELL_ENOUGH * abs(theirs[row, column]):
                wrong.append(
                    f"{label}: its effect on {quantity.label} could not be measured well enough"
                )
            elif abs(away) > max(WRONG_SHARE, WRONG_SIGMA * error):
                wrong.append(
                    _misfit(label, quantity.label, ours[row, column], theirs[row, column], main)
                )
    return wrong


def _misfit(label: str, observable: str, found: float, wanted: float, main: bool) -> str:
    if not main:
        return (
            f"{label} moves {observable} by {found:+.2f} of what its own actuator does, wanted "
            f"{wanted:+.2f}"
        )
    ratio = found / wanted
    what = (
        "does not move"
        if abs(ratio) < WRONG_SHARE
        else "moves the wrong way"
        if ratio < 0
        else "moves too far"
    )
    return f"{label} {what}: {observable} by {ratio:.2f} of what the matrix says"


def _too_strong(records: Sequence[DropRecord], place: StartingPoint) -> list[str]:
    """Name the actuator of what moved although nothing should be seen, strongest first."""
    force = Response.of(place.station)
    wrong = {}
    for row, name in enumerate(OBSERVABLES):
        up, down = ([one.estimate.values[name] for one in records[start::2]] for start in (0, 1))
        apart = [
            wrap_error(name, a - b) for a, b in zip(up, down, strict=True) if np.isfinite(a - b)
        ]
        seen = SEEN_SIGMA * force.noise[row] / np.sqrt(len(apart) / 2.0) if apart else np.inf
        if apart and abs(np.mean(apart)) > seen:
            size = abs(float(np.mean(apart))) / force.noise[row]
            label = ACTUATORS[force.mains[row]].label
            wrong[size] = (
                f"{label} moves {OBSERVABLES[name].label} although hardly asked to: is its unit "
                f"wrong?"
            )
    return [wrong[size] for size in sorted(wrong, reverse=True)[:1]]


def _up_and_down(offsets: np.ndarray) -> np.ndarray:
    """Return four rows: up, down, up, down by the largest offset of each actuator."""
    size = np.abs(offsets).max(axis=0)
    return np.stack([size, -size] * (HARMLESS_DROPS // 2))


SPEC = ProcedureSpec(
    "poke",
    "check every actuator against the matrix in force",
    poke,
    lambda options: DROPS + HARMLESS_DROPS,
    about="Smallest moves first. Finds a wrong sign, swapped actuators, a wrong unit and a "
    "dead one, by name.\nThe setpoints are restored.",
)
