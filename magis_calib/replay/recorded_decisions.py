"""What a recorded ledger tells of a drop's surroundings: who wanted nothing sent, since when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from magis_calib.domain.control import (
    NOT_WANTED,
    Decision,
    Hold,
    ParameterFacts,
    RuleVerdict,
    Setpoints,
)
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.domain.rules import CAPTURE, CONTROLLERS, FRESH, RESPONSE, WHEREABOUTS, Rule
from magis_calib.estimation.sequence import NOT_FITTED
from magis_calib.feedback.gates import STALE, STALE_AFTER_S

WAVES = [name for name in OBSERVABLES if name.startswith("fringe_")]


def is_judged(record: DropRecord) -> bool:
    """Whether the loop was asked about this drop."""
    return record.complete and bool(record.in_force) and record.sequence_type not in NOT_FITTED


def unwanted_of(decision: Decision) -> Hold | None:
    """Return why the operator, a procedure or a fault wanted nothing sent; None where not told."""
    outside = decision.outcome == "held" and decision.code in NOT_WANTED
    return Hold(decision.code, decision.reason) if outside else None


def waited_s(record: DropRecord) -> float:
    """Return an age at which this drop is as stale, or as fresh, as it was when it was decided."""
    found = _verdict(record.decision, FRESH)
    return 2.0 * STALE_AFTER_S if found is not None and found.code == STALE else 0.0


def astray_of(decision: Decision) -> str:
    """Return which actuators read other than commanded; empty where none is told."""
    return _failed_words(decision, WHEREABOUTS)


@dataclass(frozen=True, slots=True)
class RecordedSurroundings:
    """What was around a drop, as its decision tells it."""

    decision: Decision
    stands: Setpoints
    """Where the actuators go by everything sent so far, in the run that is imagined."""
    facts: Mapping[str, ParameterFacts]

    @property
    def held(self) -> str:
        """What kept the controllers from being sent anything; empty where nothing did."""
        return _failed_words(self.decision, CONTROLLERS)

    @property
    def astray(self) -> str:
        """Which actuators read other than commanded; empty where none is told."""
        return astray_of(self.decision)

    def commanded(self) -> Setpoints:
        """Return where the actuators go by everything sent so far."""
        return self.stands


class Closings:
    """Tells where the operator closed the loop again. Ask about every record, in order."""

    def __init__(self) -> None:
        """Begin before the first record."""
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget what was: another run begins."""
        self._unwanted = ""
        self._latched: set[str] = set()

    def before(self, record: DropRecord) -> bool:
        """Return whether the loop was closed anew since the record asked about last."""
        decision = record.decision
        closed = RESPONSE.name in self._latched and _passes(decision, RESPONSE)
        closed = closed or (
            CAPTURE.name in self._latched and _passes(decision, CAPTURE) and _begins_anew(decision)
        )
        if decision.proposal is not None:
            unwanted = unwanted_of(decision)
            code = unwanted.code if unwanted else ""
            closed = closed or (self._unwanted not in ("", "procedure") and not code)
            self._unwanted = code
        if decision.verdicts:
            self._latched = {one.rule for one in decision.verdicts if not one.passed}
        return closed


def _failed_words(decision: Decision, rule: Rule) -> str:
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
