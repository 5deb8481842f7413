"""`check-controller` passes an honest controller and names the lie of each other one."""

from __future__ import annotations

import json
import re
import time

import pytest
import zmq
from lying_controller import honest, running

from hardware.controller_check import lease, refusals
from hardware.controller_check.check import CheckPlan, check_controller
from hardware.controller_check.conversation import Address
from magis_calib.auth.sockets import NoSecurity
from magis_calib.cli.main import main
from magis_calib.config.loading import load_config, select_station
from magis_calib.config.station import default_text
from magis_calib.domain.errors import ConfigError
from magis_calib.link.control_messages import ControllerHello

pytestmark = pytest.mark.station

NAME = "drop_system"
QUICK = {"heartbeat_s": 0.1, "silent_after_s": 0.4, "reply_timeout_s": 0.3}


@pytest.fixture
def station(tmp_path):
    _, station = select_station(load_config(None), None)
    links = station.links.model_copy(update={"sockets": "plain", **QUICK})
    addresses = {name: f"ipc://{tmp_path}/{name}" for name in station.endpoints}
    return station.model_copy(update={"links": links}).at(addresses)


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """What does not come from next door at once does not come at all."""
    monkeypatch.setattr(refusals, "ERROR_S", 0.2)
    monkeypatch.setattr(lease, "WAIT_S", 1.2)


def checked(station, patience_s=2.0, said=None, **plan):
    """Return the findings of a check by what was checked."""
    with zmq.Context() as context:
        to = Address(NoSecurity(context), "bottom", station, NAME)
        tell = (said if said is not None else []).append
        found = check_controller(to, CheckPlan(patience_s, **plan), tell)
    return {one.check: one for one in found}


def not_passed(found):
    return {one.check for one in found.values() if not one.passed}


LOCK = "says of its lock true or false"
RESTART = "welcomes again after it was started again, under a new session"


def test_an_honest_controller_passes_and_stands_where_it_stood(station):
    with running(station) as controller:
        before = controller.requests.bank.readback()
        found = checked(station, move=True)
        assert controller.requests.bank.readback() == pytest.approx(before, abs=1e-12)
    assert not_passed(found) == {LOCK, RESTART}
    assert [one for one in found.values() if one.passed is False] == []
    assert controller.requests.bank.writes > 10


def test_nothing_is_committed_without_being_asked_to(station):
    with running(station) as controller:
        found = checked(station)
    assert controller.requests.bank.writes == 0
    assert not [one for one in found.values() if one.passed is False]
    assert "--move" in found["does a committed write"].got


def of(kind, change, asked=None):
    """Return a lie about messages of one type (and with one field in them)."""

    def lie(message):
        if message["type"] == kind and (asked is None or asked in message):
            changed = change(message)
            return [message] if changed is None else changed
        return [message]

    return lie


def told(**changes):
    return lambda message: message.update(changes)


def dropped(message):
    return []


def parameter(name="trap_x_m", **changes):
    return of(
        "answer", lambda message: message["parameters"][name].update(changes), asked="parameters"
    )


def without(kind, field, within=None):
    """Return a lie that leaves out a field, of the message or of a table in it."""

    def change(message):
        del (message[within] if within else message)[field]

    return of(kind, change, within or field)


def reads(**changes):
    return of("answer", lambda message: message["readback"].update(changes), asked="readback")


def errors_but(code):
    """Return a lie that leaves out one kind of error."""
    return of("error", lambda message: [] if message["code"] == code else None)


