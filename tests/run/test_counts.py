"""Counts of frames add up whatever comes: received = stored + not stored + refused + duplicate."""

from __future__ import annotations

import pytest

from magis_calib.app.report import build_report
from magis_calib.state.commands import StopRun
from tests.bench import until
from tests.pictures import Scene
from tests.run.conftest import Bench, photographed

pytestmark = pytest.mark.station


def test_every_frame_that_came_is_counted_once(bench: Bench) -> None:
    for drop_id in (1, 2):
        bench.drop(drop_id)
    until(bench.engine, lambda now: now.counters.stored == 4, "stored")
    x = bench.drivers["x"]
    first = photographed(Scene(), 1).frames["x"].counts
    x.frame(first, 1)  # again
    x.frame(photographed(Scene(), 2).frames["x"].counts, 1)  # other pixels
    x.frame(first, 3, checksum="00000000")
    x.frame(first, 3, rows=3)
    x.send(b"no JSON")
    x.frame(photographed(Scene(), 4).frames["x"].counts, 4)  # alone
    until(bench.engine, lambda now: now.counters.incomplete == 1, "given up")
    bench.engine.submit(StopRun())
    assert bench.engine.wait(30.0)
    frames = build_report(bench.engine, bench.station, None, None)["frames"]
    assert frames == {
        "received": 9,
        "stored": 5,
        "not_stored": 0,
        "lost": 1,
        "duplicate": 1,
        "refused": 3,
    }
