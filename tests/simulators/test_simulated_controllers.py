from __future__ import annotations

import time

import pytest

from simulators.controllers.parameters import ParameterBank


def test_describe_names_every_parameter(bench, numbers):
    bench.station()
    application = bench.application()
    for controller in ("laser", "drop_system"):
        facts = application.ask(controller, "describe").parameters
        assert set(facts) == {
            name for name, one in numbers.actuators.items() if one.controller == controller
        }
    assert application.ask("laser", "describe").parameters["mirror_tilt_x_rad"].step_limit == 50e-6


def test_write_is_read_back_rounded_to_the_resolution(bench):
    bench.station()
    application = bench.application()
    answer = application.ask("laser", "write", setpoints={"mirror_tilt_x_rad": 390.2004e-6})
    assert answer.ok
    assert answer.readback["mirror_tilt_x_rad"] == pytest.approx(390.200e-6, abs=1e-15)
    assert application.ask("laser", "read").readback == answer.readback


def test_write_that_is_not_committed_changes_nothing(bench):
    bench.station()
    application = bench.application()
    before = application.ask("laser", "read").readback
    assert application.ask("laser", "write", setpoints={"pulse_area": 1.02}, commit=False).ok
    assert application.ask("laser", "read").readback == before


@pytest.mark.parametrize(
    ("setpoints", "code", "named"),
    [
        ({"mirror_tilt_q_rad": 1.0}, "unknown_name", "mirror_tilt_q_rad = 1"),
        ({"pulse_area": 1.01, "mirror_tilt_x_rad": 2.1e-3}, "limit", "mirror_tilt_x_rad = 0.0021"),
        ({"mirror_tilt_x_rad": 450e-6}, "step", "mirror_tilt_x_rad = 0.00045"),
        ({}, "bad_request", "without setpoints"),
    ],
)
def test_refuses_by_name_and_value(bench, setpoints, code, named):
    bench.station()
    application = bench.application()
    before = application.ask("laser", "read").readback
    answer = application.ask("laser", "write", setpoints=setpoints)
    assert not answer.ok
    assert answer.error.code == code
    assert named in answer.error.message
    assert application.ask("laser", "read").readback == before
    violations = application.ask("laser", "status").status["limit_violations"]
    assert violations == (code in {"limit", "step"})


def test_refuses_what_is_not_finite(numbers):
    bank = ParameterBank(
        numbers.actuators, {name: one.nominal for name, one in numbers.actuators.items()}
    )
    refusal = bank.refusal({"pulse_area": float("nan")})
    assert (refusal.code, refusal.name, refusal.value) == ("not_finite", "pulse_area", "nan")


def test_step_is_relative_to_the_last_commanded_setpoint(bench):
    bench.station()
    application = bench.application()
    for target in (438.27e-6, 488.27e-6, 438.27e-6):
        assert application.ask("laser", "write", setpoints={"mirror_tilt_x_rad": target}).ok
    assert (
        application.ask("laser", "write", setpoints={"mirror_tilt_x_rad": 488.28e-6}).error.code
        == "step"
    )


def test_refuses_stale_requests(bench):
    bench.station()
    application = bench.application()
    assert (
        application.ask("laser", "read", expires_time_ns=time.time_ns() - 1).error.code == "stale"
    )
    assert application.ask("laser", "read", number=100).ok
    assert application.ask("laser", "read", number=100).error.code == "stale"
    assert application.ask("laser", "read", number=1, session="another").ok


def test_answers_a_request_it_cannot_read(bench):
    bench.station()
    application = bench.application()
    application.controllers["laser"].send(
        b'{"type": "request", "request_id": "odd", "request": "explode"}'
    )
    application.controllers["laser"].send(b"no JSON")
    application.controllers["laser"].send(
        b'{"type":"hello","protocols":[7],"station":"bottom","session":"s"}'
    )
    application.controllers["laser"].send(
        b'{"type":"hello","protocols":[1],"station":"top","session":"s"}'
    )
    application.until(lambda: "odd" in application.answers and len(application.errors) == 3)
    assert application.answers["odd"].error.code == "bad_request"
    assert [error.code for error in application.errors] == [
        "bad_json",
        "unsupported_version",
        "unknown_station",
    ]


def test_delay_moves_the_first_drop_that_sees_a_write(bench):
    bench.station(delay=2)
    application = bench.application()
    application.until(lambda: application.seen(1))
    answer = application.ask("drop_system", "write", setpoints={"trap_x_m": 40e-6})
    assert answer.effective_drop == 4


def test_bank_latches_from_the_effective_drop_on(numbers):
    bank = ParameterBank(
        numbers.actuators, {name: one.nominal for name, one in numbers.actuators.items()}
    )
    bank.write({"trap_x_m": 40e-6}, effective_drop=3)
    bank.write({"trap_x_m": 60e-6}, effective_drop=4)
    assert [bank.latch(k)["trap_x_m"] for k in (2, 3, 4, 5)] == [0.0, 40e-6, 60e-6, 60e-6]