LIES = {
    "no welcome": (of("welcome", dropped), "answers a hello with a welcome"),
    "welcome lacks protocol": (without("welcome", "protocol"), "answers a hello with a welcome"),
    "protocol 2": (of("welcome", told(protocol=2)), "welcome names its station"),
    "another name": (of("welcome", told(controller="laser")), "welcome names its station"),
    "another station": (of("welcome", told(station="top")), "welcome names its station"),
    "no heartbeats": (of("heartbeat", dropped), "heartbeats"),
    "beats of another": (of("heartbeat", told(session="c-0")), "heartbeats name the session"),
    "describes nothing": (without("answer", "parameters"), "describes its parameter"),
    "describes less": (
        without("answer", "trap_x_m", "parameters"),
        "describes what the configuration",
    ),
    "describes another's": (
        of(
            "answer",
            lambda message: message["parameters"].update(
                detuning_hz=message["parameters"]["trap_x_m"]
            ),
            "parameters",
        ),
        "describes nothing that is another",
    ),
    "unit": (parameter(unit="mm"), "units are those"),
    "range": (parameter(minimum=-1e-9), "ranges hold"),
    "range is none": (parameter("focus_m", minimum=1.0, maximum=-1.0), "ranges hold"),
    "step": (parameter(step_limit=1e-9), "steps are told"),
    "direction": (parameter(direction=-1), "directions are"),
    "number as text": (parameter(minimum="-1"), "messages are well-formed"),
    "no settling time": (
        of(
            "answer",
            lambda message: message["parameters"]["trap_x_m"].__delitem__("settle_time_s"),
            "parameters",
        ),
        "messages are well-formed",
    ),
    "reads more": (reads(shutter=1.0), "reads back what it describes"),
    "reads less": (
        without("answer", "focus_m", "readback"),
        "reads back what it describes",
    ),
    "reads beyond": (reads(trap_x_m=1.0), "reads back what is within"),
    "no state": (of("answer", told(status={"mood": "fine"}), "status"), "tells its state"),
    "lock as text": (
        of("answer", told(status={"state": "ready", "locked": "no"}), "status"),
        LOCK,
    ),
    "answers twice": (of("answer", lambda message: [message, message]), "answers each request"),
    "answers strangers": (of("answer", told(request_id="x")), "describes its parameters"),
    "ok is 1": (of("answer", told(ok=1)), "messages are well-formed"),
    "unknown field": (of("answer", told(mood="fine")), "messages are well-formed"),
    "drop lacks time": (without("drop", "planned_time_ns"), "messages are well-formed"),
    "time in seconds": (of("drop", told(planned_time_ns=5)), "planned time is UTC"),
    "no bad_json": (errors_but("bad_json"), "answers what it cannot read with error `bad_json`"),
    "no no_hello": (errors_but("no_hello"), "answers a heartbeat of another session"),
    "no leased": (errors_but("leased"), "tells a second application"),
    "no version": (errors_but("unsupported_version"), "refuses a version"),
    "no station": (errors_but("unknown_station"), "refuses an application of another station"),
    "old drop": (of("answer", told(effective_drop=1), "effective_drop"), "effective_drop is above"),
    "far drop": (
        of("answer", told(effective_drop=10**9), "effective_drop"),
        "effective_drop is above",
    ),
}


@pytest.mark.parametrize("name", list(LIES))
def test_lies_are_named(station, name):
    lie, check = LIES[name]
    with running(station, lie):
        found = checked(station, patience_s=0.7, move=True)
    failed = [one.check for one in found.values() if one.passed is False]
    assert any(one.startswith(check) for one in failed), failed


def no_refusal(*codes):
    def change(controller):
        judge = controller.requests.bank.refusal

        def refusal(setpoints):
            found = judge(setpoints)
            return None if found is not None and found.code in codes else found

        controller.requests.bank.refusal = refusal

    return change


def moves_when_asked(controller):
    bank = controller.requests.bank
    judge = bank.refusal

    def refusal(setpoints):
        found = judge(setpoints)
        if found is None:
            bank.write(setpoints, 0)
        return found

    bank.refusal = refusal


def does_half(controller):
    bank = controller.requests.bank
    judge = bank.refusal

    def refusal(setpoints):
        if len(setpoints) == 2:
            bank.write({name: one for name, one in setpoints.items() if not judge({name: one})}, 0)
        return judge(setpoints)

    bank.refusal = refusal


def forgets_writes(controller):
    controller.requests.bank.write = lambda setpoints, effective_drop: None


def clamps(controller):
    write = controller.requests.bank.write
    controller.requests.bank.write = lambda setpoints, effective_drop: write(
        {name: min(one, 0.0) for name, one in setpoints.items()}, effective_drop
    )


def never_expires(controller):
    controller.requests._stale = lambda request: None


def does_for_all(controller):
    controller.requests._not_yours = lambda identity, request: None


def keeps_the_lease(controller):
    controller.lease.end = lambda: None


def counts_down(controller):
    controller.newest, controller.step = 5000, -1


def is_silent_on_writes(controller):
    hears = controller.requests.hears
    controller.requests.hears = lambda request: (
        hears(request) and not (request.request == "write" and request.commit)
    )


def is_slow(controller):
    answer = controller.requests.answer

    def late(identity, request):
        time.sleep(0.5 if request.request == "status" else 0.0)
        return answer(identity, request)

    controller.requests.answer = late


DEEDS = {
    "takes unknown names": (no_refusal("unknown_name"), "refuses with `unknown_name`"),
    "takes what is beyond": (no_refusal("limit"), "refuses with `limit`"),
    "takes long steps": (no_refusal("step"), "refuses with `step`"),
    "moves on a check": (moves_when_asked, "a check moves nothing"),
    "does half of a write": (does_half, "a write is all or nothing"),
    "forgets writes": (forgets_writes, "reads back what it was sent"),
    "clamps": (clamps, "reads back what it was sent"),
    "knows no deadline": (never_expires, "nothing is done after"),
    "knows no numbers": (never_expires, "refuses with `stale`: a `number`"),
    "writes for all": (does_for_all, "refuses the committed write of somebody else"),
    "writes for all sessions": (does_for_all, "refuses a committed write in the name of another"),
    "keeps the lease": (keeps_the_lease, "welcomes the next one after `bye`"),
    "counts drops down": (counts_down, "drop_id rises"),
    "silent on writes": (is_silent_on_writes, "does a committed write"),
    "slow": (is_slow, "answers each request once"),
}


