"""Controllers that answer late, old, rounded, partial, otherwise than agreed: nothing is sent while
the state says held, and corrections begin again by themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from magis_calib.config.station import Station
from tests.benchmarks.lies.answers import KINDS, Made, frozen_values, old_values
from tests.benchmarks.lies.controllers import Asked, Lie, Schedule
from tests.benchmarks.lies.conversation import Heard, against, converse, impatient


@pytest.fixture
def station() -> Iterator[Station]:
    with impatient() as found:
        yield found


def always(change: Lie) -> Schedule:
    return Schedule(8, range(3, 6), change)


def of_laser(**changes: Any) -> Lie:
    """Answers of the laser with other fields where they have these; None: without them."""

    def lie(asked: Asked) -> list[tuple[float, bytes]]:
        told = dict(asked.honest)
        for name, value in changes.items() if asked.controller == "laser" else ():
            if name in told:
                told[name] = value(told[name]) if callable(value) else value
        told = {name: value for name, value in told.items() if value is not None}
        return [(0.0, json.dumps(told).encode())]

    return lie


def said(heard: Heard, *words: str) -> bool:
    return any(all(word in one.text for word in words) for one in heard.alarms)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_controllers_answer_nothing_is_sent_while_held(
    station: Station, kind: Made, seed: int
) -> None:
    found = converse(station, seed, kind)
    assert not found.out_of_state
    assert not found.beyond_limits
    assert not found.stuck


def test_a_motion_that_takes_time_is_waited_for(station: Station) -> None:
    heard = against(station, always(old_values(None)))
    assert heard.applied() == list(range(1, 9)), "its next read shows that it is there"


@pytest.mark.parametrize("told", [None, 0, 1, 10**9])
def test_a_controller_that_knows_nothing_of_drops_may_leave_the_first_one_out(
    station: Station, told: int | None
) -> None:
    heard = against(station, always(of_laser(effective_drop=told)))
    assert heard.applied() == list(range(1, 9))
    drops = [one.decision.effective_drop for one in heard.snapshot.records]
    assert drops == list(range(2, 10)), "not latched for any drop announced before"


def test_a_read_back_that_names_too_many_is_told_and_used(station: Station) -> None:
    heard = against(station, always(of_laser(readback=lambda told: told | {"shutter": 1.0})))
    assert heard.applied() == list(range(1, 9))
    assert said(heard, "laser", "'shutter'", "does not describe")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"readback": lambda told: told | dict.fromkeys(told, None)}, "readback"),
        ({"readback": "none"}, "readback"),
        ({"request_id": "somebody-1"}, "request_id"),
        ({"ok": 1}, "ok"),
    ],
)
def test_an_answer_that_cannot_be_used_is_told_here_and_to_who_sent_it(
    station: Station, change: dict[str, Any], words: str
) -> None:
    heard = against(station, always(of_laser(**change)))
    assert said(heard, "laser", words.replace("request_id", "never asked"))
    assert any(words in one["message"] for one in heard.errors)
    assert not any(one.key == "fault" for one in heard.alarms)
    assert heard.applied()[-1] == 8, "goes on once it answers as agreed"


def test_a_write_that_reads_never_show_holds_until_they_do(station: Station) -> None:
    heard = against(station, Schedule(14, range(7, 10), frozen_values(None)))
    assert len({one.drop for one in heard.writes if one.drop in (7, 8, 9)}) == 1
    assert heard.applied() == [1, 2, 3, 4, 5, 6, 11, 12, 13, 14], "drop 10 saw one or the other"
    assert said(heard, "reads", "wanted")
