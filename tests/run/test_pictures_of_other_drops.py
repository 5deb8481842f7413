"""Pictures that are perhaps not of their drop move nothing, and say why; so do drop numbers that
come again, and cameras that tell nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from magis_calib.state.snapshot import Snapshot
from tests.bench import until
from tests.pictures import Scene
from tests.run.conftest import Bench, photographed

pytestmark = pytest.mark.station


def decided(drop_id: int) -> Callable[[Snapshot], Any]:
    return lambda now: now.records and now.records[-1].drop_id == drop_id


def sent(bench: Bench, drop_id: int, **of_x: Any) -> None:
    """Send a drop whose view x is changed: `counts`, or fields of the header."""
    bench.controllers.next_drop = drop_id + 1
    for view, frame in photographed(Scene(), drop_id).frames.items():
        changes = dict(of_x) if view == "x" else {}
        change = changes.pop("counts", lambda counts: counts)
        bench.drivers[view].frame(change(frame.counts), drop_id, **changes)


def held(bench: Bench, drop_id: int, words: str) -> None:
    """Want this drop of no use and not acted upon, with an alarm that asks to act."""
    now = until(bench.engine, decided(drop_id), f"drop {drop_id}")
    record = now.records[-1]
    assert record.decision.outcome == "held"
    assert words in record.decision.reason
    assert not record.estimate.usable
    assert any(one.severity == "act" and words in one.text for one in now.alarms)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"counts": lambda counts: np.zeros_like(counts)}, "every count is 0"),
        ({"counts": lambda counts: counts.byteswap()}, "no multiples of lsb_counts 16"),
        ({"counts": lambda counts: counts >> 4}, "no multiples of lsb_counts 16"),
        ({"exposure_s": 100.0}, "exposure_s 100, longer than"),
        ({"trigger_time_ns": 0}, "before this machine's clock"),
        ({"trigger_time_ns": time.time_ns() // 1_000_000}, "before this machine's clock"),
    ],
)
def test_a_picture_that_cannot_be_of_its_drop_moves_nothing(
    bench: Bench, changes: dict[str, Any], words: str
) -> None:
    sent(bench, 1)
    until(bench.engine, decided(1), "a good one")
    sent(bench, 2, **changes)
    held(bench, 2, words)
    sent(bench, 3)
    now = until(bench.engine, decided(3), "a good one again")
    assert now.records[-1].decision.outcome == "applied"
    assert not any(one.key.startswith("picture") for one in now.alarms)


def test_the_same_picture_again_moves_nothing(bench: Bench) -> None:
    sent(bench, 1)
    until(bench.engine, decided(1), "the first")
    first = photographed(Scene(), 1).frames["x"].counts
    sent(bench, 2, counts=lambda counts: first)
    held(bench, 2, "the same picture as that of drop 1, pixel by pixel")


def test_a_view_that_tells_nothing_is_an_alarm_and_counted_apart(bench: Bench) -> None:
    rng = np.random.default_rng(1)
    shape = photographed(Scene(), 1).frames["x"].counts.shape
    for drop_id in (1, 2, 3):
        noise = (rng.integers(6, 9, shape) * 16).astype(np.uint16)
        sent(bench, drop_id, counts=lambda counts, noise=noise: noise)
        now = until(bench.engine, decided(drop_id), "decided")
    assert any(one.key == "blind view x" and one.severity == "act" for one in now.alarms)
    assert bench.engine.history.untold.views == {"x": 3, "y": 0}
    assert bench.engine.bad_end
