"""What the loop is asked about a drop, and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from magis_calib.domain.control import Decision, ParameterFacts, Proposal, RuleVerdict, Setpoints
from magis_calib.feedback.innovation import Innovation


@dataclass(frozen=True, slots=True)
class DropContext:
    """What is around a drop when it is judged."""

    in_force: Setpoints
    """What its atoms saw."""
    commanded: Setpoints
    """Where the actuators go by everything sent so far."""
    facts: Mapping[str, ParameterFacts]
    wish: str = ""
    """Why the operator, or a fault, does not want anything sent.

    Empty where corrections are wanted.
    """
    trouble: str = ""
    """Why the controllers cannot or should not be sent anything; empty where they are ready."""
    astray: str = ""
    """Which actuators read other than commanded: nobody knows what the atoms saw.

    Empty where none does.
    """
    waited_s: float = 0.0
    """Since the drop's last frame."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the loop makes of one drop."""

    hold: str
    """Why nothing is to be sent; empty where the proposal is."""
    not_used: Mapping[str, str]
    used: tuple[str, ...] = ()
    found: Innovation | None = None
    """The drop beside what was expected of it; None where it did not come to that."""
    proposal: Proposal | None = None
    verdicts: tuple[RuleVerdict, ...] = ()
    latched: bool = False

    def held(self, drop_id: int, decided_ns: int) -> Decision:
        """Write it as the ledger's entry of which nothing was sent (yet)."""
        expectation = self.found.named() if self.found is not None else None
        return Decision(
            drop_id,
            decided_ns,
            "held",
            self.hold,
            self.used,
            self.not_used,
            expectation,
            self.proposal,
            self.verdicts,
            self.latched,
        )
