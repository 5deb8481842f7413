"""A loop that knows what it knew at some drop: it is taught the estimates before."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from magis_calib.config.station import Station
from magis_calib.domain.control import ParameterFacts
from magis_calib.domain.drop_record import DropRecord
from magis_calib.feedback.evaluation import DropContext
from magis_calib.feedback.loop import Loop
from magis_calib.replay.recorded_actuators import configured_facts
from magis_calib.replay.recorded_decisions import (
    Closings,
    RecordedSurroundings,
    is_judged,
    unwanted_of,
    waited_s,
)


def learned(
    station: Station,
    records: Iterable[DropRecord],
    closings: Closings,
    restarts: Container[int],
    *,
    as_recorded: bool,
) -> Loop:
    """Return a loop that has seen these records, in order; `closings` is asked about each.

    At `restarts` a run began that knew nothing of the drops before. `as_recorded`: with the gains
    of each drop, and not only those of `station`.
    """
    loop = Loop(station)
    facts = configured_facts(station.loop)
    for record in records:
        if as_recorded:
            loop.follow(record)
        if record.drop_id in restarts:
            loop.begin_anew()
            closings.begin_anew()
        if closings.before(record):
            loop.resume(record.in_force)
        if is_judged(record):
            _teach(loop, record, facts)
    return loop


def _teach(loop: Loop, record: DropRecord, facts: Mapping[str, ParameterFacts]) -> None:
    around = RecordedSurroundings(record.decision, record.in_force, facts)
    unwanted = unwanted_of(record.decision)
    at = DropContext.of(around, record.in_force, unwanted, waited_s(record))
    loop.judge(record.estimate, record.sequence_type, at)
