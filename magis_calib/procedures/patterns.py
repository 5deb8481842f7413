"""Which way every actuator moves in which drop: all gains at once, and no drift in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from magis_calib.config.loop import ActuatorConfig
from magis_calib.config.station import Station
from magis_calib.domain.control import ParameterFacts, Setpoints
from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.feedback.response_matrix import Response
from magis_calib.state.procedure import Axes

ORDER = 8
"""Of the Hadamard matrix: seven actuators at most move together."""
WANTED_SIGMA = 8.0
"""Wanted effect of a move on the main observable, in standard deviations of a drop."""
STAIRS = ((0.0, 1.0, 2.0, 1.0, 0.0, -1.0, -2.0, -1.0), (0.5, 1.5, 0.5, -0.5, -1.5, -0.5))
"""Steps, in step caps, of actuators whose cap is too small to be seen in one move.

No two at the same pace.
"""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one actuator may go to either side, and in one step (SI)."""

    side: float
    step: float
    wanted: float
    """To either side: the motion that is seen well enough."""


def reach_of(
    names: Sequence[str], station: Station, facts: Mapping[str, ParameterFacts], base: Setpoints
) -> dict[str, Reach]:
    """Return how far each actuator may go from here, inside ranges and step caps."""
    response = Response.of(station)
    found = {}
    for name in names:
        own = station.loop.actuators[name]
        unit = float(response.unit[response.actuators.index(name)])
        step = min(own.step_cap, facts[name].sure_step)
        found[name] = Reach(_free_way(own, facts[name], base[name]), step, WANTED_SIGMA * unit)
    return found


def _free_way(own: ActuatorConfig, device: ParameterFacts, now: float) -> float:
    """Return how far an actuator may go in both directions (SI)."""
    low, high = max(own.minimum, device.minimum), min(own.maximum, device.maximum)
    return max(0.0, min(now - low, high - now))


def pattern(reach: Mapping[str, Reach], drops: int, share: float = 1.0) -> Array:
    """Return offsets from the base, (drops, actuators as in `reach`), a step apart.

    Columns of a Hadamard matrix, each row followed by its opposite: orthogonal to each other, and
    to a drift that is slow against two drops (Plackett and Burman, Biometrika 33 (1946) 305). An
    actuator whose cap is too small for that climbs stairs instead. `share`: of the whole motion.
    Raises `ValueError` for more than seven actuators.
    """
    if not 1 <= len(reach) < ORDER:
        raise ValueError(f"actuators moved together: wanted 1 to {ORDER - 1}, got {len(reach)}")
    rows = scipy.linalg.hadamard(ORDER)[:, 1:]
    signs = np.resize(
        np.stack([rows, -rows], axis=1).reshape(2 * ORDER, ORDER - 1), (drops, ORDER - 1)
    ).astype(float)
    stairs = list(STAIRS)
    columns = []
    for column, one in enumerate(reach.values()):
        if stairs and one.step / 2.0 < one.wanted and one.side >= one.step * max(stairs[0]):
            columns.append(one.step * np.resize(np.array(stairs.pop(0)), drops))
        else:
            columns.append(min(one.wanted, one.step / 2.0, one.side) * signs[:, column])
    return share * np.column_stack(columns)


def curves_of(names: Sequence[str], station: Station) -> tuple[Axes, ...]:
    """Return what shows every observable against its main actuator, where that one moves."""
    force = Response.of(station)
    found = []
    for row, (name, main) in enumerate(zip(OBSERVABLES, force.mains, strict=True)):
        if main in names:
            slope = float(force.matrix[row, force.actuators.index(main)])
            found.append(Axes(name, main, slope=slope))
    return tuple(found)


def moved(base: Setpoints, names: Sequence[str], offsets: Array) -> dict[str, float]:
    """Return the setpoints of one drop of the pattern."""
    return {name: base[name] + float(offset) for name, offset in zip(names, offsets, strict=True)}
