"""Replay of a session in which the operator changed target, gains and limits on the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from magis_calib.app.live import LiveRun, RunRequest
from magis_calib.app.simulated import SimulatedProcess, on_free_ports
from magis_calib.cli.main import main
from magis_calib.config.loading import load_config, select_station
from magis_calib.domain.control import Limits
from magis_calib.recording.reader import Session
from magis_calib.state.commands import Command, SetGain, SetLimits, SetTarget, StopRun
from simulators.options import SimulationOptions
from tests.bench import running, until

pytestmark = pytest.mark.station

LAST = 36


def asked(trap_y: Limits) -> dict[int, list[Command]]:
    """What the operator does after so many drops."""
    return {
        10: [SetTarget("x_m", 60e-6), SetGain("x_m", 0.2), SetGain("fringe_x_rad_per_m", 1.2)],
        16: [SetLimits("trap_y_m", replace(trap_y, step_cap=3e-6))],
        22: [SetGain("x_m", "auto"), SetLimits("trap_y_m", trap_y)],
    }


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, config = tmp_path_factory.mktemp("tuned"), load_config(None)
    name, station = select_station(config, None)
    with on_free_ports(station, own=False) as (station, _):
        live = LiveRun(
            config, name, station, RunRequest(folder, about={"simulated": True}, go_on=False)
        )
        options = SimulationOptions(sensor="small", interval_s=0.0, seed=8)
        simulated = SimulatedProcess(options, station, None, name, None)
        try:
            with running(live.engine, live.close) as engine:
                for drops, commands in asked(Limits.of(station.loop.actuators["trap_y_m"])).items():
                    until(
                        engine,
                        lambda s, drops=drops: len(s.records) >= drops,
                        f"{drops} drops",
                        60.0,
                    )
                    for command in commands:
                        engine.submit(command)
                until(engine, lambda s: len(s.records) >= LAST, "the last drop", 60.0)
                engine.submit(StopRun())
                assert engine.wait(30)
        finally:
            simulated.stop()
    return next(folder.iterdir())


def test_the_session_tells_which_drops_were_decided_otherwise_than_configured(
    session: Path, capsys
) -> None:
    with Session(session) as opened:
        records = opened.records
    told = [
        (dict(one.gains), {name: limits.step_cap for name, limits in one.limits.items()})
        for one in records
    ]
    both = {"x_m": 0.2, "fringe_x_rad_per_m": 1.2}
    seen = [one for number, one in enumerate(told) if number == 0 or one != told[number - 1]]
    assert seen[0] == ({}, {})
    assert (both, {}) in seen
    assert (both, {"trap_y_m": 3e-6}) in seen
    assert seen[-1] == ({"fringe_x_rad_per_m": 1.2}, {})
    drop = next(one.drop_id for one in records if one.gains == both)
    assert main(["why", str(session), "--drop", str(drop)]) == 0
    assert "gain of x in force: 0.2, not as configured" in capsys.readouterr().out


def test_verify_finds_all_identical(session: Path, tmp_path: Path, capsys) -> None:
    assert main(["replay", str(session), "--results", str(tmp_path), "--verify"]) == 0
    assert "all identical" in capsys.readouterr().out


def test_what_if_without_a_change_is_what_happened(session: Path, tmp_path: Path, capsys) -> None:
    file = tmp_path / "same.toml"
    file.write_text("[observables.z_m]\ngain = 'auto'\n")
    assert main(["replay", str(session), "--what-if", str(file)]) == 0
    assert "reproduces what happened exactly" in capsys.readouterr().out


def test_what_if_with_another_gain_goes_before_the_recorded_one(
    session: Path, tmp_path: Path, capsys
) -> None:
    file = tmp_path / "other.toml"
    file.write_text("[observables.x_m]\ngain = 'auto'\n")
    assert main(["replay", str(session), "--what-if", str(file)]) == 0
    assert "first difference from what happened: drop 1" in capsys.readouterr().out
