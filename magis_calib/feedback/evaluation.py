"""What the loop is asked about a drop, and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self

from magis_calib.domain.control import (
    Decision,
    Hold,
    ParameterFacts,
    Proposal,
    RuleVerdict,
    Setpoints,
)
from magis_calib.feedback.innovation import Innovation


class Surroundings(Protocol):
    """Who knows what is around a drop: the live controllers, or a recording."""

    @property
    def facts(self) -> Mapping[str, ParameterFacts]:
        """Limits of every parameter."""

    @property
    def held(self) -> str:
        """Why nothing can or should be sent now; empty when the controllers are ready."""

    @property
    def astray(self) -> str:
        """Which actuators read other than commanded; empty where none does."""

    def commanded(self) -> Setpoints:
        """Return the setpoints commanded last."""


@dataclass(frozen=True, slots=True)
class DropContext:
    """What is around a drop when it is judged."""

    in_force: Setpoints
    """What its atoms saw."""
    commanded: Setpoints
    """Where the actuators go by everything sent so far."""
    facts: Mapping[str, ParameterFacts]
    unwanted: Hold | None = None
    """Why the operator, a procedure or a fault does not want anything sent; None where they do."""
    trouble: str = ""
    """Why the controllers cannot or should not be sent anything; empty where they are ready."""
    astray: str = ""
    """Which actuators read other than commanded: nobody knows what the atoms saw.

    Empty where none does.
    """
    waited_s: float = 0.0
    """Since the drop's last frame."""

    @classmethod
    def of(
        cls, around: Surroundings, in_force: Setpoints, unwanted: Hold | None, waited_s: float
    ) -> Self:
        """Return what is around a drop whose atoms saw these setpoints: live, replayed, what if."""
        return cls(
            in_force,
            around.commanded(),
            around.facts,
            unwanted,
            around.held,
            around.astray,
            waited_s,
        )


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the loop makes of one drop."""

    hold: Hold | None
    """Why nothing is to be sent; None where the proposal is."""
    not_used: Mapping[str, str]
    used: tuple[str, ...] = ()
    found: Innovation | None = None
    """The drop beside what was expected of it; None where it did not come to that."""
    proposal: Proposal | None = None
    verdicts: tuple[RuleVerdict, ...] = ()
    latched: bool = False
    phase_random: bool = False

    def held(self, drop_id: int, decided_ns: int) -> Decision:
        """Write it as the ledger's entry of which nothing was sent (yet)."""
        return Decision(
            drop_id,
            decided_ns,
            "held",
            self.hold.words if self.hold else "",
            self.used,
            self.not_used,
            self.found.named() if self.found is not None else None,
            self.proposal,
            self.verdicts,
            self.latched,
            code=self.hold.code if self.hold else "",
            phase_random=self.phase_random,
        )
