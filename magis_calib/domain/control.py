"""Setpoints, what controllers say about them, and what was decided for one drop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, Self, get_args

Setpoints = Mapping[str, float]
"""Absolute values in SI by actuator name. Never steps."""


@dataclass(frozen=True, slots=True)
class ParameterFacts:
    """What a controller's `describe` says about one parameter (SI)."""

    name: str
    unit: str
    minimum: float
    maximum: float
    step_limit: float
    """Largest change in one write."""
    direction: Literal[1, -1]
    """Sign of the motion for a rising setpoint, as the laboratory counts it."""
    resolution: float
    readback_tolerance: float
    settle_time_s: float

    @property
    def sure_step(self) -> float:
        """Largest step from a read-back that the controller takes.

        It may itself stand off by the tolerance.
        """
        return max(0.0, self.step_limit - self.readback_tolerance)


@dataclass(frozen=True, slots=True)
class WriteAnswer:
    """A controller's answer to a write: what it reads back, and the first drop that sees it."""

    readback: Setpoints
    effective_drop: int | None
    """None where the controller does not know of drops."""


Outcome = Literal[
    "applied",
    "held",
    "refused",
    "half_applied",
    "unverified",
]
"""applied: sent, answered, read back within tolerance. held: nothing was sent. refused: a
controller said no before
anything changed. half_applied: one controller took its part, the other did not. unverified: sent,
but the answer or the read-back is missing or off."""


SHADOW = "shadow: decided and logged, nothing is sent"
"""Why a decision was held while the loop only watches."""


NotWanted = Literal["open", "held", "shadow", "procedure", "poke", "fault", "silent", "recording"]
"""Who or what outside the loop wants nothing sent: the operator's switch, a procedure, a failed
poke, a latched fault, a worker that was silent, a disk that keeps nothing."""
NOT_WANTED: frozenset[str] = frozenset(get_args(NotWanted))
NOT_JUDGED = "not_judged"
"""Code of a drop that the loop was not asked about: incomplete, not fitted, before this run."""
NOTHING_USABLE = "nothing_usable"
NOT_SENT = frozenset({"absent", "unanswered"})
"""Codes of what was to be sent and was not: a controller was away, or did not answer the check."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Why nothing is to be sent: a code to conclude from, and words that a person reads."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """What was expected of one drop, and how it differed.

    By observable, or by channel under its main observable.
    """

    prediction: Mapping[str, float]
    """Observables expected for the setpoints in force for this drop."""
    response: Mapping[str, float]
    """The matrix product in force: matrix · (setpoints in force - nominal)."""
    disturbance: Mapping[str, float]
    """Of each channel: measured minus the response to the setpoints in force."""
    innovation: Mapping[str, float]
    """Of each channel: measured minus predicted disturbance."""
    innovation_sigma: Mapping[str, float]
    """What the filters expected of it."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the control law wants for one drop, sent or not."""

    error: Mapping[str, float]
    """Expected error at the setpoints last commanded, of each observable used."""
    proposed: Setpoints
    """Where the setpoints would go without limits."""
    limited: Setpoints
    """The same inside step caps and ranges."""
    limits: tuple[str, ...]
    """Which caps or ranges bit, in words."""


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """What one gate or hold said of one drop."""

    rule: str
    """Its name, one of `magis_calib.domain.rules.RULES`."""
    passed: bool
    words: str
    """What was looked at, and the limit."""
    code: str = ""
    """Which of several causes it was, where the rule has several."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One entry of the ledger: everything about what was done, or not done, after one drop."""

    drop_id: int
    time_ns: int
    """UTC."""
    outcome: Outcome
    reason: str
    """Why it was held, refused or not verified; empty when applied."""
    used: tuple[str, ...] = ()
    """Observables that entered the correction."""
    not_used: Mapping[str, str] = field(default_factory=dict)
    """Observables that did not, with the reason."""
    expectation: Expectation | None = None
    proposal: Proposal | None = None
    verdicts: tuple[RuleVerdict, ...] = ()
    """Of every gate and hold that was asked, in order."""
    latched: bool = False
    """Held by the loop itself until the operator closes it again."""
    sent: Setpoints = field(default_factory=dict)
    readback: Setpoints = field(default_factory=dict)
    effective_drop: int | None = None
    """First drop taken with the new setpoints."""
    received_to_applied_s: float | None = None
    code: str = ""
    """Why it was held or not done: one of `NOT_WANTED`, `NOT_SENT`, the name of the rule that held
    it, "limit", "refused" …; empty where it was applied. To conclude from; `reason` is for people.
    """
    phase_random: bool = False
    """The phase was not used because it does not repeat from drop to drop."""

    def in_words(self) -> str:
        """One line that a person reads."""
        if self.outcome == "applied":
            moved = len(self.sent)
            return f"applied {moved} setpoints from drop {self.effective_drop} on"
        return f"{self.outcome.replace('_', ' ')}: {self.reason}"


Gain = float | Literal["auto"]


class Bounded(Protocol):
    """Whatever states how far the loop may move one actuator (SI), as its configuration does."""

    @property
    def minimum(self) -> float:
        """Lowest setpoint."""

    @property
    def maximum(self) -> float:
        """Highest setpoint."""

    @property
    def step_cap(self) -> float:
        """Longest step after one drop."""

    @property
    def excursion(self) -> float | Literal["range"]:
        """Longest way from the point that the operator approved last."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far the loop may move one actuator (SI)."""

    minimum: float
    maximum: float
    step_cap: float
    """Longest step after one drop."""
    excursion: float | Literal["range"]
    """Longest way from the point that the operator approved last; "range": no further limit."""

    @classmethod
    def of(cls, actuator: Bounded) -> Self:
        """Return the limits that stand in a configuration."""
        return cls(actuator.minimum, actuator.maximum, actuator.step_cap, actuator.excursion)

    def table(self) -> dict[str, float | str]:
        """Return the limits under their names in a configuration."""
        return {
            "minimum": self.minimum,
            "maximum": self.maximum,
            "step_cap": self.step_cap,
            "excursion": self.excursion,
        }


def gain_in_words(gain: Gain) -> str:
    """Write a gain."""
    return gain if isinstance(gain, str) else f"{gain:.3g}"
