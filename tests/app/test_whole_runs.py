"""The program as its users start it: processes, files, signals and exit codes."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest

from magis_calib.cli.main import main
from magis_calib.recording.reader import Session

pytestmark = pytest.mark.station

BEST_SD = {
    "x_m": 16.6e-6,
    "y_m": 16.6e-6,
    "z_m": 13.5e-6,
    "fringe_x_rad_per_m": 4.45,
    "fringe_z_rad_per_m": 2.11,
    "phase_rad": 0.086,
}
TARGET = {
    "x_m": 0.0,
    "y_m": 0.0,
    "z_m": 0.0,
    "fringe_x_rad_per_m": 6283.0,
    "fringe_z_rad_per_m": 0.0,
    "phase_rad": 1.0,
}
NO_QT = "import sys; sys.modules['PySide6'] = None; sys.modules['pyqtgraph'] = None; "


def environment() -> dict[str, str]:
    unset = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    return {name: value for name, value in os.environ.items() if name not in unset}


def magis_calib(
    *words: str, timeout: float = 100, first: str = ""
) -> subprocess.CompletedProcess[str]:
    code = first + "from magis_calib.cli.main import main; raise SystemExit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment(),
    )


@contextmanager
def started(*words: str) -> Iterator[subprocess.Popen[str]]:
    """A process of ours whose lines are read; gone afterwards whatever happens."""
    process = subprocess.Popen(
        [sys.executable, *words], stdout=subprocess.PIPE, text=True, env=environment()
    )
    try:
        yield process
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def error(name: str, value: float, wanted: float) -> float:
    return math.remainder(value - wanted, 2 * math.pi) if name == "phase_rad" else value - wanted


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Forty drops of the small sensor, without Qt."""
    folder = tmp_path_factory.mktemp("run")
    said = magis_calib(
        "--simulate",
        "--auto",
        "--sensor",
        "small",
        "--drops",
        "40",
        "--interval",
        "0",
        "--seed",
        "7",
        "--session-dir",
        str(folder / "sessions"),
        "--report",
        str(folder / "r.json"),
        "--truth",
        str(folder / "t.jsonl"),
        "--commands",
        str(folder / "c.jsonl"),
        first=NO_QT,
    )
    report = json.loads((folder / "r.json").read_text())
    truth = [json.loads(line) for line in (folder / "t.jsonl").read_text().splitlines()]
    return said, report, truth


def test_it_ends_with_all_drops_complete_and_nothing_lost(run) -> None:
    said, report, truth = run
    assert said.returncode == 0, said.stderr
    assert report["exit"] == "completed"
    assert report["drops"] == {"expected": 40, "complete": 40, "incomplete": 0, "usable": 40}
    none = dict.fromkeys(("not_stored", "lost", "duplicate", "refused"), 0)
    assert report["frames"] == {"received": 80, "stored": 80, **none}
    assert report["corrections"]["applied"] == 40
    assert sum(line.startswith("drop ") for line in said.stdout.splitlines()) == 40
    assert len(truth) == 41
    assert all(one["frames"][view]["stored"] for one in truth[1:] for view in ("x", "y"))


def test_it_comes_home_from_far_away_and_stays_there(run) -> None:
    _, _, truth = run
    for name, best in BEST_SD.items():
        away = [error(name, drop["observables"][name], TARGET[name]) for drop in truth[1:]]
        assert abs(away[0]) > 10 * best, name
        assert np.sqrt(np.mean(np.square(away[-15:]))) <= 2.0 * best, name


def test_estimates_agree_with_the_truth_within_their_errors(run) -> None:
    _, report, truth = run
    wanted = {drop["drop_id"]: drop["observables"] for drop in truth[1:]}
    with Session(Path(report["session"])) as session:
        for name in BEST_SD:
            pulls = [
                error(name, one.estimate.values[name], wanted[one.drop_id][name])
                / one.estimate.stderr[name]
                for one in session.records
            ]
            assert max(map(abs, pulls)) < 5.0, name
            assert 0.6 < np.std(pulls) < 1.5, name


def test_setpoints_in_force_are_those_the_station_had(run) -> None:
    _, report, truth = run
    with Session(Path(report["session"])) as session:
        for record, drop in zip(session.records, truth[1:], strict=True):
            for name, resolution in (
                ("trap_x_m", 1e-8),
                ("mirror_tilt_x_rad", 1e-9),
                ("final_pulse_phase_rad", 1e-4),
            ):
                assert record.in_force[name] == pytest.approx(
                    drop["actuators"][name], abs=resolution
                )


def test_no_controller_ever_counted_a_limit_violation(run) -> None:
    _, report, _ = run
    final = json.loads((Path(report["session"]) / "final.json").read_text())
    assert {name: status["limit_violations"] for name, status in final["controllers"].items()} == {
        "laser": 0,
        "drop_system": 0,
    }


