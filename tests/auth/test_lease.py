"""One application at a time writes to a controller; others hear who it is, and how to take over."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from magis_calib.app.live import LiveRun, RunRequest
from magis_calib.app.simulated import on_free_ports
from magis_calib.config.station import Config, Station, default_text
from magis_calib.host.user import Owner
from tests.auth.caller import HELLO, Caller
from tests.bench import Controllers, running, until

ANA = {**HELLO, "session": "ana-1", "user": "ana", "host": "lab1", "process": 4711}
BEN = {**HELLO, "session": "ben-1", "user": "ben", "host": "lab1", "process": 4712}


@pytest.fixture
def controllers(free_station: Station) -> Iterator[Controllers]:
    found = Controllers(free_station, lease_s=60.0)
    yield found
    found.close()


@pytest.fixture
def laser(free_station: Station, controllers: Controllers) -> str:
    return free_station.endpoints["laser"]


def asked(
    caller: Caller, number: int, request: str = "write", session: str = "ana-1", **more: object
) -> dict:
    caller.socket.send_json(
        {
            "type": "request",
            "protocol": 1,
            "request": request,
            "request_id": f"r{number}",
            "number": number,
            "session": session,
            "expires_time_ns": time.time_ns() + 10**10,
            **more,
        }
    )
    return word(caller, "answer")


def word(caller: Caller, *types: str) -> dict:
    """Return the next message of one of these types."""
    end = time.monotonic() + 10.0
    while (message := caller.hear())["type"] not in types:
        assert time.monotonic() < end, f"heard no {types}"
    return message


def test_another_user_hears_who_has_the_lease_and_changes_nothing(
    laser: str, controllers: Controllers
) -> None:
    with Caller(laser) as ana, Caller(laser) as ben:
        assert ana.ask(**ANA)["type"] == "welcome"
        refused = ben.ask(**BEN)
        assert refused["code"] == "leased"
        assert "ana@lab1, process 4711" in refused["message"]
        move = {
            "setpoints": {"pulse_area": controllers.banks["laser"].readback()["pulse_area"] + 0.001}
        }
        answer = asked(ben, 1, session="ben-1", **move)
        assert (answer["ok"], answer["error"]["code"]) == (False, "leased")
        assert "ana@lab1" in answer["error"]["message"]
        assert asked(ben, 2, session="ben-1", commit=False, **move)["ok"]
        assert controllers.banks["laser"].writes == 0
        assert asked(ana, 1, **move)["ok"]
        assert controllers.banks["laser"].writes == 1


def test_a_write_before_hello_changes_nothing(laser: str, controllers: Controllers) -> None:
    with Caller(laser) as ana:
        answer = asked(ana, 1, setpoints={"pulse_area": 1.0})
        assert answer["error"]["code"] == "bad_request"
        assert "waits for a hello" in answer["error"]["message"]


@pytest.mark.parametrize(
    "message", [{"type": "heartbeat"}, {"type": "bye"}, {"type": "done", "drop_id": 1}]
)
def test_what_is_said_for_another_session_changes_nothing(
    laser: str, controllers: Controllers, message: dict
) -> None:
    """The lease is of the connection and of the session that said hello on it."""
    move = {"setpoints": {"pulse_area": controllers.banks["laser"].readback()["pulse_area"]}}
    with Caller(laser) as ana:
        ana.ask(**ANA)
        ana.socket.send_json({**message, "session": "ana-0"})
        assert word(ana, "error")["code"] == "no_hello"
        assert asked(ana, 1, session="ana-0", **move)["error"]["code"] == "leased"
        assert controllers.banks["laser"].writes == 0
        assert asked(ana, 1, **move)["ok"]


def test_who_wants_it_takes_over_and_the_other_is_told(laser: str) -> None:
    with Caller(laser) as ana, Caller(laser) as ben:
        ana.ask(**ANA)
        assert ben.ask(**BEN, take_over=True)["type"] == "welcome"
        told = word(ana, "error")
        assert told["code"] == "leased"
        assert "taken over by ben@lab1, process 4712" in told["message"]
        assert asked(ana, 1, setpoints={"pulse_area": 1.0})["error"]["code"] == "leased"


def test_the_same_user_of_the_same_host_and_the_heir_of_a_dead_one_need_not_ask(laser: str) -> None:
    with Caller(laser) as first:
        first.ask(**ANA)
        with Caller(laser) as second:
            assert second.ask(**{**ANA, "session": "ana-2", "process": 5000})["type"] == "welcome"
    with Caller(laser) as ben:
        assert ben.ask(**BEN)["type"] == "welcome"


def test_a_lease_ends_with_the_silence_of_its_holder(free_station: Station) -> None:
    controllers, laser = Controllers(free_station, lease_s=2.0), free_station.endpoints["laser"]
    with Caller(laser) as ana, Caller(laser) as ben:
        ana.ask(**ANA)
        assert ben.ask(**BEN)["code"] == "leased"
        time.sleep(2.5)
        assert ben.ask(**BEN)["type"] == "welcome"
        ana.socket.send_json({"type": "heartbeat", "session": "ana-1"})
        assert word(ana, "error")["code"] == "no_hello"
    controllers.close()


@pytest.fixture
def own(free_station: Station, tmp_path: Path) -> Path:
    """A configuration file of this station."""
    text = default_text().replace('sockets = "curve"', 'sockets = "plain"')
    for name, port in (
        ("camera", 15550),
        ("laser", 15551),
        ("drop_system", 15552),
        ("telemetry", 15553),
    ):
        text = text.replace(f"tcp://127.0.0.1:{port}", free_station.endpoints[name])
    (tmp_path / "own.toml").write_text(text)
    return tmp_path / "own.toml"


def test_a_second_program_ends_with_2_and_names_the_owner(
    laser: str, own: Path, tmp_path: Path
) -> None:
    words = [
        sys.executable,
        "-m",
        "magis_calib",
        "--auto",
        "--config",
        str(own),
        "--session-dir",
        str(tmp_path / "s"),
    ]
    with Caller(laser) as ana:
        ana.ask(**ANA)
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 2
        assert "laser is leased to ana@lab1, process 4711" in done.stderr
        assert "--take-over" in done.stderr
        going = subprocess.Popen([*words, "--take-over"])
        try:
            assert "taken over by" in word(ana, "error")["message"]
        finally:
            going.kill()
            going.wait()


def test_the_one_that_was_taken_over_holds_and_says_so(
    config: Config, free_station: Station, controllers: Controllers, tmp_path: Path
) -> None:
    first = LiveRun(config, "bottom", free_station, RunRequest(tmp_path / "first"))
    with (
        running(first.engine, first.close) as engine,
        on_free_ports(free_station, own=False) as (other, _),
    ):
        until(engine, lambda snapshot: snapshot.actuators, "the controllers are known")
        theirs = {name: free_station.endpoints[name] for name in free_station.controllers}
        station = other.at(theirs)
        second = LiveRun(config, "bottom", station, RunRequest(tmp_path / "second"))
        with running(second.engine, second.close):
            me = Owner.of_this_process()
            words = f"taken over by {me.user}@{me.host}, process {me.process}"
            for name in ("laser", "drop_system"):
                until(
                    engine,
                    lambda snapshot, name=name: f"{name}: {words}" in snapshot.loop_detail,
                    f"{name} says so",
                )
            until(
                second.engine,
                lambda snapshot: snapshot.actuators,
                "the second one has the controllers",
            )
            time.sleep(2.5)  # several heartbeats: the first one does not fight for it
            assert words in engine.snapshot.loop_detail
            assert second.engine.snapshot.loop_detail == ""
