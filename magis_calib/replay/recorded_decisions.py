"""What the ledger of a recording tells about what was around each drop: who wanted nothing sent,
and since when.
"""

from __future__ import annotations

from magis_calib.domain.control import Decision, RuleVerdict
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.domain.rules import CAPTURE, FRESH, HANDS, RESPONSE, WHEREABOUTS, Rule
from magis_calib.estimation.sequence import NOT_FITTED
from magis_calib.feedback.gates import STALE_AFTER_S
from magis_calib.state.procedure import POKE_FAILED
from magis_calib.state.snapshot import WISHES

WAVES = [name for name in OBSERVABLES if name.startswith("fringe_")]


def is_judged(record: DropRecord) -> bool:
    """Whether the loop was asked about this drop."""
    return record.complete and bool(record.in_force) and record.sequence_type not in NOT_FITTED


def wish_of(decision: Decision) -> str:
    """Return why the operator, a procedure or a fault wanted nothing sent after this drop.

    Empty where none is told.
    """
    outside = decision.reason in WISHES.values() or decision.reason.startswith(
        ("fault: ", POKE_FAILED)
    )
    return decision.reason if decision.outcome == "held" and outside else ""


def trouble_of(decision: Decision) -> str:
    """Return what kept the controllers from being sent anything; empty where nothing did."""
    return _objection(decision, HANDS)


def astray_of(decision: Decision) -> str:
    """Return which actuators read other than commanded; empty where none is told."""
    return _objection(decision, WHEREABOUTS)


def waited_s(record: DropRecord) -> float:
    """Return an age at which this drop is as stale, or as fresh, as it was when it was decided."""
    found = _verdict(record.decision, FRESH)
    stale = found is not None and not found.passed and found.words.startswith("stale")
    return 2.0 * STALE_AFTER_S if stale else 0.0


class Closings:
    """Tells where the operator closed the loop again. Ask about every record, in order."""

    def __init__(self) -> None:
        """Begin before the first record."""
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget what was: another run begins."""
        self._wish = ""
        self._latched: set[str] = set()

    def before(self, record: DropRecord) -> bool:
        """Return whether the loop was closed anew between the record asked about last and this
        one.
        """
        decision = record.decision
        closed = RESPONSE.name in self._latched and _passes(decision, RESPONSE)
        closed = closed or (
            CAPTURE.name in self._latched and _passes(decision, CAPTURE) and _begins_anew(decision)
        )
        if decision.proposal is not None:
            wish = wish_of(decision)
            closed = closed or (self._wish not in ("", WISHES["procedure"]) and not wish)
            self._wish = wish
        if decision.verdicts:
            self._latched = {one.rule for one in decision.verdicts if not one.passed}
        return closed


def _objection(decision: Decision, rule: Rule) -> str:
    found = _verdict(decision, rule)
    return found.words if found is not None and not found.passed else ""


def _passes(decision: Decision, rule: Rule) -> bool:
    found = _verdict(decision, rule)
    return found is not None and found.passed


def _begins_anew(decision: Decision) -> bool:
    """Whether the fringe was measured, but there was no prediction to compare it with."""
    found = decision.expectation
    return found is not None and any(
        one in found.disturbance and one not in found.innovation for one in WAVES
    )


def _verdict(decision: Decision, rule: Rule) -> RuleVerdict | None:
    return next((one for one in decision.verdicts if one.rule == rule.name), None)
