"""Every gate and hold of the loop.

What it stops, how often it does so without need, and the way out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from magis_calib.domain.control import RuleVerdict


@dataclass(frozen=True, slots=True)
class Rule:
    """One gate or hold. A gate uses nothing of a drop.

    A hold freezes the setpoints and goes on measuring.
    """

    name: str
    kind: Literal["gate", "hold"]
    false_alarms_per_1000: float
    """Of healthy drops; docs/loop.md says where the number comes from."""
    way_out: str

    def passed(self, words: str) -> RuleVerdict:
        """Return that a drop passed."""
        return RuleVerdict(self.name, True, words)

    def failed(self, words: str, code: str = "") -> RuleVerdict:
        """Return that a drop was stopped, and by which of several causes."""
        return RuleVerdict(self.name, False, words, code)

    def judged(self, passed: bool, words: str) -> RuleVerdict:
        """Return whether a drop passed."""
        return RuleVerdict(self.name, passed, words)


NEXT_DROP = "the next drop that passes is used"
SEQUENCE = Rule("sequence", "gate", 0.0, "the next interferometer drop is used")
FRESH = Rule("fresh", "gate", 0.0, "the next drop in order, decided in time, is used")
USABLE = Rule("usable", "gate", 0.2, NEXT_DROP)
COVARIANCE = Rule("covariance", "gate", 0.0, NEXT_DROP)
ATOMS = Rule("atoms", "gate", 0.0, "three in a row that agree are the new number of atoms")
WHEREABOUTS = Rule(
    "whereabouts",
    "hold",
    0.0,
    "goes on when all read as commanded, or once the loop is closed there",
)
JUMP = Rule("jump", "gate", 0.36, "three in a row that agree are a real step and are followed")
CAPTURE = Rule(
    "capture",
    "hold",
    0.0,
    "bring the fringe back by hand; or close the loop again: it is taken as it is",
)
SURPRISE = Rule("surprise", "hold", 0.01, "goes on when the last 8 innovations are credible again")
RESPONSE = Rule("response", "hold", 0.05, "look at the actuator, then close the loop again")
LIMIT = Rule(
    "limit",
    "hold",
    0.0,
    "goes on when the correction points inwards; closing the loop approves the point",
)
CONTROLLERS = Rule("controllers", "hold", 0.0, "goes on when they are back and ready")
RULES = {
    rule.name: rule
    for rule in (
        *(SEQUENCE, FRESH, USABLE, COVARIANCE, ATOMS, WHEREABOUTS, JUMP),
        *(CAPTURE, SURPRISE, RESPONSE, LIMIT, CONTROLLERS),
    )
}
