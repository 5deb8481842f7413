"""Counts and rows of all drops of a run, for its snapshots."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field, replace

from magis_calib.domain.drop_record import DropRecord
from magis_calib.run.untold import Untold
from magis_calib.state.history import History
from magis_calib.state.snapshot import Counters

RECORDS_KEPT = 250
"""Drops that are kept in full; of all others there are the numbers, and the session."""
STAGES_KEPT = 100_000


@dataclass(slots=True)
class RunHistory:
    """What the worker knows of the drops so far. One thread writes it.

    Others may read all but `stage_s`: what they see is replaced, never changed.
    """

    counters: Counters = field(default_factory=Counters)
    records: tuple[DropRecord, ...] = ()
    """The newest drops, oldest first."""
    history: History = field(default_factory=History)
    stage_s: dict[str, array[float]] = field(default_factory=dict)
    """Durations of every stage of the newest drops; grows as long as the run goes on."""
    untold: Untold = field(default_factory=Untold)
    """Which views and observables told nothing."""
    closed_after: int = 0
    """The newest drop when the operator closed the loop: what was held until then says nothing of
    it.
    """

    def add(self, record: DropRecord) -> None:
        """Take in one finished drop."""
        self.recall(record)
        self.counters = _counted(self.counters, record)
        self.untold = self.untold.with_drop(record)
        for stage, seconds in record.durations_s.items():
            durations = self.stage_s.setdefault(stage, array("d"))
            durations.append(seconds)
            if len(durations) > 2 * STAGES_KEPT:
                del durations[:STAGES_KEPT]

    def recall(self, record: DropRecord) -> None:
        """Remember a drop that was counted elsewhere."""
        self.records = (*self.records[1 - RECORDS_KEPT :], record)
        self.history.add(record)

    def closed(self) -> None:
        """Note that the operator closes the loop: what is wrong is judged by what comes now."""
        self.closed_after = max((one.drop_id for one in self.records), default=0)
        self.untold = replace(self.untold, silences={})

    def note(self, drop_id: int, text: str) -> DropRecord | None:
        """Write a remark beside a drop and return its record; None where it is no longer kept."""
        noted = next((one for one in self.records if one.drop_id == drop_id), None)
        if noted is None:
            return None
        fresh = replace(noted, note=text)
        self.records = tuple(fresh if one is noted else one for one in self.records)
        return fresh

    @property
    def outcomes(self) -> int:
        """How many drops have their outcome."""
        return self.counters.complete + self.counters.incomplete


def _counted(counters: Counters, record: DropRecord) -> Counters:
    """Add one drop's outcome."""
    outcome = record.decision.outcome
    tried = bool(record.decision.sent)
    return replace(
        counters,
        complete=counters.complete + record.complete,
        incomplete=counters.incomplete + (not record.complete),
        usable=counters.usable + record.estimate.usable,
        sent=counters.sent + tried,
        applied=counters.applied + (outcome == "applied"),
        refused=counters.refused + (outcome in ("refused", "half_applied", "unverified")),
        held=counters.held + (outcome == "held"),
    )
