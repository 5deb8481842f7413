"""What `magis-calib check` finds on a machine that is ready, and on one that is not."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from magis_calib.app.simulated import on_free_ports
from magis_calib.auth.keyring import Keyring
from magis_calib.cli.main import main
from magis_calib.config.station import default_text


@pytest.fixture
def configured(station, tmp_path):
    """A configuration on free addresses, with keys and a folder for sessions.

    `asked` returns the findings.
    """
    text = default_text()
    with on_free_ports(station, own=False) as (free, _):
        for name, usual in station.endpoints.items():
            text = text.replace(usual, free.endpoints[name])
        (tmp_path / "own.toml").write_text(text)
        Keyring.at(tmp_path / "keys")
        yield free


@pytest.fixture
def asked(configured, tmp_path, capsys):
    def ask(code: int) -> dict[str, dict[str, str]]:
        words = [
            "check",
            "--config",
            str(tmp_path / "own.toml"),
            "--keys",
            str(tmp_path / "keys"),
            "--session-dir",
            str(tmp_path / "sessions"),
            "--json",
        ]
        assert main(words) == code
        return {one["what"]: one for one in json.loads(capsys.readouterr().out)}

    return ask


@pytest.fixture
def station_runs(configured, tmp_path):
    words = [f"--endpoint={name}={one}" for name, one in configured.endpoints.items()]
    words = [
        sys.executable,
        "-m",
        "simulators",
        "--sensor",
        "small",
        *words,
        "--keys",
        str(tmp_path / "keys"),
    ]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield process
    process.kill()
    process.wait()


@pytest.mark.station
def test_a_machine_that_is_ready_is_told_its_controllers_limits(asked, station_runs) -> None:
    found = asked(0)
    assert {one["verdict"] for one in found.values()} <= {"ok", "warn"}
    assert "trap_x_m [-0.0005, 0.0005] m" in found["drop_system"]["found"]
    assert "mirror_tilt_x_rad" in found["laser"]["found"]
    assert found["disk speed"]["found"].split()[1] == "MB/s,"
    assert all(
        one["remedy"]
        for one in found.values()
        if one["verdict"] == "warn" and one["what"] != "processor cores"
    )
    again = asked(0)
    assert again["laser"]["verdict"] == "ok", "nobody's lease was taken"


@pytest.mark.station
def test_what_is_not_ready_is_named_with_its_remedy(asked, configured, tmp_path) -> None:
    secret = tmp_path / "keys" / "application.key"
    secret.chmod(0o644)
    (tmp_path / "sessions").write_text("a file where a folder should be")
    host, _, port = configured.links.camera.removeprefix("tcp://").rpartition(":")
    with socket.create_server((host, int(port))):
        found = asked(1)
    assert found["keys"]["verdict"] == "fail"
    assert f"chmod 600 {secret}" in found["keys"]["found"]
    assert (found["port of camera"]["verdict"], found["port of telemetry"]["verdict"]) == (
        "fail",
        "ok",
    )
    assert found["disk"]["verdict"] == "fail"
    assert "another --session-dir" in found["disk"]["remedy"]


@pytest.mark.station
def test_controllers_that_are_not_there_are_something_to_look_at(asked) -> None:
    found = asked(0)
    for name in ("laser", "drop_system"):
        assert found[name]["verdict"] == "warn"
        assert "magis-sim" in found[name]["remedy"]


def test_a_configuration_that_cannot_be_used_ends_it_with_2(tmp_path: Path, capsys) -> None:
    (tmp_path / "bad.toml").write_text("stations = 3\n")
    assert main(["check", "--config", str(tmp_path / "bad.toml")]) == 2
    assert "bad.toml" in capsys.readouterr().err
