"""The setpoint vectors of a session with the result that each gave, and the newest good one."""

from __future__ import annotations

import cmath
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from magis_calib.domain.control import Setpoints
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.quantities import OBSERVABLES, wrap_error, wrap_phase


@dataclass(frozen=True, slots=True)
class Deviation:
    """Mean error from the target over the drops of a vector, with its standard error (SI)."""

    mean: float
    stderr: float


@dataclass(frozen=True, slots=True)
class Setting:
    """One setpoint vector: the consecutive drops it was in force for, and what it gave."""

    first_drop: int
    last_drop: int
    usable: int
    """Drops that were measured with it."""
    deviations: Mapping[str, Deviation]
    """Of each controlled observable; empty without a usable drop."""
    good: bool
    """Whether every mean error is within its tolerance."""
    setpoints: Setpoints


def settings_of(
    records: Sequence[DropRecord], targets: Mapping[str, float], tolerances: Mapping[str, float]
) -> list[Setting]:
    """Return vectors in the order of drops; `targets` where a record has none.

    Drops whose setpoints are not known belong to none.
    """
    ordered = sorted((one for one in records if one.in_force), key=lambda one: one.drop_id)
    groups = (list(group) for _, group in groupby(ordered, lambda one: dict(one.in_force)))
    return [_setting(group, targets, tolerances) for group in groups]


def last_good(
    records: Sequence[DropRecord], targets: Mapping[str, float], tolerances: Mapping[str, float]
) -> DropRecord | None:
    """Return the newest usable drop with every controlled observable within tolerance."""
    for record in reversed(records):
        if (
            record.in_force
            and _is_measured(record)
            and _is_good(errors_of(record, targets), tolerances)
        ):
            return record
    return None


def errors_of(record: DropRecord, targets: Mapping[str, float]) -> dict[str, float]:
    """Return measured minus target of each controlled observable; NaN where it was not measured."""
    aimed = record.targets or targets
    return {name: _error(record, name, aimed[name]) for name in controlled(record)}


def _error(record: DropRecord, name: str, target: float) -> float:
    value = record.estimate.values[name]
    return wrap_error(name, value - target) if math.isfinite(value) else math.nan


def controlled(record: DropRecord) -> list[str]:
    """Return the observables that the loop keeps at target: all but a random phase."""
    random = record.decision.phase_random
    return [name for name in OBSERVABLES if not (random and name == "phase_rad")]


def _setting(
    records: Sequence[DropRecord], targets: Mapping[str, float], tolerances: Mapping[str, float]
) -> Setting:
    measured = [one for one in records if _is_measured(one)]
    names = [
        name
        for name in OBSERVABLES
        if measured and all(name in controlled(one) for one in measured)
    ]
    deviations = {name: _deviation(name, measured, targets) for name in names}
    good = _is_good({name: one.mean for name, one in deviations.items()}, tolerances)
    return Setting(
        records[0].drop_id,
        records[-1].drop_id,
        len(measured),
        deviations,
        good,
        records[0].in_force,
    )


def _deviation(name: str, records: Sequence[DropRecord], targets: Mapping[str, float]) -> Deviation:
    """Return mean and standard error: from the scatter, or from the fit of a single drop."""
    known = [(errors_of(one, targets)[name], one.estimate.stderr[name]) for one in records]
    known = [(error, stderr) for error, stderr in known if math.isfinite(error)]
    if not known:
        return Deviation(math.nan, math.nan)
    errors = [error for error, _ in known]
    middle = (
        cmath.phase(sum(cmath.exp(1j * error) for error in errors)) if name == "phase_rad" else 0.0
    )
    turned = [wrap_error(name, error - middle) for error in errors]
    mean = (
        wrap_phase(middle + float(np.mean(turned)))
        if name == "phase_rad"
        else float(np.mean(turned))
    )
    if len(known) == 1:
        return Deviation(mean, known[0][1])
    return Deviation(mean, float(np.std(turned, ddof=1)) / math.sqrt(len(turned)))


def _is_measured(record: DropRecord) -> bool:
    return record.complete and record.estimate.usable and record.sequence_type == "interferometer"


def _is_good(errors: Mapping[str, float], tolerances: Mapping[str, float]) -> bool:
    """Whether there are errors and each is known and within its tolerance."""
    return bool(errors) and all(abs(error) <= tolerances[name] for name, error in errors.items())
