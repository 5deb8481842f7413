"""A good day: packed pixels, telemetry, remarks, moves by hand."""

from __future__ import annotations

import json
import math
import zlib
from pathlib import Path

import numpy as np
import pytest
import zmq

from magis_calib.link.wire import pack
from magis_calib.recording.check import check_session
from magis_calib.recording.reader import Session
from magis_calib.state.commands import CloseLoop, HoldLoop, NoteDrop, OpenLoop, SetActuator, StopRun
from tests.bench import FACTS, until
from tests.pictures import Scene, pair

pytestmark = pytest.mark.station


def outcome(drop_id: int, word: str):
    return lambda s: any(
        one.drop_id == drop_id and one.decision.outcome == word for one in s.records
    )


def test_packed_pixels_give_the_same_fit_and_keep_the_checksum_they_were_sent_with(bench) -> None:
    frames = pair(np.random.default_rng(1), Scene(), 1).frames
    bench.drop(1)
    plain = until(bench.engine, outcome(1, "applied"), "Mono16").records[-1].estimate
    right_aligned = {
        **FACTS,
        "gain": FACTS["gain"] * 16,
        "offset": 100.0,
        "saturation": 4095,
        "lsb_counts": 1,
    }
    for view, driver in bench.drivers.items():
        driver.session = "s2"
        driver.hello(facts=right_aligned)
        counts = (frames[view].counts // 16).astype(np.uint16)
        payload = pack(counts, "Mono12p")
        header = driver.header(
            counts,
            2,
            dtype="uint8",
            pixel_format="Mono12p",
            alignment="right",
            checksum=f"{zlib.crc32(payload):08x}",
        )
        driver.send(header, payload)
    snapshot = until(bench.engine, outcome(2, "applied"), "Mono12p")
    packed = snapshot.records[-1].estimate
    for name, value in plain.values.items():
        assert packed.values[name] == pytest.approx(value, rel=1e-6, abs=1e-9), name
    until(bench.engine, lambda s: s.counters.stored == 4, "all are stored")
    bench.engine.submit(StopRun())
    assert bench.engine.wait(30)
    found = check_session(Path(snapshot.session))
    assert found.whole
    assert found.checksum_errors == 0
    assert found.frames == 4


def test_telemetry_tells_every_drop(bench) -> None:
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.connect(bench.station.links.telemetry)
        socket.subscribe(b"snapshot")
        assert socket.poll(10_000), "a snapshot comes also without drops"
        bench.drop(1)
        until(bench.engine, outcome(1, "applied"), "the drop")
        told = {"drop": None}
        while told["drop"] is None:
            assert socket.poll(10_000)
            topic, text = socket.recv_multipart()
            told = json.loads(text)
    assert topic == b"snapshot"
    record = bench.engine.snapshot.records[-1]
    assert told["drop"]["drop_id"] == 1
    assert told["drop"]["values"]["x_m"] == record.estimate.values["x_m"]
    assert told["drop"]["outcome"] == "applied"
    assert told["counters"]["complete"] == 1
    assert {link["name"] for link in told["links"]} == {
        "camera x",
        "camera y",
        "laser",
        "drop_system",
    }


def test_holding_sends_nothing_and_closing_goes_on(bench) -> None:
    bench.engine.submit(HoldLoop())
    until(bench.engine, lambda s: s.loop == "held", "held")
    bench.drop(1, Scene(x=2e-4))
    record = until(bench.engine, outcome(1, "held"), "nothing is sent").records[-1]
    assert "the operator holds the loop" in record.decision.reason
    assert record.decision.proposal.limited["trap_x_m"] < -10e-6
    assert bench.controllers.banks["drop_system"].readback()["trap_x_m"] == 0.0
    bench.engine.submit(CloseLoop())
    until(bench.engine, lambda s: s.loop == "closed", "closed")
    bench.drop(2, Scene(x=2e-4))
    until(bench.engine, outcome(2, "applied"), "goes on")
    assert bench.controllers.banks["drop_system"].readback()["trap_x_m"] < -10e-6


def test_a_setpoint_is_moved_by_hand_only_while_the_loop_is_open_and_within_limits(bench) -> None:
    bank = bench.controllers.banks["laser"]
    start = bank.readback()["mirror_tilt_x_rad"]
    bench.engine.submit(SetActuator("mirror_tilt_x_rad", start + 3e-6))
    until(bench.engine, lambda s: "open the loop first" in s.note, "refused while closed")
    bench.engine.submit(OpenLoop())
    bench.engine.submit(SetActuator("mirror_tilt_x_rad", start + 3e-6))
    until(bench.engine, lambda s: "set by hand" in s.note, "moved")
    assert bank.readback()["mirror_tilt_x_rad"] == pytest.approx(start + 3e-6, abs=2e-9)
    for value, word in (
        (start + 1e-3, "step"),
        (1.0, "outside its range"),
        (math.nan, "not a finite number"),
    ):
        bench.engine.submit(SetActuator("mirror_tilt_x_rad", value))
        until(bench.engine, lambda s, word=word: word in s.note, word)
    assert bank.readback()["mirror_tilt_x_rad"] == pytest.approx(start + 3e-6, abs=2e-9)
    assert bank.limit_violations == 0, "refused on our side of the wire"


def test_a_remark_is_kept_with_its_drop(bench) -> None:
    bench.drop(1)
    until(bench.engine, outcome(1, "applied"), "the drop")
    bench.engine.submit(NoteDrop(1, "vacuum gauge was swapped"))
    bench.engine.submit(NoteDrop(77, "no such drop"))
    snapshot = until(bench.engine, lambda s: "77" in s.note, "both answered")
    assert snapshot.records[-1].note == "vacuum gauge was swapped"
    bench.engine.submit(StopRun())
    assert bench.engine.wait(30)
    with Session(Path(snapshot.session)) as session:
        assert session.records[0].note == "vacuum gauge was swapped"


def test_what_nobody_foresaw_latches_a_fault_stops_corrections_and_is_cleared_by_closing_the_loop(
    bench, monkeypatch
) -> None:
    bench.drop(1)
    until(bench.engine, outcome(1, "applied"), "the first drop")
    monkeypatch.setattr("magis_calib.estimation.pair.combine", lambda views: 1 / 0)
    bench.drop(2)
    snapshot = until(
        bench.engine, lambda s: len(s.records) == 2, "the second drop has an outcome all the same"
    )
    assert snapshot.loop == "fault"
    assert "division by zero" in snapshot.records[-1].decision.reason
    monkeypatch.undo()
    bench.drop(3)
    record = until(bench.engine, outcome(3, "held"), "the third drop is measured and held").records[
        -1
    ]
    assert record.estimate.usable
    assert "fault" in record.decision.reason
    assert any(alarm.key == "fault" for alarm in bench.engine.snapshot.alarms)
    bench.engine.submit(CloseLoop())
    until(bench.engine, lambda s: s.loop == "closed", "closed again")
    bench.drop(4)
    until(bench.engine, outcome(4, "applied"), "the fourth drop")
