"""`magis-calib ledger SESSION`: what was decided after each drop of a session, a line each, or as
CSV.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import get_args

from magis_calib.cli.options import add_session_argument, check_folder
from magis_calib.cli.telling import telling
from magis_calib.domain.control import Outcome
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import SessionError
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES, utc_moment
from magis_calib.host.command_line import Parser
from magis_calib.host.files import replace_text
from magis_calib.host.terminal import visible
from magis_calib.recording.probe import opened


def run(asked: argparse.Namespace) -> int:
    """List, filter and export."""
    check_folder(asked.csv)
    with opened(asked.session) as session, telling(asked.session, "its decisions"):
        known, wrong = session.readable()
        if wrong and not known:
            raise SessionError(wrong[0])
        records = [one for one in known if _wanted(one, asked)]
        code = _written(records, asked)
    if wrong:
        print(
            f"magis-calib ledger: {len(wrong)} records cannot be read: {wrong[0]}", file=sys.stderr
        )
    return int(bool(wrong)) or code


def _written(records: Sequence[DropRecord], asked: argparse.Namespace) -> int:
    if asked.csv:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(_table(records))
        replace_text(asked.csv, text.getvalue())
        print(f"{len(records)} drops written to {asked.csv}")
        return 0
    for one in records:
        print(f"{one.drop_id:6d}  {utc_moment(one.time_ns)}  {visible(one.decision.in_words())}")
    return 0


def add_options(parser: Parser) -> None:
    """Add the options of this command."""
    add_session_argument(parser)
    parser.add_argument("--outcome", choices=get_args(Outcome), help="only drops with this outcome")
    parser.add_argument("--from", dest="first", type=int, metavar="N", help="only from drop N on")
    parser.add_argument("--to", dest="last", type=int, metavar="N", help="only up to drop N")
    parser.add_argument(
        "--reason", default="", metavar="TEXT", help="only where the reason holds this text"
    )
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="write a table (SI) instead of printing lines"
    )


def _wanted(record: DropRecord, arguments: argparse.Namespace) -> bool:
    return (
        arguments.outcome in (None, record.decision.outcome)
        and _lies_between(record.drop_id, arguments.first, arguments.last)
        and arguments.reason in record.decision.reason
    )


def _lies_between(drop_id: int, first: int | None, last: int | None) -> bool:
    return (first is None or drop_id >= first) and (last is None or drop_id <= last)


ABOUT = ("drop_id", "time_ns", "outcome", "reason", "latched", "failed", "used", "effective_drop")
MEASURED = (
    "measured",
    "stderr",
    "predicted",
    "response",
    "innovation",
    "innovation_sigma",
    "error",
)
"""What is told of each observable."""
MOVED = ("in_force", "proposed", "limited", "sent", "readback")
"""What is told of each actuator."""


def _table(records: Sequence[DropRecord]) -> Iterator[list[object]]:
    """Yield a head and a row for each drop; what there is not stays empty."""
    moved = sorted({name for one in records for name in one.in_force}, key=list(ACTUATORS).index)
    yield [
        *ABOUT,
        *(f"{name} {word}" for name in OBSERVABLES for word in MEASURED),
        *(f"{name} {word}" for name in moved for word in MOVED),
    ]
    for record in records:
        yield [
            *_about(record),
            *(_cell(one.get(name)) for name in OBSERVABLES for one in _measured(record)),
            *(_cell(one.get(name)) for name in moved for one in _moved(record)),
        ]


def _about(record: DropRecord) -> list[object]:
    """Return what is told of a drop, in the order of `ABOUT`."""
    decision = record.decision
    return [
        record.drop_id,
        record.time_ns,
        decision.outcome,
        decision.reason,
        decision.latched,
        " ".join(one.rule for one in decision.verdicts if not one.passed),
        " ".join(decision.used),
        decision.effective_drop,
    ]


def _measured(record: DropRecord) -> list[Mapping[str, float]]:
    """Return what is told of observables, in the order of `MEASURED`."""
    proposal, found = record.decision.proposal, record.decision.expectation
    expected = (
        (found.prediction, found.response, found.innovation, found.innovation_sigma)
        if found
        else ({}, {}, {}, {})
    )
    estimate = record.estimate
    return [estimate.values, estimate.stderr, *expected, proposal.error if proposal else {}]


def _moved(record: DropRecord) -> list[Mapping[str, float]]:
    """Return what is told of actuators, in the order of `MOVED`."""
    decision = record.decision
    wanted = decision.proposal
    went = (wanted.proposed, wanted.limited) if wanted else ({}, {})
    return [record.in_force, *went, decision.sent, decision.readback]


def _cell(value: float | None) -> object:
    return "" if value is None or value != value else repr(value)
