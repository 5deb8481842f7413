"""A recording as it would have been with other targets and gains."""

from __future__ import annotations

from dataclasses import dataclass, field

from magis_calib.state.history import NO_HISTORY, HistoryRows


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean error from the target and root mean square about it (SI)."""

    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Beside:
    """What happened to one observable, beside what is predicted."""

    name: str
    happened: Spread
    predicted: Spread


@dataclass(frozen=True, slots=True, eq=False)
class WhatIfState:
    """What is predicted of a whole recording; without rows while that is being worked out."""

    words: str
    """What is supposed."""
    done: int
    """Drops predicted so far."""
    planned: int
    rows: HistoryRows = field(default_factory=lambda: NO_HISTORY)
    """The numbers of all drops with known setpoints, predicted."""
    spreads: tuple[Beside, ...] = ()
    """How each observable lies about its target."""
    held: str = ""
    """After how many drops nothing would have been sent although something was, and why.

    Empty for none.
    """
    problem: str = ""
    """Why nothing could be predicted."""