def test_the_controllers_wrote_down_every_command_with_the_key_it_came_with(run) -> None:
    _, report, _ = run
    lines = (Path(report["session"]).parents[1] / "c.jsonl").read_text().splitlines()
    commands = [json.loads(line) for line in lines]
    assert {one["by"] for one in commands} == {"application"}
    with Session(Path(report["session"])) as session:
        sent = [
            record.decision.sent
            for record in session.records
            if record.decision.outcome == "applied"
        ]
    done = [one for one in commands if one["commit"] and one["ok"]]
    for controller in ("laser", "drop_system"):
        moved = [one["setpoints"] for one in done if one["controller"] == controller]
        assert moved == [{name: setpoints[name] for name in moved[0]} for setpoints in sent]


def test_checksums_are_the_same_in_truth_header_and_pixels(run) -> None:
    import zlib

    _, report, truth = run
    with Session(Path(report["session"])) as session:
        for drop in truth[1:6]:
            for view in ("x", "y"):
                frame = session.frame(drop["drop_id"], view)
                assert frame.header.checksum == drop["frames"][view]["crc32"]
                assert f"{zlib.crc32(frame.counts.tobytes()):08x}" == frame.header.checksum


def test_the_session_is_checked_against_what_was_sent(run) -> None:
    _, report, truth = run
    said = magis_calib("session", "check", report["session"], "--json")
    assert said.returncode == 0
    found = json.loads(said.stdout)
    wanted = {
        f"{v}/{drop['drop_id']}": drop["frames"][v]["crc32"]
        for drop in truth[1:]
        for v in ("x", "y")
    }
    assert found["frames_by_checksum"] == wanted
    assert found["whole"]
    assert (found["drops"], found["frames"], found["checksum_errors"], found["gaps"]) == (
        40,
        80,
        0,
        [],
    )


def test_a_replay_gives_the_same_numbers_to_the_last_bit(run) -> None:
    _, report, _ = run
    said = magis_calib("replay", report["session"], "--auto", "--speed", "max")
    assert said.returncode == 0, said.stderr
    assert "40 estimates compared: all identical" in said.stdout


def test_a_replay_of_a_changed_recording_is_found_out(run, tmp_path) -> None:
    import shutil

    import h5py

    _, report, _ = run
    copy = tmp_path / "copy"
    shutil.copytree(report["session"], copy)
    with h5py.File(copy / "segment-0001.h5", "r+") as file:
        file["entry/view_x/counts"][4, 100:300, 200:500] += 16
    said = magis_calib("replay", str(copy), "--auto", "--speed", "max")
    assert said.returncode == 1
    assert "1 differ, first of them drops 5" in said.stdout
    said = magis_calib("session", "check", str(copy))
    assert said.returncode == 1
    assert "1 checksum errors" in said.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_cleanly_with_everything_written(tmp_path, number) -> None:
    words = [
        "-m",
        "magis_calib",
        "--simulate",
        "--auto",
        "--sensor",
        "small",
        "--interval",
        "0.2",
        "--session-dir",
        str(tmp_path / "s"),
        "--report",
        str(tmp_path / "r.json"),
    ]
    with started(*words) as process:
        next(line for line in process.stdout if line.startswith("drop 4"))
        process.send_signal(number)
        process.stdout.read()
        assert process.wait(60) == 0
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["exit"] == "stopped"
    final = json.loads((Path(report["session"]) / "final.json").read_text())
    assert final["readback"]["mirror_tilt_x_rad"] == pytest.approx(
        final["last_sent"]["mirror_tilt_x_rad"], abs=1e-7
    )
    with Session(Path(report["session"])) as session:
        complete = [record.drop_id for record in session.records if record.complete]
        assert complete == list(range(1, len(complete) + 1))
        assert len(complete) >= 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_the_run_has_begun_leaves_no_keys_behind(
    tmp_path, monkeypatch, capfd, number
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with started(
        "-m", "magis_calib", "--simulate", "--auto", "--session-dir", str(tmp_path / "s")
    ) as process:
        while not list(tmp_path.glob("magis-calib-*")):
            time.sleep(0.001)
        process.send_signal(number)
        process.stdout.read()
        assert process.wait(60) in (0, 130)  # 0 where the run began before the signal came
    assert "Traceback" not in capfd.readouterr().err
    assert not list(tmp_path.glob("magis-calib-*"))


@pytest.mark.parametrize("first", ["station", "application"])
def test_station_and_application_find_each_other_in_either_order(
    tmp_path, first, free_station
) -> None:
    config = tmp_path / "own-ports.toml"
    text = subprocess.run(
        [sys.executable, "-m", "magis_calib", "config", "--default"], capture_output=True, text=True
    )
    toml = text.stdout
    for name, port in (
        ("camera", 15550),
        ("laser", 15551),
        ("drop_system", 15552),
        ("telemetry", 15553),
    ):
        toml = toml.replace(f"tcp://127.0.0.1:{port}", free_station.endpoints[name])
    config.write_text(toml)
    commands = {
        "station": [
            "-m",
            "simulators",
            "--sensor",
            "small",
            "--interval",
            "0",
            "--config",
            str(config),
        ],
        "application": [
            "-m",
            "magis_calib",
            "--auto",
            "--drops",
            "3",
            "--config",
            str(config),
            "--session-dir",
            str(tmp_path / "s"),
            "--report",
            str(tmp_path / "r.json"),
        ],
    }
    order = [first, *(name for name in commands if name != first)]
    with ExitStack() as stack:
        processes = {}
        for name in order:
            processes[name] = stack.enter_context(started(*commands[name]))
            time.sleep(1.5)
        assert processes["application"].wait(60) == 0
        processes["station"].send_signal(signal.SIGTERM)
        assert processes["station"].wait(20) == 0
    assert json.loads((tmp_path / "r.json").read_text())["drops"]["complete"] == 3


def test_writes_that_take_effect_late_are_compared_with_the_right_drop(tmp_path) -> None:
    said = magis_calib(
        "--simulate",
        "--auto",
        "--sensor",
        "small",
        "--drops",
        "30",
        "--interval",
        "0",
        "--seed",
        "3",
        "--delay",
        "1",
        "--session-dir",
        str(tmp_path),
        "--truth",
        str(tmp_path / "t.jsonl"),
    )
    assert said.returncode == 0, said.stderr
    truth = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()][1:]
    for name, best in BEST_SD.items():
        away = [error(name, drop["observables"][name], TARGET[name]) for drop in truth[-10:]]
        assert np.sqrt(np.mean(np.square(away))) <= 2.5 * best, name


