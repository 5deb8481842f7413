"""Everything a laboratory can send: each is named, counted and shown.

The program goes on and loses nothing.
"""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest
import zmq

from magis_calib.app.live import LiveRun, RunRequest
from magis_calib.recording.reader import Session
from tests.bench import Controllers, Driver, running, until
from tests.pictures import Scene, pair

pytestmark = pytest.mark.station

DARK = np.full((512, 768), 1616, np.uint16)


def applied(drop_id: int):
    return lambda snapshot: any(
        record.drop_id == drop_id and record.decision.outcome == "applied"
        for record in snapshot.records
    )


BAD_FRAMES = {
    "bad_json": lambda d: d.send(b"{not json", b""),
    "unknown_type": lambda d: d.send({"type": "photo"}),
    "bad_header": lambda d: d.frame(DARK, 1, exposure_s="long"),
    "unsupported_version": lambda d: d.frame(DARK, 1, protocol=2),
    "wrong_shape": lambda d: d.frame(DARK[:, :-2].copy(), 1),
    "wrong_depth": lambda d: d.frame(DARK, 1, bits=14),
    "truncated": lambda d: d.send(d.header(DARK, 1), DARK.tobytes()[:-10]),
    "checksum": lambda d: d.frame(DARK, 1, checksum="deadbeef"),
    "no_hello": lambda d: d.frame(DARK, 1, session="another"),
    "wrong_identity": lambda d: d.frame(DARK, 1, camera="LM9"),
    "too_large": lambda d: d.send(json.dumps({"type": "frame", "x": "y" * 100_000}).encode()),
}


@pytest.mark.parametrize("code", BAD_FRAMES)
def test_a_bad_frame_is_answered_by_its_code_counted_and_does_not_disturb_the_next_drop(
    bench, code: str
) -> None:
    driver = bench.drivers["x"]
    BAD_FRAMES[code](driver)
    answer = driver.hear("error")
    assert answer["code"] == code
    assert answer["message"]
    assert answer["retry"] is (code in {"truncated", "checksum", "no_hello"})
    snapshot = until(
        bench.engine,
        lambda s: s.counters.malformed.get(code) == 1 and s.alarms,
        "counter and alarm",
    )
    assert any(
        alarm.key == "frames" and "refused a message" in alarm.text for alarm in snapshot.alarms
    )
    bench.drop(2)
    assert driver.hear("stored")["drop_id"] == 2
    until(bench.engine, applied(2), "the next drop is applied")
    assert bench.engine.fault == ""


@pytest.mark.parametrize("kind", ["heartbeat", "bye"])
def test_a_driver_that_speaks_for_another_session_is_asked_for_a_hello_and_stays(
    bench, kind: str
) -> None:
    driver = bench.drivers["x"]
    driver.send({"type": kind, "session": "another"})
    assert driver.hear("error")["code"] == "no_hello"
    bench.drop(2)
    assert driver.hear("stored")["drop_id"] == 2


def test_a_frame_with_a_wrong_dtype_is_told_which_one_is_wanted(bench) -> None:
    bench.drivers["x"].frame(DARK, 1, dtype="float32")
    answer = bench.drivers["x"].hear("error")
    assert answer["code"] == "bad_header"
    assert "uint16" in answer["message"]
    assert "float32" in answer["message"]


HELLOS = {
    "unknown_camera": ({"camera": "LM7"}, "LM1"),
    "unknown_station": ({"station": "attic"}, "bottom"),
    "wrong_view": ({"view": "y"}, "'x'"),
    "unsupported_version": ({"protocols": [2, 3]}, "[1]"),
}


@pytest.mark.parametrize("code", HELLOS)
def test_a_hello_that_does_not_fit_is_told_what_is_wanted(bench, code: str) -> None:
    changes, wanted = HELLOS[code]
    answer = bench.drivers["x"].hello(**changes)
    assert (answer["type"], answer["code"]) == ("error", code)
    assert wanted in answer["message"]
    until(bench.engine, lambda s: s.counters.malformed.get(code) == 1, "the counter")


