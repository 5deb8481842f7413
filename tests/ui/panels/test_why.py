"""What stopped a drop is marked by what is recorded of it, not by the words that tell it."""

from __future__ import annotations

import re

from magis_calib.domain.control import Decision, RuleVerdict
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.estimate import unusable_station
from ui.panels.ledger.why import story

VERDICTS = (
    RuleVerdict("first", True, "the mirror STOPPED ringing"),
    RuleVerdict("second", False, "nothing remarkable"),
    RuleVerdict("third", True, "fine"),
)


def test_a_line_is_marked_where_a_gate_stopped_the_drop_or_the_fit_is_unusable() -> None:
    record = DropRecord(
        7,
        0,
        "interferometer",
        True,
        unusable_station(7, "too dark", "too small"),
        Decision(7, 0, "held", "second", verdicts=VERDICTS),
        {},
        {},
        note="the pump STOPPED",
    )
    marked = re.findall(r"▲ ([^<]*)", story(record))
    assert len(marked) == 3
    assert [line for line in marked if "too dark" in line or "too small" in line] == marked[:2]
    assert "second" in marked[2]