@pytest.mark.parametrize("name", list(DEEDS))
def test_deeds_are_named(station, name):
    change, check = DEEDS[name]
    with running(station, honest, change):
        found = checked(station, move=True)
    failed = [one.check for one in found.values() if one.passed is False]
    assert any(one.startswith(check) for one in failed), failed


def test_what_the_document_allows_is_said_and_is_no_problem(station):
    """An answer before the motion, and one that does not know of drops."""
    moving = {}

    def lie(message):
        if message["type"] != "answer" or "readback" not in message:
            return [message]
        if "effective_drop" in message:
            del message["effective_drop"]
            message["readback"], moving["to"] = moving.get("at"), message["readback"]
        else:
            moving["at"] = message["readback"]
        return [message]

    with running(station, lie):
        found = checked(station, move=True)
    assert [one for one in found.values() if one.passed is False] == []
    assert "before it has moved" in found["shows it in the answer itself"].got
    assert "left out" in found["effective_drop is above the newest drop"].got


def test_everything_goes_back_where_the_check_is_interrupted(station):
    asked = []

    def interrupt(controller):
        write = controller.requests.bank.write

        def note(setpoints, effective_drop):
            asked.append(dict(setpoints))
            write(setpoints, effective_drop)

        controller.requests.bank.write = note

    class Stopped(Exception):
        pass

    class Impatient(list):
        def append(self, line):
            if line.startswith("write launch_tilt_x_rad"):
                controller.requests.bank.write({"trap_x_m": 40e-6}, 0)
                raise Stopped

    with running(station, honest, interrupt) as controller:
        before = controller.requests.bank.readback()
        with pytest.raises(Stopped):
            checked(station, said=Impatient(), move=True)
        assert controller.requests.bank.readback() == pytest.approx(before, abs=1e-12)
    assert {"trap_x_m": before["trap_x_m"]} in asked


def test_a_restart_is_waited_for(station):
    class WhenAsked(list):
        def append(self, line):
            if "start it again now" in line:
                controller.restart("c-2")

    with running(station) as controller:
        found = checked(station, said=WhenAsked(), restart_s=5.0)
    assert found[RESTART].passed
    assert found["describes the same parameters after a restart"].passed
    assert found["drop_id rises through a restart"].passed


def test_a_restart_that_counts_again_is_named(station):
    class WhenAsked(list):
        def append(self, line):
            if "start it again now" in line:
                controller.newest = 0
                controller.restart("c-2")

    with running(station) as controller:
        found = checked(station, said=WhenAsked(), restart_s=5.0)
    assert found["drop_id rises through a restart"].passed is False


def test_a_run_that_has_the_lease_is_left_alone(station):
    with running(station), zmq.Context() as context, context.socket(zmq.DEALER) as run:
        run.linger = 0
        run.connect(station.controllers[NAME].endpoint)
        run.send(ControllerHello(protocols=[1], station="bottom", session="night").encode())
        assert run.poll(2000)
        with pytest.raises(ConfigError, match=r"not free: leased to .*night"):
            checked(station, move=True)


def configured(station, tmp_path):
    """Return a configuration file of this station's addresses."""
    _, shipped = select_station(load_config(None), None)
    text = default_text()
    for name, address in shipped.endpoints.items():
        text = text.replace(address, station.endpoints[name])
    text = text.replace('sockets = "curve"', 'sockets = "plain"')
    for name, value in QUICK.items():
        text = re.sub(rf"^{name} = [\d.]+", f"{name} = {value}", text, flags=re.MULTILINE)
    file = tmp_path / "station.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_exit_codes_and_json(station, tmp_path, capsys):
    file = configured(station, tmp_path)
    asked = ["check-controller", NAME, f"--config={file}", "--json"]
    assert main([*asked, "--seconds=0.2"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["passed"] is False
    assert [one["check"] for one in answer["controllers"][NAME]] == [
        "answers a hello with a welcome"
    ]
    with running(station):
        assert main(asked) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["passed"] is True
    assert "waiting for drop_system at" in told.err


def test_a_name_that_is_none_is_exit_2_with_those_that_are(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["check-controller", "lazer"])
    assert "drop_system, laser" in capsys.readouterr().err
