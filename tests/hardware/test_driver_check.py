"""`check-driver` passes good drivers and names the fault of each bad one."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import zmq

from hardware import driver_check
from hardware.driver_check import CheckPlan, DriverCheck
from magis_calib.auth.sockets import NoSecurity
from magis_calib.cli.main import main
from magis_calib.config.loading import load_config, select_station

pytestmark = pytest.mark.station

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "camera_driver.py"
ROWS, COLUMNS = 8, 12


@pytest.fixture
def station():
    _, station = select_station(load_config(None), None)
    links = station.links.model_copy(update={"heartbeat_s": 0.1, "silent_after_s": 1.0})
    return station.model_copy(update={"links": links})


@pytest.fixture
def hasty(monkeypatch):
    """Bad drivers do nothing that is worth waiting for."""
    monkeypatch.setattr(driver_check, "QUIET_S", 0.05)


def checked(station, endpoint, drive, seconds):
    """Run a driver in a thread until the check of it is over; return the findings by check."""
    stop = threading.Event()
    with zmq.Context() as context:
        check = DriverCheck(
            NoSecurity(context),
            "bottom",
            station,
            CheckPlan(endpoint, patience_s=seconds, frames=4),
        )
        thread = threading.Thread(target=drive, args=(context, endpoint, stop))
        thread.start()
        try:
            found = check.run()
        finally:
            stop.set()
            thread.join(10)
    (findings,) = found.values()
    return {one.check: one for one in findings}


QUICK = """
import runpy, sys
main = runpy.run_path(sys.argv[1])["main"]
main.__globals__.update(HEARTBEAT_S=0.1, ROWS=8, COLUMNS=12)
main(sys.argv[2], "x", 20, 0.02)
"""


def good_driver(context, endpoint, stop):
    command = [sys.executable, "-c", QUICK, str(EXAMPLE), endpoint]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        stop.wait()
        process.kill()


def bad_driver(change_hello=lambda hello: None, change_frame=lambda header, payload: payload):
    """A driver that sends hello and four frames, each changed before it is sent, and listens to
    nothing else.
    """

    def drive(context, endpoint, stop):
        example = runpy.run_path(str(EXAMPLE))
        hello = json.loads(example["hello"]("x", "s-1", ROWS, COLUMNS))
        change_hello(hello)
        with context.socket(zmq.DEALER) as socket:
            socket.linger = 0
            socket.connect(endpoint)
            socket.send(json.dumps(hello).encode())
            for k in range(4):
                counts = np.full((ROWS, COLUMNS), 1600, dtype="<u2")
                header, payload = example["frame"]("x", "s-1", k + 1, k, time.time_ns(), counts)
                table = json.loads(header)
                payload = change_frame(table, payload)
                socket.send_multipart([json.dumps(table).encode(), payload])
            stop.wait(20)

    return drive


def test_example_driver_passes(station, tmp_path):
    found = checked(station, f"ipc://{tmp_path}/c", good_driver, seconds=20.0)
    assert [one.check for one in found.values() if not one.passed] == []


def of_header(**changes):
    def change(header, payload):
        header.update(changes)
        return payload

    return change


def without(name):
    def change(header, payload):
        del header[name]
        return payload

    return change


@pytest.mark.parametrize(
    ("change", "check", "named"),
    [
        (of_header(checksum="00000000"), "checksum is right", "got '00000000'"),
        (of_header(rows=9), "frames have the announced shape", "wanted (8, 12), got (9, 12)"),
        (of_header(bits=14), "frames have the announced depth", "wanted 12, got 14"),
        (without("drop_id"), "headers are well-formed", "drop_id"),
        (of_header(drop=1), "headers are well-formed", "drop"),
        (of_header(protocol=2), "protocol version", "wanted 1, got 2"),
        (of_header(view="y"), "station, camera and view", "wanted 'x', got 'y'"),
        (of_header(session="s-2"), "hello is the first word", "s-2"),
        (
            lambda header, payload: payload[:-2],
            "payload has the right length",
            "wanted 192, got 190",
        ),
        (of_header(trigger_time_ns=5), "trigger time is UTC", "s away from this machine's clock"),
        (of_header(sequence=3), "sequence rises by 1", "3 after 3"),
    ],
)
def test_bad_frames_are_named(hasty, station, tmp_path, change, check, named):
    found = checked(station, f"ipc://{tmp_path}/c", bad_driver(change_frame=change), seconds=0.5)
    assert found[check].passed is False
    assert named in found[check].got


@pytest.mark.parametrize(
    ("change", "check", "named"),
    [
        (lambda hello: hello.update(protocols=[2]), "protocol version", "got [2]"),
        (lambda hello: hello.update(station="top"), "station, camera and view", "got 'top'"),
        (lambda hello: hello["facts"].pop("gain"), "headers are well-formed", "facts.gain"),
    ],
)
def test_bad_hellos_are_named(hasty, station, tmp_path, change, check, named):
    found = checked(station, f"ipc://{tmp_path}/c", bad_driver(change_hello=change), seconds=0.5)
    assert found["says hello"].passed is False
    assert found[check].passed is False
    assert named in found[check].got


def test_driver_that_forgets_is_caught(hasty, station, tmp_path):
    found = checked(station, f"ipc://{tmp_path}/c", bad_driver(), seconds=0.5)
    for check in (
        "heartbeats",
        "sends a damaged frame again",
        "keeps what is not stored and sends it again",
        "says hello again after the application was started again",
    ):
        assert found[check].passed is False
    assert found["checksum is right"].passed


def test_nobody_connects_is_a_problem(hasty, tmp_path, capsys):
    arguments = [f"--endpoint=ipc://{tmp_path}/c", "--seconds=0.1", "--json"]
    assert main(["check-driver", *arguments]) == 1
    assert json.loads(capsys.readouterr().out) == {"passed": False, "drivers": {}}


def test_wrong_usage_is_exit_2(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["check-driver", "--frames=1"])
    assert main(["check-driver", f"--config={tmp_path / 'none.toml'}"]) == 2
    assert "none.toml" in capsys.readouterr().err
