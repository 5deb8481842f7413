"""One drop's decision in the columns of the ledger. No Qt."""

from __future__ import annotations

import math
from collections.abc import Mapping

from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.quantities import OBSERVABLES, quantity_of
from ui.style.format import OUTCOME_SHAPES, signed, utc_time

HEADS = {
    "drop": "number of the drop",
    "time (UTC)": "trigger of the drop",
    "outcome": "what came of it: applied, held, refused, half applied, unverified",
    "detail": "why nothing, or less, was sent; else the first drop with the new setpoints",
    "errors": "expected errors, the largest in tolerances first",
    "setpoints sent": "change of each setpoint against what the drop's atoms saw",
    "read back": "what the controllers answered",
    "used": "observables that entered the correction",
    "note": "the operator's remark",
}


def cells(
    record: DropRecord, tolerances: Mapping[str, float], readback_tolerances: Mapping[str, float]
) -> list[str]:
    """Write one row in the order of `HEADS`; tolerances in SI, by name."""
    decision = record.decision
    shape, _ = OUTCOME_SHAPES[decision.outcome]
    return [
        str(record.drop_id),
        utc_time(record.time_ns),
        f"{shape} {decision.outcome.replace('_', ' ')}",
        _detail(record),
        _errors(record, tolerances),
        _sent(record),
        _readback(record, readback_tolerances),
        "all"
        if len(decision.used) == len(OBSERVABLES)
        else " ".join(_label(name) for name in decision.used) or "none",
        record.note,
    ]


def _detail(record: DropRecord) -> str:
    decision = record.decision
    limits = decision.proposal.limits if decision.proposal is not None else ()
    why = [part for part in (decision.reason, *limits) if part]
    if decision.outcome == "applied" and decision.effective_drop is not None:
        why.append(f"from drop {decision.effective_drop} on")
    if not record.complete and not why:
        why = list(record.estimate.reasons)
    return "; ".join(why)


def _errors(record: DropRecord, tolerances: Mapping[str, float]) -> str:
    proposal = record.decision.proposal
    if proposal is None:
        return "–"
    ranked = sorted(
        proposal.error.items(), key=lambda item: -abs(item[1]) / tolerances.get(item[0], math.inf)
    )
    known = [(OBSERVABLES[name], error) for name, error in ranked if name in OBSERVABLES]
    return (
        ", ".join(f"{quantity.label} {signed(quantity, error)}" for quantity, error in known) or "–"
    )


def _sent(record: DropRecord) -> str:
    moved = {
        name: value - record.in_force.get(name, math.nan)
        for name, value in record.decision.sent.items()
    }
    return ", ".join(_step(name, step) for name, step in moved.items()) or "–"


def _readback(record: DropRecord, tolerances: Mapping[str, float]) -> str:
    sent, readback = record.decision.sent, record.decision.readback
    if not sent:
        return "–"
    missing = [name for name in sent if name not in readback]
    if missing:
        return f"▲ missing {len(missing)} of {len(sent)}"
    if (
        record.decision.outcome == "applied"
    ):  # within the tolerances of controllers that a recording does not know
        return f"✓ all {len(sent)} as sent"
    off = [
        name
        for name, value in sent.items()
        if not abs(readback[name] - value) <= tolerances.get(name, 1e-9 * max(1.0, abs(value)))
    ]
    if off:
        return "▲ off: " + ", ".join(_step(name, readback[name] - sent[name]) for name in off)
    return f"✓ all {len(sent)} as sent"


def _label(name: str) -> str:
    return OBSERVABLES[name].label if name in OBSERVABLES else name


def _step(name: str, step: float) -> str:
    quantity = quantity_of(name)
    return f"{quantity.label} {signed(quantity, step)}"
