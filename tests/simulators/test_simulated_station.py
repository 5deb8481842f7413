from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest

from magis_calib.auth.sockets import NoSecurity
from magis_calib.config.station import default_text
from magis_calib.domain.quantities import OBSERVABLES
from simulators.cameras.buffer import FrameBuffer, SpooledFrame
from simulators.controllers.drop_schedule import DropSchedule
from simulators.main import main
from simulators.options import SimulationOptions

pytestmark = pytest.mark.station


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_truth_tells_every_drop(bench, tmp_path):
    bench.station(drops=3, truth=tmp_path / "truth.jsonl")
    application = bench.application()
    for drop_id in (1, 2, 3):
        application.until(lambda drop_id=drop_id: application.seen(drop_id))
        application.ask("drop_system", "write", setpoints={"trap_x_m": drop_id * 10e-6})
        application.done(drop_id)
    application.until(lambda: "all 3 drops are started" in bench.said)
    bench.stop_stations()
    plant, *drops = lines_of(tmp_path / "truth.jsonl")
    assert set(plant["plant"]) == {
        "observables",
        "actuators",
        "response",
        "drift_cov",
        "jitter_cov",
    }
    assert plant["plant"]["observables"] == list(OBSERVABLES)
    assert [drop["drop_id"] for drop in drops] == [1, 2, 3]
    for drop in drops:
        assert set(drop) == {
            "drop_id",
            "observables",
            "actuators",
            "noise_free_response",
            "disturbance",
            "jitter",
            "frames",
        }
        sent = {m.view: m.checksum for m, _ in application.frames if m.drop_id == drop["drop_id"]}
        assert drop["frames"] == {
            view: {"crc32": crc, "stored": True} for view, crc in sent.items()
        }
    assert [drop["actuators"]["trap_x_m"] for drop in drops] == [0.0, 10e-6, 20e-6]
    assert drops[2]["noise_free_response"]["x_m"] == pytest.approx(20e-6)


def test_truth_tells_at_the_end_what_was_not_stored(bench, tmp_path):
    bench.station(drops=1, truth=tmp_path / "truth.jsonl")
    application = bench.application(store=False)
    application.until(lambda: application.seen(1))
    bench.stop_stations()
    _, drop = lines_of(tmp_path / "truth.jsonl")
    assert [drop["frames"][view]["stored"] for view in "xy"] == [False, False]


def test_every_drop_is_announced_before_its_frames(bench):
    bench.station(interval_s=0.05, drops=4)
    application = bench.application()
    application.until(lambda: application.seen(4))
    assert [drop.drop_id for drop in application.drops] == [1, 2, 3, 4]
    triggers = {m.drop_id: m.trigger_time_ns for m, _ in application.frames}
    assert all(drop.planned_time_ns == triggers[drop.drop_id] for drop in application.drops)


def test_next_drop_waits_for_done(bench):
    bench.station()
    application = bench.application()
    application.until(lambda: application.seen(1))
    for _ in range(5):
        application.serve()
    assert len(application.drops) == 1
    application.done(1)
    application.until(lambda: application.seen(2))


@pytest.mark.parametrize("interval_s", [0.0, 0.1])
def test_another_application_gets_what_was_not_stored(bench, interval_s):
    bench.station(interval_s=interval_s)
    first = bench.application(store=False)
    first.until(lambda: first.seen(1))
    first.close()
    second = bench.application(name="app-2")
    second.until(lambda: second.seen(1) and second.seen(2))
    assert second.counts("x", 1).tobytes() == first.counts("x", 1).tobytes()
    seen = len(second.frames)
    second.serve()
    assert len({(m.view, m.drop_id) for m, _ in second.frames}) >= seen - 1


def test_application_may_come_first(bench):
    application = bench.application()
    application.serve()
    bench.station()
    application.until(lambda: application.seen(1))


def test_full_spool_loses_the_oldest_and_says_so(bench, tmp_path):
    bench.station(interval_s=0.05, drops=6, spool_bytes=4 * 50_000, truth=tmp_path / "truth.jsonl")
    application = bench.application(store=False)
    application.until(lambda: application.seen(6))
    bench.stop_stations()
    assert any("spool is full, drop 1 is lost" in text for text in bench.said)
    assert len(lines_of(tmp_path / "truth.jsonl")) == 7


