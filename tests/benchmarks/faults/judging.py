"""Runs one row of the table and says what was observed, and what of it is not as stated."""

from __future__ import annotations

import traceback
from pathlib import Path

from tests.benchmarks.faults.expecting import Row
from tests.benchmarks.faults.running import OPERATOR_AFTER, Seen, run
from tests.benchmarks.faults.table import ROWS

RECOVERS_WITHIN = 12
"""Good drops after a fault, or after the operator closed the loop again."""


def judged(folder: Path, number: int) -> tuple[str, str]:
    """Return what was observed, and what of it is not as stated."""
    row = ROWS[number]
    try:
        seen = run(
            row.faults,
            row.last,
            row.operator,
            row.disk,
            folder / f"{number:02}-{row.name.replace(' ', '-')}",
        )
    except Exception:
        return "the run broke", traceback.format_exc()
    return _observed(seen), "; ".join(filter(None, (row.judge(seen), _as_always(row, seen))))


def _observed(seen: Seen) -> str:
    outcomes: dict[str, int] = {}
    for one in seen.during():
        outcomes[one.decision.outcome] = outcomes.get(one.decision.outcome, 0) + 1
    words = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
    first = next(
        (
            one.decision.reason or "; ".join(one.estimate.reasons)
            for one in seen.during()
            if one.decision.outcome != "applied"
        ),
        "",
    )
    return (
        f"{words}{f' ({first[:90]})' if first else ''}; again after {seen.until_corrected()} drops"
    )


def _as_always(row: Row, seen: Seen) -> str:
    """Say what must not be in any run."""
    wrong = []
    again, room = seen.until_corrected(), RECOVERS_WITHIN + OPERATOR_AFTER * row.operator
    if not row.for_good and (again is None or again > room):
        wrong.append(f"corrects again after {again} drops, wanted at most {room}")
    if seen.unexplained:
        wrong.append(f"drops without a name for what they lack: {seen.unexplained[:10]}")
    if seen.violations:
        wrong.append(f"{seen.violations} limits broken")
    if seen.loop_fault and not row.for_good:
        wrong.append(f"at the end: {seen.loop_fault}")
    if not all(change.cause for change in seen.safety):
        wrong.append("a safety state without a cause")
    return "; ".join(wrong)