def test_with_a_random_phase_everything_else_is_controlled(tmp_path) -> None:
    said = magis_calib(
        "--simulate",
        "--auto",
        "--sensor",
        "small",
        "--drops",
        "16",
        "--interval",
        "0",
        "--preset",
        "long",
        "--session-dir",
        str(tmp_path),
        "--report",
        str(tmp_path / "r.json"),
    )
    assert said.returncode == 0, said.stderr
    with Session(Path(json.loads((tmp_path / "r.json").read_text())["session"])) as session:
        last = session.records[-1]
    assert last.decision.outcome == "applied"
    assert "fringe_x_rad_per_m" in last.decision.used
    assert "phase not meaningful" in last.decision.not_used["phase_rad"]
    assert last.in_force["final_pulse_phase_rad"] == 0.0


def test_a_simulated_station_that_dies_is_named_and_the_program_stays_up(tmp_path) -> None:
    words = [
        "-m",
        "magis_calib",
        "--simulate",
        "--auto",
        "--sensor",
        "small",
        "--interval",
        "0",
        "--session-dir",
        str(tmp_path),
    ]
    with started(*words) as process:
        next(line for line in process.stdout if line.startswith("drop 3 "))
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)
        assert any("simulated station: magis-sim ended with -9" in line for line in process.stdout)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        assert process.wait(60) == 1


def test_without_a_display_it_runs_headless_and_says_so(tmp_path) -> None:
    said = magis_calib(
        "--simulate",
        "--sensor",
        "small",
        "--drops",
        "1",
        "--interval",
        "0",
        "--session-dir",
        str(tmp_path),
    )
    assert said.returncode == 0
    assert "running headless: no display" in said.stderr


MISTAKES = {
    ("--seed", "3", "--auto"): "--seed: only with --simulate",
    ("--drops", "0"): "wanted a whole number of at least 1",
    ("--config", "/nowhere.toml"): "/nowhere.toml: cannot be read",
    ("--station", "attic"): "wanted one of ['bottom'], got 'attic'",
    ("--no-such-option",): "unrecognized arguments",
    ("replay", "/nowhere", "--auto"): "/nowhere: not a session",
    ("replay", "/nowhere", "--speed=-1"): "wanted a factor above 0 or max",
    ("--report", "/nowhere/r.json"): "wanted an existing folder, got /nowhere",
    ("--simulate", "--truth=/nowhere/t.jsonl"): "wanted an existing folder, got /nowhere",
    ("session",): "the following arguments are required",
    ("config",): "one of the arguments --default --check is required",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_a_mistake_on_the_command_line_exits_2_and_says_what_is_wanted(words, capsys) -> None:
    try:
        code = main(words)
    except SystemExit as left:
        code = left.code
    assert code == 2
    assert MISTAKES[words] in capsys.readouterr().err


def test_the_default_configuration_is_accepted_by_its_own_check(tmp_path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(magis_calib("config", "--default").stdout)
    said = magis_calib("config", "--check", str(file))
    assert said.returncode == 0
    assert "station bottom (default)" in said.stdout
    file.write_text(file.read_text().replace("wait_s", "wiat_s"))
    said = magis_calib("config", "--check", str(file))
    assert said.returncode == 2
    assert "did you mean 'wait_s'" in said.stderr