def test_a_fact_the_user_insists_on_must_be_announced(config, quick_station, session_dir) -> None:
    cameras = [
        camera.model_copy(update={"facts": camera.facts.model_copy(update={"gain": 0.5})})
        for camera in quick_station.cameras
    ]
    station = quick_station.model_copy(update={"cameras": cameras})
    live = LiveRun(config, "bottom", station, RunRequest(session_dir))
    with zmq.Context() as context, running(live.engine, live.close):
        driver = Driver(context, station, "x")
        answer = driver.hello()
        driver.close()
    assert answer["code"] == "facts_disagree"
    assert "wanted 0.5, got 0.24" in answer["message"]


def test_the_same_frame_twice_is_recorded_once_and_told_stored_again(bench) -> None:
    frames = pair(np.random.default_rng(1), Scene(), 1).frames
    driver = bench.drivers["x"]
    for _ in range(2):
        driver.frame(frames["x"].counts, 1)
        driver.hear("stored")
    bench.drivers["y"].frame(frames["y"].counts, 1)
    snapshot = until(
        bench.engine, lambda s: s.counters.complete == 1 and s.counters.stored == 2, "one drop"
    )
    assert snapshot.counters.duplicate == 1
    assert snapshot.counters.received == 2


def test_other_pixels_for_the_same_drop_are_a_conflict_and_the_first_are_kept(bench) -> None:
    bench.drivers["x"].frame(DARK, 1)
    bench.drivers["x"].hear("stored")
    bench.drivers["x"].frame(DARK + 16, 1)
    refused = bench.drivers["x"].hear("error")
    assert (refused["code"], refused["retry"], refused["drop_id"]) == ("conflict", False, 1)
    assert "other pixels" in refused["message"]
    until(bench.engine, lambda s: s.counters.malformed.get("conflict") == 1, "the counter")


def test_an_orphan_is_an_incomplete_drop_that_changes_nothing_and_is_recorded(bench) -> None:
    before = bench.controllers.banks["laser"].readback()
    bench.drivers["x"].frame(DARK, 5)
    snapshot = until(bench.engine, lambda s: s.counters.incomplete == 1, "incomplete")
    assert snapshot.counters.lost == 1
    record = snapshot.records[-1]
    assert not record.complete
    assert record.decision.outcome == "held"
    assert "no frame of view y" in record.decision.reason
    assert bench.controllers.banks["laser"].readback() == before
    assert bench.drivers["x"].hear("stored")["drop_id"] == 5


def test_a_drop_without_atoms_changes_nothing_and_says_why(bench) -> None:
    bench.drop(1, Scene(x=2e-4))
    until(bench.engine, applied(1), "the first drop")
    before = {name: one.readback() for name, one in bench.controllers.banks.items()}
    for driver in bench.drivers.values():
        driver.frame(DARK, 2)
    snapshot = until(bench.engine, lambda s: len(s.records) == 2, "the second drop")
    record = snapshot.records[-1]
    assert record.complete
    assert not record.estimate.usable
    assert record.decision.outcome == "held"
    assert "no cloud" in record.decision.reason
    assert snapshot.counters.usable == 1
    assert {name: one.readback() for name, one in bench.controllers.banks.items()} == before


def test_a_camera_that_falls_silent_is_an_alarm_with_its_age(bench) -> None:
    bench.drop(1)
    until(bench.engine, applied(1), "the first drop")
    snapshot = until(
        bench.engine,
        lambda s: {"link camera x", "frame x"} <= {alarm.key for alarm in s.alarms},
        "alarms for the silent camera",
    )
    texts = {alarm.key: alarm.text for alarm in snapshot.alarms}
    assert "silent for" in texts["link camera x"]
    assert "no frame of view x for" in texts["frame x"]
    bench.drivers["x"].hello()
    bench.drop(2)
    until(
        bench.engine,
        lambda s: "link camera x" not in {alarm.key for alarm in s.alarms},
        "the alarm is over",
    )


