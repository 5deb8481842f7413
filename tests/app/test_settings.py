"""The setpoints of a session: listed with what they gave, compared, and returned to after a
restart.
"""

from __future__ import annotations

import json
import math
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from magis_calib.cli.main import main
from magis_calib.config.station import Station, default_text
from magis_calib.domain.quantities import OBSERVABLES, wrap_phase
from magis_calib.feedback.setpoint_history import last_good, settings_of
from magis_calib.recording.reader import Session
from tests.app.test_whole_runs import magis_calib, started
from tests.bench import Controllers

pytestmark = pytest.mark.station


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sessions")
    done = magis_calib(
        "--simulate",
        "--auto",
        "--sensor",
        "small",
        "--drops",
        "16",
        "--interval",
        "0",
        "--seed",
        "7",
        "--session-dir",
        str(folder),
    )
    assert done.returncode == 0, done.stderr
    return next(folder.iterdir())


@pytest.fixture
def own_ports(free_station: Station, tmp_path: Path) -> Path:
    """A configuration on ports of the test's own."""
    text = default_text()
    for name, port in (
        ("camera", 15550),
        ("laser", 15551),
        ("drop_system", 15552),
        ("telemetry", 15553),
    ):
        text = text.replace(f"tcp://127.0.0.1:{port}", free_station.endpoints[name])
    text = text.replace('sockets = "curve"', 'sockets = "plain"')
    text = text.replace("silent_after_s = 5.0", "silent_after_s = 2.0").replace(
        "heartbeat_s = 1.0", "heartbeat_s = 0.3"
    )
    file = tmp_path / "own.toml"
    file.write_text(text)
    return file


@pytest.fixture
def controllers(free_station: Station) -> Iterator[Controllers]:
    found = Controllers(free_station)
    yield found
    found.close()


