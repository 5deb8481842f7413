"""What is written about the matrix in force. No Qt."""

from __future__ import annotations

import math

from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES, Quantity
from magis_calib.domain.rules import RESPONSE
from magis_calib.state.matrix import MatrixState
from magis_calib.state.snapshot import Snapshot
from ui.style.format import minus, utc_time

DAY_S = 86400.0
OLD_DAYS = 30.0


def cell(matrix: MatrixState, observable: str, actuator: str) -> str:
    """Write one element, with its error where that is known, in shown units; empty for none."""
    value = matrix.values[observable][actuator]
    stderr = matrix.stderr.get(observable, {}).get(actuator, math.nan)
    if value == 0.0 or math.isnan(value):
        return "0" if value == 0.0 else "–"
    quantity = element(observable, actuator)
    return (
        minus(quantity.with_error(value, stderr))
        if math.isfinite(stderr)
        else _four(quantity, value)
    )


def hover(matrix: MatrixState, observable: str, actuator: str) -> str:
    """Write all that is known of one element: shown, SI, error, and how strong it is."""
    seen = OBSERVABLES[observable]
    moved = ACTUATORS[actuator]
    quantity = element(observable, actuator)
    value = matrix.values[observable][actuator]
    stderr = matrix.stderr.get(observable, {}).get(actuator, math.nan)
    error = f" ± {stderr:.3g}" if math.isfinite(stderr) else ""
    unit = f"{seen.unit} / {moved.unit}" if moved.unit != "1" else seen.unit
    strength = matrix.strength[observable][actuator]
    return minus(
        f"{moved.label} → {seen.label}: {cell(matrix, observable, actuator)} "
        f"{quantity.shown_unit}\n"
        f"{value:.9g}{error} {unit}\n"
        f"{strength:+.3g} σ of {seen.label} for a motion that makes 1 σ of what {moved.label} "
        f"mainly moves\n"
        f"{'' if error else 'its error is not known'}"
    ).rstrip()


def element(observable: str, actuator: str) -> Quantity:
    """Return how an element is shown."""
    seen, moved = OBSERVABLES[observable], ACTUATORS[actuator]
    unit = f"{seen.shown_unit} per {moved.shown_unit}" if moved.shown_unit else seen.shown_unit
    return Quantity("", "", "", unit, seen.shown_scale / moved.shown_scale, 4)


def heading(matrix: MatrixState, now_ns: int) -> tuple[str, bool]:
    """Say which matrix is in force and how old it is.

    And whether it is so old that somebody should look.
    """
    if matrix.measured_ns is None:
        return f"{matrix.name} · {matrix.origin}", False
    days = (now_ns - matrix.measured_ns) / (DAY_S * 1e9)
    old = days > OLD_DAYS
    when = f"{days:.0f} days" if days >= 2 else f"{days * 24:.1f} h"
    aged = f"▲ {when} old, measure it again" if old else f"{when} old"
    return f"{matrix.name} · {aged}, {utc_time(matrix.measured_ns)} UTC · {matrix.origin}", old


def living(snapshot: Snapshot) -> tuple[str, bool]:
    """Say what ordinary running tells of the actuators, by the newest drop judged.

    And whether one is wrong.
    """
    for record in reversed(snapshot.records):
        told = next((one for one in record.decision.verdicts if one.rule == RESPONSE.name), None)
        if told is not None:
            return (
                f"{'✓' if told.passed else '▲'} drop {record.drop_id}: {told.words}",
                not told.passed,
            )
    return "ordinary running has told nothing of the actuators yet", False


def _four(quantity: Quantity, value: float) -> str:
    return minus(f"{value * quantity.shown_scale:.4g}")