def test_a_silent_controller_holds_the_loop_and_says_so_and_the_loop_goes_on_when_it_speaks_again(
    bench,
) -> None:
    bench.drop(1)
    until(bench.engine, applied(1), "the first drop")
    bench.controllers.mute.add("laser")
    bench.drop(2)
    snapshot = until(bench.engine, lambda s: len(s.records) == 2, "the second drop")
    assert snapshot.records[-1].decision.outcome == "held"
    assert "laser" in snapshot.records[-1].decision.reason
    until(bench.engine, lambda s: "link laser" in {alarm.key for alarm in s.alarms}, "the alarm")
    bench.controllers.mute.clear()
    until(
        bench.engine,
        lambda s: "link laser" not in {alarm.key for alarm in s.alarms},
        "it speaks again",
    )
    bench.drop(3)
    until(bench.engine, applied(3), "the third drop")


def test_a_refusing_controller_is_named_with_the_value_and_nothing_moves(bench) -> None:
    bench.drop(1)
    until(bench.engine, applied(1), "the first drop")
    bank = bench.controllers.banks["laser"]
    before = {name: one.readback() for name, one in bench.controllers.banks.items()}
    judge = bank.refusal
    bank.refusal = lambda setpoints: judge({**setpoints, "mirror_tilt_x_rad": 1.0})
    bench.drop(2)
    snapshot = until(bench.engine, lambda s: len(s.records) == 2, "the second drop")
    decision = snapshot.records[-1].decision
    assert decision.outcome == "refused"
    assert "mirror_tilt_x_rad" in decision.reason
    assert decision.sent == {}
    assert {name: one.readback() for name, one in bench.controllers.banks.items()} == before
    assert any(alarm.key == "correction" for alarm in snapshot.alarms)


def test_a_vector_of_which_only_half_arrived_is_named_and_the_state_is_read_again(bench) -> None:
    bench.drop(1)
    until(bench.engine, applied(1), "the first drop")
    second = list(bench.engine.snapshot.records[-1].decision.sent)
    first_owner = (
        "drop_system" if second[0] in bench.controllers.banks["drop_system"].readback() else "laser"
    )
    last_owner = {"drop_system": "laser", "laser": "drop_system"}[first_owner]
    bank, asked = bench.controllers.banks[last_owner], []
    judge = bank.refusal

    def refuse_the_commit(setpoints):
        asked.append(setpoints)
        return judge(setpoints if len(asked) == 1 else {next(iter(setpoints)): 1e9})

    bank.refusal = refuse_the_commit
    bench.drop(2)
    snapshot = until(bench.engine, lambda s: len(s.records) == 2, "the second drop")
    decision = snapshot.records[-1].decision
    assert decision.outcome == "half_applied"
    assert first_owner in decision.reason
    assert last_owner in decision.reason
    bank.refusal = judge
    bench.drop(3)
    until(bench.engine, applied(3), "the third drop")
    state = {one.name: one.readback for one in bench.engine.snapshot.actuators}
    for name, value in bench.controllers.banks[first_owner].readback().items():
        assert state[name] == value


def test_a_restarted_controller_is_read_again_before_anything_is_sent(bench) -> None:
    bench.drop(1, Scene(x=4e-4))
    until(bench.engine, applied(1), "the first drop moves the trap by its step cap")
    cap = pytest.approx(-50e-6, abs=25e-9)
    """To within the read-back tolerance, by which the loop stays short of the controller's limit.
    """
    assert bench.controllers.banks["drop_system"].readback()["trap_x_m"] == cap
    bench.controllers.close()
    bench.controllers = Controllers(bench.station, "c2")
    until(
        bench.engine,
        lambda s: {one.name: one.readback for one in s.actuators}["trap_x_m"] == 0.0,
        "read again",
    )
    bench.drop(2, Scene(x=4e-4))
    until(
        bench.engine,
        applied(2),
        "the second drop moves it by the cap from where it stands now, not from before",
    )
    assert bench.controllers.banks["drop_system"].readback()["trap_x_m"] == cap


