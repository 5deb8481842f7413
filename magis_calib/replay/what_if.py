"""What other gains, targets or another matrix would have given, by what was recorded.

What disturbs the station does not depend on the setpoints: an observable would have been what was
measured, plus the recorded matrix times the difference of the setpoints. A loop of its own judges
these observables, drop by drop.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace

from magis_calib.config.station import Station
from magis_calib.domain.control import NOT_SENT, Hold, Proposal, Setpoints
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.estimate import StationEstimate
from magis_calib.domain.quantities import OBSERVABLES, wrap_error
from magis_calib.feedback.evaluation import DropContext, Evaluation
from magis_calib.feedback.loop import Loop
from magis_calib.feedback.response_matrix import Response
from magis_calib.replay.changes import Changes
from magis_calib.replay.recorded_actuators import configured_facts
from magis_calib.replay.recorded_decisions import (
    Closings,
    RecordedSurroundings,
    is_judged,
    unwanted_of,
    waited_s,
)
from magis_calib.replay.two_timelines import TwoTimelines


@dataclass(frozen=True, slots=True, eq=False)
class Otherwise:
    """One drop as it was, and as it would have been."""

    record: DropRecord
    in_force: Setpoints
    estimate: StationEstimate
    targets: dict[str, float]
    hold: str = ""
    """Why nothing would have been sent although something was; empty where neither or both."""

    def difference(self) -> str:
        """Name the first thing that is not as recorded; empty where all is, to the last bit."""
        for name, value in self.record.in_force.items():
            if self.in_force[name] != value:
                return (
                    f"drop {self.record.drop_id}, {name}: was {value!r}, predicted "
                    f"{self.in_force[name]!r}"
                )
        for name, value in self.record.estimate.values.items():
            now = self.estimate.values[name]
            if now != value and not (math.isnan(now) and math.isnan(value)):
                return f"drop {self.record.drop_id}, {name}: was {value!r}, predicted {now!r}"
        return ""


def what_if(
    recorded: Station,
    station: Station,
    changes: Changes,
    records: Sequence[DropRecord],
    restarts: Container[int] = (),
) -> Iterator[Otherwise]:
    """Yield every drop whose setpoints are known. `station`: the recorded one with the changes.

    At `restarts` a run began that knew nothing of the drops before.
    """
    known = [record for record in records if record.in_force]
    if not known:
        return
    run = _Imagined(station, Response.of(recorded), TwoTimelines(known[0].in_force))
    for record in known:
        yield run.drop(changes.over(record), record, begins=record.drop_id in restarts)


class _Imagined:
    """A run as it would have been, drop by drop."""

    def __init__(self, station: Station, happened: Response, ways: TwoTimelines) -> None:
        """`happened`: the matrix that was in force; `ways`: both ways of the setpoints."""
        self._loop = Loop(station)
        self._happened = happened
        self._ways = ways
        self._closings = Closings()
        self._unwanted: Hold | None = None

    def drop(self, followed: DropRecord, record: DropRecord, *, begins: bool) -> Otherwise:
        """Return what a drop would have been.

        `followed`: its record with the targets and gains to be in force; `begins`: a run began.
        """
        in_force = self._ways.at(record)
        was_commanded, commanded = self._ways.commanded()
        self._loop.follow(followed)
        if begins:
            self._loop.begin_anew()
            self._closings.begin_anew()
        if self._closings.before(record):
            self._loop.resume(commanded)
        estimate = _moved(record, in_force, self._happened)
        judged = self._judged(record, estimate, in_force, commanded)
        limited = None
        if judged is not None and judged.hold is None and judged.proposal is not None:
            same_start = commanded == was_commanded
            limited = None if _prevented(record) else _limited(judged.proposal, record, same_start)
        self._ways.sent(record.decision, limited)
        stopped = judged.hold if judged and record.decision.outcome == "applied" else None
        hold = stopped.words if stopped else ""
        return Otherwise(record, in_force, estimate, dict(self._loop.targets), hold)

    def _judged(
        self,
        record: DropRecord,
        estimate: StationEstimate,
        in_force: Setpoints,
        commanded: Setpoints,
    ) -> Evaluation | None:
        """Return what the loop makes of the drop; None where it was not asked about it."""
        if not is_judged(record):
            return None
        decision = record.decision
        if decision.proposal is not None:
            self._unwanted = unwanted_of(decision)
        around = RecordedSurroundings(decision, commanded, configured_facts(self._loop.config))
        at = DropContext.of(around, in_force, self._unwanted, waited_s(record))
        return self._loop.judge(estimate, record.sequence_type, at)


def _moved(record: DropRecord, in_force: Setpoints, response: Response) -> StationEstimate:
    """Return what would have been measured with these setpoints."""
    away = response.vector(in_force) - response.vector(record.in_force)
    if not away.any():
        return record.estimate
    values = dict(record.estimate.values)
    for name, moved in zip(OBSERVABLES, (response.matrix @ away).tolist(), strict=True):
        values[name] = (
            wrap_error(name, values[name] + moved) if math.isfinite(values[name]) else values[name]
        )
    return replace(record.estimate, values=values)


def _prevented(record: DropRecord) -> bool:
    """Whether something was sent that did not arrive whole: so it would have been, too."""
    decision = record.decision
    return decision.outcome not in ("applied", "held") or decision.code in NOT_SENT


def _limited(proposal: Proposal, record: DropRecord, same_start: bool) -> Setpoints:
    """Return where the setpoints would go.

    Limits of the controllers are not in the recording, those of the configuration may be wider by a
    read-back's tolerance: where the same was wanted from the same place, the limited move is the
    recorded one.
    """
    before = record.decision.proposal
    same = same_start and before is not None and proposal.proposed == before.proposed
    return before.limited if same and before is not None else proposal.limited