def asked(capsys, *words: str) -> dict:
    assert main(["settings", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


# ---- listed


def test_every_vector_is_listed_with_its_drops_and_what_it_gave(session, station, capsys) -> None:
    found = asked(capsys, str(session))["settings"]
    with Session(session) as read:
        records = {one.drop_id: one for one in read.records}
    assert [one["first_drop"] for one in found] == list(range(1, 17))
    for one in found:
        record = records[one["first_drop"]]
        assert one["setpoints"] == record.in_force
        within = []
        for name, about in station.loop.observables.items():
            away = record.estimate.values[name] - about.target
            away = wrap_phase(away) if name == "phase_rad" else away
            assert one["deviations"][name]["mean"] == pytest.approx(away)
            assert one["deviations"][name]["stderr"] == record.estimate.stderr[name]
            within.append(abs(away) <= about.tolerance)
        assert one["good"] == all(within)
    assert not found[0]["good"]
    assert found[-1]["good"]
    good = asked(capsys, str(session), "--good", "--last", "2")["settings"]
    assert [one["first_drop"] for one in good] == [15, 16]
    assert main(["settings", str(session)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 16
    told = re.match(r"drop 1 +1 usable +off +x (\d+\.\d)\(\d+\) µm", lines[0])
    assert told
    assert float(told[1]) == pytest.approx(1e6 * found[0]["deviations"]["x_m"]["mean"], abs=0.051)


def test_a_vector_that_stayed_has_the_mean_and_its_standard_error(session, station) -> None:
    with Session(session) as read:
        records = read.records[-4:]
    still = [replace(one, in_force=records[0].in_force) for one in records]
    wrong = replace(still[1], estimate=replace(still[1].estimate, usable=False))
    about = station.loop.observables
    targets = {name: one.target for name, one in about.items()}
    tolerances = {name: one.tolerance for name, one in about.items()}
    (one,) = settings_of([still[0], wrong, *still[2:]], targets, tolerances)
    assert (one.first_drop, one.last_drop, one.usable) == (13, 16, 3)
    errors = [still[at].estimate.values["x_m"] for at in (0, 2, 3)]
    assert one.deviations["x_m"].mean == pytest.approx(np.mean(errors))
    assert one.deviations["x_m"].stderr == pytest.approx(np.std(errors, ddof=1) / math.sqrt(3))
    turned = [
        replace(
            each,
            targets={},
            estimate=replace(each.estimate, values={**each.estimate.values, "phase_rad": phase}),
        )
        for each, phase in zip(still, (3.1, -3.1, 3.1, -3.1), strict=True)
    ]
    (one,) = settings_of(turned, {**targets, "phase_rad": math.pi}, tolerances)
    assert one.deviations["phase_rad"].mean == pytest.approx(0.0, abs=1e-9)
    aimed = [replace(each, targets={**targets, "x_m": 1e-3}) for each in still]
    (one,) = settings_of(aimed, targets, tolerances)
    assert not one.good
    assert last_good(aimed, targets, tolerances) is None
    assert last_good(still, targets, tolerances).drop_id == 16


def test_a_random_phase_is_not_what_a_vector_is_judged_by(session, station) -> None:
    with Session(session) as read:
        record = read.records[-1]
    about = station.loop.observables
    targets = {name: one.target for name, one in about.items()}
    tolerances = {name: one.tolerance for name, one in about.items()}
    away = replace(
        record,
        estimate=replace(record.estimate, values={**record.estimate.values, "phase_rad": -2.0}),
    )
    assert not settings_of([away], targets, tolerances)[0].good
    random = replace(away, decision=replace(away.decision, phase_random=True))
    (one,) = settings_of([random], targets, tolerances)
    assert one.good
    assert set(one.deviations) == set(OBSERVABLES) - {"phase_rad"}


def test_one_vector_is_shown_and_two_are_compared(session, capsys) -> None:
    with Session(session) as read:
        records = {one.drop_id: one for one in read.records}
    step = records[16].in_force["trap_x_m"] - records[3].in_force["trap_x_m"]
    assert asked(capsys, str(session), "--drop", "3")["setpoints"] == records[3].in_force
    assert asked(capsys, str(session), "--diff", "3")["difference"]["trap_x_m"] == step
    assert asked(capsys, str(session), "--diff", "3", "3")["difference"]["trap_x_m"] == 0.0
    assert main(["settings", str(session), "--drop", "3"]) == 0
    assert (
        f"trap x             −{abs(records[3].in_force['trap_x_m']) * 1e6:.2f} µm"
        in capsys.readouterr().out
    )
    assert main(["settings", str(session), "--diff", "3", "16"]) == 0
    told = capsys.readouterr().out
    assert f"µm: −{abs(step) * 1e6:.2f}" in told
    assert "launch tilt x      0.00 µrad, the same" in told


def test_what_is_not_there_is_named(session, tmp_path, capsys) -> None:
    for words in (("--drop", "99"), ("--diff", "99"), ("--return", "99")):
        assert main(["settings", str(session), *words]) == 2
        assert (
            "no setpoints of drop 99; known are those of drops 1 to 16" in capsys.readouterr().err
        )
    assert main(["settings", str(tmp_path)]) == 2
    assert "not a session" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["settings", str(session), "--diff", "1", "2", "3"])
    assert "wanted one or two drops" in capsys.readouterr().err


# ---- returned to


def test_a_restarted_station_is_brought_back_in_steps(
    session, own_ports, controllers, capsys
) -> None:
    with Session(session) as read:
        goal = {one.drop_id: one for one in read.records}[12].in_force
    assert main(["settings", str(session), "--return", "12", "--config", str(own_ports)]) == 0
    told = capsys.readouterr().out
    assert f"trap x 0.00 → −{abs(goal['trap_x_m']) * 1e6:.2f} µm" in told
    assert re.search(r"went to the setpoints of drop 12 in ([5-9]|1\d) steps, read back", told)
    there = {
        name: value
        for bank in controllers.banks.values()
        for name, value in bank.readback().items()
    }
    assert {
        name: there[name] for name in ("trap_x_m", "mirror_tilt_x_rad", "final_pulse_phase_rad")
    } == pytest.approx(
        {name: goal[name] for name in ("trap_x_m", "mirror_tilt_x_rad", "final_pulse_phase_rad")},
        rel=1e-3,
    )
    assert all(bank.limit_violations == 0 for bank in controllers.banks.values())
    assert main(["settings", str(session), "--return", "12", "--config", str(own_ports)]) == 0
    assert "stands at the setpoints of drop 12 already" in capsys.readouterr().out


def test_a_controller_that_says_no_half_way_is_told_with_exit_1(
    session, own_ports, controllers, capsys
) -> None:
    bank, asked_of_it = controllers.banks["drop_system"], []
    judge = bank.refusal

    def refuse_the_third(setpoints):
        asked_of_it.append(setpoints)
        return judge(setpoints if len(asked_of_it) <= 4 else {"trap_x_m": 1e9})

    bank.refusal = refuse_the_third
    assert main(["settings", str(session), "--return", "12", "--config", str(own_ports)]) == 1
    assert "did not go to the setpoints of drop 12" in (told := capsys.readouterr().err)
    assert "(at step 3)" in told


def test_controllers_that_are_not_there_are_named_with_exit_1(session, own_ports, capsys) -> None:
    assert main(["settings", str(session), "--return", "12", "--config", str(own_ports)]) == 1
    assert "no laser controller: expected at tcp://127.0.0.1:" in capsys.readouterr().err


def test_nothing_moves_while_a_run_of_the_station_goes_on(session, own_ports, tmp_path) -> None:
    with ExitStack() as stack:
        station = stack.enter_context(
            started(
                "-m",
                "simulators",
                "--sensor",
                "small",
                "--interval",
                "0",
                "--config",
                str(own_ports),
            )
        )
        run = stack.enter_context(
            started(
                "-m",
                "magis_calib",
                "--auto",
                "--config",
                str(own_ports),
                "--session-dir",
                str(tmp_path / "s"),
            )
        )
        next(line for line in run.stdout if line.startswith("drop 1 "))
        said = magis_calib("settings", str(session), "--return", "12", "--config", str(own_ports))
        assert said.returncode == 2
        assert "where a run of this station goes on, return in its window" in said.stderr
        run.send_signal(signal.SIGTERM)
        run.stdout.read()
        assert run.wait(60) == 0
        said = magis_calib("settings", str(session), "--return", "12", "--config", str(own_ports))
        assert said.returncode == 0, said.stderr
        assert "went to the setpoints of drop 12" in said.stdout
        station.send_signal(signal.SIGTERM)
        assert station.wait(20) == 0


# ---- headless


def test_a_headless_run_in_shadow_says_so_and_ends_well(own_ports, tmp_path) -> None:
    own_ports.write_text(own_ports.read_text().replace('start = "closed"', 'start = "shadow"'))
    said = magis_calib(
        "--simulate",
        "--auto",
        "--sensor",
        "small",
        "--drops",
        "4",
        "--interval",
        "0",
        "--config",
        str(own_ports),
        "--session-dir",
        str(tmp_path / "s"),
        "--report",
        str(tmp_path / "r.json"),
    )
    assert said.returncode == 0, said.stderr
    lines = said.stdout.splitlines()
    assert lines[0] == "loop SHADOW"
    assert sum("held: shadow: decided and logged, nothing is sent" in line for line in lines) == 4
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["corrections"] == {"sent": 0, "applied": 0, "refused": 0, "held": 4}
    assert [one for one in report["alarms"] if one["over_ns"] is None] == []