def test_without_any_camera_the_program_stays_up_and_says_what_is_missing(
    config, quick_station, session_dir
) -> None:
    live = LiveRun(config, "bottom", quick_station, RunRequest(session_dir))
    with running(live.engine, live.close) as engine:
        snapshot = until(engine, lambda s: len(s.alarms) >= 4, "four peers are missing")
    texts = " ".join(alarm.text for alarm in snapshot.alarms)
    assert quick_station.links.camera in texts
    assert quick_station.endpoints["laser"] in texts
    assert engine.fault == ""


@pytest.mark.skipif(
    shutil.which("mount") is None or os.geteuid() != 0, reason="needs root to mount a small disk"
)
def test_a_full_disk_is_said_and_what_was_stored_stays_readable(
    config, quick_station, tmp_path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.system(f"mount -t tmpfs -o size=66M tmpfs {disk} 2>/dev/null"):
        pytest.skip("mounting is not allowed here")
    controllers = Controllers(quick_station)
    try:
        with zmq.Context() as context:
            drivers = {view: Driver(context, quick_station, view) for view in ("x", "y")}
            live = LiveRun(config, "bottom", quick_station, RunRequest(disk))
            with running(live.engine, live.close) as engine:
                stored = []
                until(engine, lambda snapshot: snapshot.actuators, "the controllers are known")
                for driver in drivers.values():
                    driver.hello()
                for drop in range(1, 40):
                    for view, frame in pair(
                        np.random.default_rng(drop), Scene(), drop
                    ).frames.items():
                        drivers[view].frame(frame.counts, drop)
                    answers = [driver.hear("stored", "not_stored") for driver in drivers.values()]
                    stored += [drop for one in answers if one["type"] == "stored"]
                    if any(one["type"] == "not_stored" for one in answers):
                        break
                assert any("disk full" in one.get("reason", "") for one in answers)
                until(
                    engine, lambda s: any("disk full" in one.text for one in s.alarms), "the alarm"
                )
                assert engine.fault == ""
                until(engine, lambda s: s.counters.complete == drop, "drops are still estimated")
                os.system(f"mount -o remount,size=200M {disk}")
                for view, frame in pair(
                    np.random.default_rng(99), Scene(), drop + 1
                ).frames.items():
                    drivers[view].frame(frame.counts, drop + 1)
                stored += [
                    drop + 1
                    for one in drivers.values()
                    if one.hear("stored", "not_stored")["type"] == "stored"
                ]
                until(engine, lambda s: s.counters.complete == drop + 1, "the next drop")
                folder = engine.snapshot.session
            for driver in drivers.values():
                driver.close()
        with Session(type(tmp_path)(folder)) as session:
            assert sorted(drop for drop, _ in session.frames) == sorted(stored)
            assert stored[-2:] == [drop + 1, drop + 1]
            assert [one.drop_id for one in session.records] == list(range(1, drop + 2))
    finally:
        controllers.close()
        os.system(f"umount {disk}")


def test_an_unwritable_folder_is_said_and_the_loop_runs_on_unrecorded(
    config, quick_station, tmp_path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    controllers = Controllers(quick_station)
    try:
        with zmq.Context() as context:
            drivers = {view: Driver(context, quick_station, view) for view in ("x", "y")}
            live = LiveRun(config, "bottom", quick_station, RunRequest(blocked))
            with running(live.engine, live.close) as engine:
                until(engine, lambda snapshot: snapshot.actuators, "the controllers are known")
                for view, frame in pair(np.random.default_rng(1), Scene(), 1).frames.items():
                    drivers[view].hello()
                    drivers[view].frame(frame.counts, 1)
                refused = drivers["x"].hear("not_stored")
                assert "cannot make the session folder" in refused["reason"]
                snapshot = until(engine, applied(1), "the loop runs on")
                until(engine, lambda s: s.counters.not_stored == 2, "both counted")
                assert any(alarm.key == "recording" for alarm in engine.snapshot.alarms)
                assert snapshot.counters.stored == 0
            for driver in drivers.values():
                driver.close()
    finally:
        controllers.close()
