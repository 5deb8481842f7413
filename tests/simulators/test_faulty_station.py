"""Faults of controllers and cameras, through the sockets of a simulated station."""

from __future__ import annotations

import json
import time
from contextlib import closing

import pytest
import zmq
from test_faults import table

from magis_calib.auth.sockets import NoSecurity
from magis_calib.link.control_messages import (
    ControllerHello,
    ControllerRequest,
    ControllerWelcome,
    Heartbeat,
    decode_from_controller,
)
from simulators.controllers.parameters import ParameterBank
from simulators.controllers.server import ControllerIdentity, ControllerServer
from simulators.faults.active import Faults
from simulators.faults.controller import Misbehaviour
from simulators.faults.kinds import ControllerSilent

pytestmark = pytest.mark.station

MIRROR = "mirror_tilt_x_rad"
STEP = 10e-6


@pytest.fixture
def faulty(bench, tmp_path):
    """An application that has seen the first drop of a station with these faults."""

    def start(*tables: str, **options):
        path = tmp_path / "faults.toml"
        path.write_text("\n".join(tables))
        bench.station(faults=path, truth=tmp_path / "truth.jsonl", **options)
        application = bench.application()
        application.until(lambda: any(drop.drop_id == 1 for drop in application.drops))
        return application

    return start


@pytest.fixture
def truth(bench, tmp_path):
    """The lines of the truth file after the end of the station, the plant's left out."""

    def lines() -> list[dict]:
        bench.stop_stations()
        return [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text().splitlines()][
            1:
        ]

    return lines


def next_drop(application, drop_id: int) -> None:
    application.done(drop_id - 1)
    application.until(lambda: application.seen(drop_id))


def post(application, controller: str, request: str, name: str, **more) -> None:
    """Ask without waiting for an answer."""
    message = ControllerRequest(
        protocol=1,
        request=request,
        request_id=name,
        number=next(application.numbers),
        session=application.name,
        expires_time_ns=time.time_ns() + 5_000_000_000,
        **more,
    )
    application.controllers[controller].send(message.encode())


def test_a_silent_controller_answers_nothing_until_it_is_over(faulty):
    application = faulty(table("controller_silent", controller="drop_system", until_drop=1))
    post(application, "drop_system", "write", "unheard", setpoints={"trap_x_m": STEP})
    next_drop(application, 2)
    assert application.ask("drop_system", "read").readback["trap_x_m"] == 0.0
    assert "unheard" not in application.answers


def test_a_silent_controller_sends_no_heartbeats(numbers, bench, tmp_path):
    newest = [0]
    fault = ControllerSilent(kind="controller_silent", controller="laser", until_drop=1)
    place = ControllerIdentity("bottom", "laser", f"ipc://{tmp_path}/l", "laser-9", 1.0, 5.0)
    bank = ParameterBank(
        numbers.actuators, {name: one.nominal for name, one in numbers.actuators.items()}
    )
    server = ControllerServer(NoSecurity(bench.context), place, bank, print)
    server.requests.misbehaviour = Misbehaviour(Faults([fault]), "laser", lambda: newest[0])
    with closing(server), bench.context.socket(zmq.DEALER) as application:
        application.connect(place.endpoint)
        application.send(ControllerHello(protocols=[1], station="bottom", session="a").encode())
        while not application.poll(20):
            server.serve()
        application.recv()
        now_s = time.monotonic()
        for newest[0], ahead_s in ((1, 0.0), (2, 1.1), (1, 2.2)):
            server.tick(now_s + ahead_s)
        newest[0] = 2
        application.send(ControllerHello(protocols=[1], station="bottom", session="a").encode())
        while not application.poll(20):
            server.serve()
        assert isinstance(decode_from_controller(application.recv()), Heartbeat)
        while not application.poll(20):
            server.serve()
        assert isinstance(decode_from_controller(application.recv()), ControllerWelcome)


@pytest.mark.parametrize("interval_s", [0.0, 0.1])
@pytest.mark.parametrize(("controller", "name"), [("laser", MIRROR), ("drop_system", "trap_x_m")])
def test_a_restarted_controller_is_another_one_at_its_nominal_setpoints(
    faulty, truth, numbers, controller, name, interval_s
):
    application = faulty(
        table("controller_restart", controller=controller, from_drop=6), interval_s=interval_s
    )
    nominal = numbers.actuators[name].nominal
    first = application.ask(controller, "write", setpoints={name: nominal + STEP})
    for drop_id in range(2, 6):
        next_drop(application, drop_id)
    application.done(5)
    application.until(
        lambda: any(getattr(error, "code", "") == "no_hello" for error in application.errors)
    )
    application.join()
    application.until(lambda: application.seen(6))
    second = application.ask(controller, "read", number=0)
    assert second.ok
    assert second.session != first.session
    assert second.readback[name] == pytest.approx(nominal)
    if controller == "drop_system":
        assert 6 in [drop.drop_id for drop in application.drops]
    in_force = {drop["drop_id"]: drop["actuators"][name] for drop in truth() if "drop_id" in drop}
    assert [in_force[5], in_force[6]] == pytest.approx([nominal + STEP, nominal], abs=1e-12)


