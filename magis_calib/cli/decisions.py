"""`magis-calib ledger SESSION`: what was decided after each drop of a session, a line each, or as
CSV.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

from magis_calib.domain.control import Outcome
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import SessionError
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES, utc_moment
from magis_calib.recording.probe import opened


def main(argv: Sequence[str]) -> int:
    """List, filter and export.

    Exit 0, or 2 where the session cannot be read or the file cannot be written.
    """
    arguments = _parser().parse_args(argv)
    try:
        with opened(arguments.session) as session:
            records = [one for one in session.records if _wanted(one, arguments)]
        if arguments.csv:
            with arguments.csv.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(_table(records))
            print(f"{len(records)} drops written to {arguments.csv}")
        else:
            for record in records:
                print(
                    f"{record.drop_id:6d}  {utc_moment(record.time_ns)}  "
                    f"{record.decision.in_words()}"
                )
    except (SessionError, OSError) as error:
        print(f"magis-calib ledger: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="magis-calib ledger", description=__doc__)
    parser.add_argument(
        "session", type=Path, metavar="SESSION", help="folder of a recorded session"
    )
    parser.add_argument("--outcome", choices=get_args(Outcome), help="only drops with this outcome")
    parser.add_argument("--from", dest="first", type=int, metavar="N", help="only from drop N on")
    parser.add_argument("--to", dest="last", type=int, metavar="N", help="only up to drop N")
    parser.add_argument(
        "--reason", default="", metavar="TEXT", help="only where the reason holds this text"
    )
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="write a table (SI) instead of printing lines"
    )
    return parser


def _wanted(record: DropRecord, arguments: argparse.Namespace) -> bool:
    return (
        arguments.outcome in (None, record.decision.outcome)
        and (arguments.first is None or record.drop_id >= arguments.first)
        and (arguments.last is None or record.drop_id <= arguments.last)
        and arguments.reason in record.decision.reason
    )


def _table(records: Sequence[DropRecord]) -> Iterator[list[object]]:
    """Yield a head and a row for each drop; what there is not stays empty."""
    moved = sorted({name for one in records for name in one.in_force}, key=list(ACTUATORS).index)
    told = (
        "measured",
        "stderr",
        "predicted",
        "response",
        "innovation",
        "innovation_sigma",
        "error",
    )
    went = ("in_force", "proposed", "limited", "sent", "readback")
    yield [
        "drop_id",
        "time_ns",
        "outcome",
        "reason",
        "latched",
        "failed",
        "used",
        "effective_drop",
        *(f"{name} {word}" for name in OBSERVABLES for word in told),
        *(f"{name} {word}" for name in moved for word in went),
    ]
    for record in records:
        decision = record.decision
        proposal = record.decision.proposal
        found = record.decision.expectation
        row: list[object] = [
            record.drop_id,
            record.time_ns,
            decision.outcome,
            decision.reason,
            decision.latched,
            " ".join(one.rule for one in decision.verdicts if not one.passed),
            " ".join(decision.used),
            decision.effective_drop,
        ]
        measured = [record.estimate.values, record.estimate.stderr]
        expected = [
            *(
                [found.prediction, found.response, found.innovation, found.innovation_sigma]
                if found
                else [{}] * 4
            ),
            proposal.error if proposal else {},
        ]
        row += [_cell(one.get(name)) for name in OBSERVABLES for one in (*measured, *expected)]
        ways = [
            record.in_force,
            *([proposal.proposed, proposal.limited] if proposal else [{}, {}]),
            decision.sent,
            decision.readback,
        ]
        row += [_cell(one.get(name)) for name in moved for one in ways]
        yield row


def _cell(value: float | None) -> object:
    return "" if value is None or value != value else repr(value)
