"""What is written on and over a strip chart: newest value, share in tolerance, hover."""

from __future__ import annotations

import math

import numpy as np

from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.quantities import REPORTED, Quantity
from magis_calib.state.health import EXPLAINED, HEALTH, health_of
from magis_calib.state.history import NO_HISTORY, HistoryRows, column, words
from magis_calib.state.snapshot import Snapshot
from magis_calib.state.statistics import deviations, share_within
from ui.style.colours import LOOK, TEXT
from ui.style.format import minus, raw, why_unusable


def newest(record: DropRecord, quantity: Quantity) -> tuple[str, str, str]:
    """Return text, colour and hover for one quantity of one drop."""
    name = quantity.name
    if name in HEALTH:
        found = health_of(record.estimate)[name]
        text, hover = _with_error(quantity, found.value, found.stderr)
        return text, TEXT, f"{EXPLAINED[name]}\n{hover}"
    if name not in REPORTED:
        value = record.in_force.get(name, math.nan)
        return minus(f"{quantity.shown(value)}{_unit(quantity)}"), TEXT, raw(quantity, value)
    value = record.estimate.values[name]
    if not math.isfinite(value):
        return f"▲ –{_unit(quantity)}", LOOK, why_unusable(record, name)
    text, hover = _with_error(quantity, value, record.estimate.stderr[name])
    return text, TEXT, hover


def _unit(quantity: Quantity) -> str:
    return f" {quantity.shown_unit}".rstrip()


def _with_error(quantity: Quantity, value: float, stderr: float) -> tuple[str, str]:
    """Return text and hover."""
    text = minus(quantity.with_error(value, stderr))
    return f"{text}{_unit(quantity)}", raw(quantity, value, stderr)


def share(
    rows: HistoryRows, quantity: Quantity, target: float, tolerance: float
) -> tuple[float, str]:
    """Return the share (0 to 1) of usable drops within tolerance of their target, and in words.

    `target` (of drops that recorded none) and `tolerance` in SI.
    """
    errors = deviations(rows, quantity.name, target)
    found = share_within(errors, tolerance)
    usable = int(np.isfinite(errors).sum())
    within = f"±{quantity.shown(tolerance)} {quantity.shown_unit} about the target in force"
    return found, f"{100 * found:.1f} % in tolerance: of {usable} usable drops in view, {within}"


def kept(record: DropRecord, quantity: Quantity) -> str:
    """Write everything about one quantity of a drop that is kept in full."""
    text, _, hover = newest(record, quantity)
    note = f"\nnote: {record.note}" if record.note else ""
    return f"drop {record.drop_id}: {text}\n{hover}\n{record.decision.in_words()}{note}"


def beside(snapshot: Snapshot) -> tuple[HistoryRows, str]:
    """Return what a replay shows beside its own numbers, and how that is called.

    Without rows where there is neither, or nothing that differs.
    """
    replay = snapshot.replay
    if replay is None:
        return NO_HISTORY, ""
    if replay.supposed is not None and len(replay.supposed.rows):
        return replay.supposed.rows, f"╌ what if: {replay.supposed.words}"
    return (replay.recorded, "╌ as recorded") if replay.different else (NO_HISTORY, "")


def value_at(rows: HistoryRows, quantity: Quantity, drop_id: int) -> str:
    """Write the value of one drop; empty where there is none."""
    found = rows[rows["drop_id"] == drop_id]
    return _last_value(found, quantity).rstrip() if len(found) else ""


def _last_value(rows: HistoryRows, quantity: Quantity) -> str:
    value, stderr = (float(one[-1]) for one in column(rows, quantity.name))
    return f"{minus(quantity.with_error(value, stderr))} {quantity.shown_unit}"


def older(rows: HistoryRows, quantity: Quantity, drop_id: int) -> str:
    """Write what is still known of a drop that is not kept in full any more."""
    found = rows[rows["drop_id"] == drop_id]
    if not len(found):
        return ""
    value = _last_value(found, quantity)
    return f"drop {drop_id}: {value}\n{words(found, -1)}\nmagis-calib why tells more"