def test_spool_counts_its_bytes():
    buffer = FrameBuffer(250)
    frames = [SpooledFrame(k, k, b"h" * 10, memoryview(bytes(90))) for k in range(4)]
    assert [len(buffer.add(frame)) for frame in frames] == [0, 0, 1, 1]
    assert (len(buffer), buffer.bytes_held, buffer.lost) == (2, 200, 2)
    buffer.sent(frames[2])
    assert buffer.next_to_send() is frames[3]
    assert buffer.send_again(2, tries=2)
    buffer.sent(frames[2])
    assert not buffer.send_again(2, tries=2)
    assert buffer.forget(2)
    assert not buffer.forget(2)
    assert buffer.bytes_held == 100


def test_spool_sends_the_same_application_only_what_it_lacks():
    buffer = FrameBuffer(1000)
    for k in range(3):
        frame = SpooledFrame(k, k, b"h", memoryview(bytes(9)))
        buffer.add(frame)
        buffer.sent(frame)
    buffer.received(1)
    assert buffer.send_all_again(same_application=True) == 2
    assert buffer.send_all_again(same_application=False) == 3


def test_drops_count_from_the_first(bench):
    bench.station(first_drop=100, drops=1)
    application = bench.application()
    application.until(lambda: application.seen(100))
    assert application.frames[0][0].sequence == 0


def test_drops_wait_for_slow_pictures(bench, monkeypatch):
    monkeypatch.setattr("simulators.station.JOBS", 1)
    monkeypatch.setattr("simulators.cameras.exposure.develop", lambda *more: time.sleep(0.3) or [])
    bench.station(interval_s=0.01)
    application = bench.application()
    application.until(
        lambda: "pictures take longer than the interval: drops are left out" in bench.said
    )


def test_schedule_is_steady_and_skips_what_it_missed():
    schedule = DropSchedule(10.0, drops=None)
    assert not schedule.due(100.0, ready=False)
    assert schedule.due(100.0, ready=True)
    assert schedule.start(100.0, None) == 1
    assert not schedule.due(109.9, ready=False)
    assert schedule.due(110.3, ready=False)
    schedule.start(110.3, None)
    assert schedule.due(120.0, ready=False)
    schedule.start(155.0, None)
    assert not schedule.due(159.9, ready=True)
    assert schedule.due(160.0, ready=True)


def test_drop_is_over_when_the_one_that_was_told_is_gone():
    schedule = DropSchedule(0.0, drops=None)
    schedule.start(0.0, b"a")
    schedule.left(b"b")
    assert not schedule.due(1.0, ready=True)
    schedule.left(b"a")
    assert schedule.due(1.0, ready=True)


def test_options_survive_the_way_through_argv(tmp_path):
    import argparse

    from simulators.options import add_simulation_options

    parser = argparse.ArgumentParser()
    add_simulation_options(parser)
    wanted = SimulationOptions(
        "small", 7, 0.25, tmp_path / "a b.jsonl", "long", 2, tmp_path / "faults.toml"
    )
    assert SimulationOptions.of(parser.parse_args(wanted.argv())) == wanted
    assert SimulationOptions.of(parser.parse_args([])) == SimulationOptions()


def test_bad_usage_is_exit_2(tmp_path, capsys):
    assert main([f"--config={tmp_path / 'none.toml'}"]) == 2
    assert "none.toml" in capsys.readouterr().err


@pytest.mark.station
def test_process_stops_cleanly_on_a_signal(bench, tmp_path):
    endpoints = [
        f"--endpoint={name}={bench.endpoints[name]}" for name in ("camera", "laser", "drop_system")
    ]
    truth, config = tmp_path / "truth.jsonl", tmp_path / "plain.toml"
    config.write_text(default_text().replace('sockets = "curve"', 'sockets = "plain"'))
    command = [
        sys.executable,
        "-m",
        "simulators",
        "--sensor=small",
        "--interval=0",
        f"--truth={truth}",
        f"--config={config}",
        *endpoints,
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        application = bench.application()
        application.until(lambda: application.seen(1))
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "stopped" in said
    assert len(lines_of(truth)) == 2


def test_simulated_cameras_pass_the_driver_check(bench):
    from hardware.connection import ApplicationIdentity
    from hardware.controller import ControllerClient
    from hardware.driver_check import CheckPlan, DriverCheck

    name, station = bench.configured()
    lock = NoSecurity(bench.context)
    clients = [
        ControllerClient(
            lock,
            key,
            bench.endpoints[key],
            ApplicationIdentity(name, "check"),
            station.links,
        )
        for key in ("laser", "drop_system")
    ]
    check = DriverCheck(
        lock, name, station, CheckPlan(bench.endpoints["camera"], 20.0), clients[1].done
    )
    bench.station()
    found = check.run()
    for client in clients:
        client.close()
    assert sorted(found) == ["LM1", "LM2"]
    assert [one for findings in found.values() for one in findings if not one.passed] == []