def test_a_controller_may_die_between_check_and_write(faulty):
    application = faulty(table("controller_dies_after_check", controller="laser", until_drop=1))
    target = {MIRROR: application.ask("laser", "read").readback[MIRROR] + STEP}
    assert application.ask("laser", "write", setpoints=target, commit=False).ok
    post(application, "laser", "write", "lost", setpoints=target)
    assert application.ask("laser", "read").readback[MIRROR] == pytest.approx(target[MIRROR] - STEP)
    assert "lost" not in application.answers
    next_drop(application, 2)
    assert application.ask("laser", "write", setpoints=target).readback[MIRROR] == pytest.approx(
        target[MIRROR]
    )


def test_a_controller_may_refuse_every_write(faulty):
    application = faulty(table("refuses", controller="drop_system", until_drop=1))
    for commit in (False, True):
        answer = application.ask(
            "drop_system", "write", setpoints={"trap_x_m": STEP}, commit=commit
        )
        assert (answer.ok, answer.error.code) == (False, "busy")
    assert application.ask("drop_system", "read").readback["trap_x_m"] == 0.0
    assert application.ask("laser", "write", setpoints={"pulse_area": 1.0}).ok
    next_drop(application, 2)
    assert application.ask("drop_system", "write", setpoints={"trap_x_m": STEP}).ok


def test_a_clamped_setpoint_is_read_back_and_in_force_as_clamped(faulty, truth):
    application = faulty(
        table("clamps", name="trap_x_m", minimum=-5e-6, maximum=5e-6, until_drop=1)
    )
    answer = application.ask("drop_system", "write", setpoints={"trap_x_m": STEP, "trap_y_m": STEP})
    assert [answer.readback["trap_x_m"], answer.readback["trap_y_m"]] == pytest.approx([5e-6, STEP])
    next_drop(application, 2)
    assert (
        application.ask("drop_system", "write", setpoints={"trap_x_m": STEP}).readback["trap_x_m"]
        == STEP
    )
    second = next(drop for drop in truth() if drop["drop_id"] == 2)
    assert second["actuators"]["trap_x_m"] == second["noise_free_response"]["x_m"] == 5e-6


def test_a_read_back_may_be_off_where_the_motion_is_right(faulty, truth):
    application = faulty(table("reads_off", name="trap_x_m", size=7e-6))
    answer = application.ask("drop_system", "write", setpoints={"trap_x_m": STEP})
    assert answer.readback["trap_x_m"] == pytest.approx(STEP + 7e-6)
    assert application.ask("drop_system", "read").readback == answer.readback
    next_drop(application, 2)
    second = next(drop for drop in truth() if drop["drop_id"] == 2)
    assert second["noise_free_response"]["x_m"] == pytest.approx(STEP)


def test_the_laser_says_whether_it_is_locked(faulty):
    application = faulty(table("unlocked", until_drop=1))
    assert application.ask("laser", "status").status["locked"] is False
    assert "locked" not in application.ask("drop_system", "status").status
    next_drop(application, 2)
    assert application.ask("laser", "status").status["locked"] is True


def test_a_lost_frame_is_never_sent_and_not_stored(faulty, truth):
    application = faulty(table("frame_lost", view="x", until_drop=1))
    application.until(lambda: any(frame.view == "y" for frame, _ in application.frames))
    next_drop(application, 2)
    assert [
        (frame.view, frame.drop_id) for frame, _ in application.frames if frame.drop_id == 1
    ] == [("y", 1)]
    assert {frame.sequence for frame, _ in application.frames if frame.view == "x"} == {1}
    stored = {
        drop["drop_id"]: {view: one["stored"] for view, one in drop["frames"].items()}
        for drop in truth()
        if "drop_id" in drop
    }
    assert stored[1] == {"x": False, "y": True}


def test_the_controllers_count_writes_and_every_violation_of_a_limit(faulty, truth):
    application = faulty(table("refuses", controller="laser", until_drop=1))
    beyond = {MIRROR: 1.0, "pulse_area": 100.0}
    for commit in (False, True):
        assert (
            application.ask("laser", "write", setpoints=beyond, commit=commit).error.code == "limit"
        )
    late = {"expires_time_ns": time.time_ns() - 1}
    assert application.ask("laser", "write", setpoints={MIRROR: 1.0}, **late).error.code == "stale"
    assert application.ask("laser", "status").status["limit_violations"] == 5
    application.ask("drop_system", "write", setpoints={"trap_x_m": STEP}, commit=False)
    application.ask("drop_system", "write", setpoints={"trap_x_m": STEP})
    *_, last = truth()
    assert last == {
        "controllers": {
            "laser": {"writes": 0, "limit_violations": 5},
            "drop_system": {"writes": 1, "limit_violations": 0},
        }
    }
