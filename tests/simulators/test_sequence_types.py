"""Sequence types on request, through sockets: the drop system, its client, and the types that
frames carry.
"""

from __future__ import annotations

import json
import time

import pytest
import zmq

from hardware.connection import ApplicationIdentity
from hardware.controller import ControllerClient
from magis_calib.auth.sockets import NoSecurity
from magis_calib.domain.errors import Refused
from magis_calib.link.camera_messages import Bye

pytestmark = pytest.mark.station


def welcomed(client: ControllerClient) -> ControllerClient:
    end = time.monotonic() + 10
    while client.session() is None:
        assert time.monotonic() < end, "no welcome"
        time.sleep(0.01)
    return client


def types(application) -> dict[int, str]:
    """What each drop was announced for; its frames say the same."""
    announced = {drop.drop_id: drop.sequence_type for drop in application.drops}
    assert all(
        message.sequence_type == announced[message.drop_id] for message, _ in application.frames
    )
    return announced


def test_drops_are_what_was_asked_for_until_it_is_changed(bench, tmp_path):
    bench.station(truth=tmp_path / "truth.jsonl", drops=4)
    application = bench.application()
    application.until(lambda: application.seen(1))
    for _ in range(2):
        assert (
            application.ask("drop_system", "sequence", sequence_type="z_shear").effective_drop == 2
        )
    application.done(1)
    application.until(lambda: application.seen(2))
    application.done(2)
    application.until(lambda: application.seen(3))
    assert application.ask("drop_system", "sequence", sequence_type="no_atoms").effective_drop == 4
    application.done(3)
    application.until(lambda: application.seen(4))
    assert types(application) == {1: "interferometer", 2: "z_shear", 3: "z_shear", 4: "no_atoms"}
    bench.stop_stations()
    _, first, *others = [
        json.loads(line) for line in (tmp_path / "truth.jsonl").read_text().splitlines()
    ]
    assert "shown" not in first
    assert [one["shown"]["sequence_type"] for one in others] == ["z_shear", "z_shear", "no_atoms"]


@pytest.mark.parametrize("leaves", ["bye", "silence"])
def test_when_everyone_has_left_drops_are_for_the_interferometer_again(bench, leaves):
    bench.station(interval_s=0.1)
    first = bench.application()
    first.until(lambda: first.seen(1))
    assert first.ask("drop_system", "sequence", sequence_type="pi_test").ok
    asked_at = max(drop.drop_id for drop in first.drops)
    first.until(lambda: first.seen(asked_at + 2))
    assert types(first)[asked_at + 2] == "pi_test"
    if leaves == "bye":
        first.controllers["drop_system"].send(Bye(session=first.name).encode())
    first.close()
    said = "said bye" if leaves == "bye" else "is silent"
    end = time.monotonic() + 10
    while not any(f"drop_system: application app-1 {said}" in words for words in bench.said):
        assert time.monotonic() < end, bench.said
        time.sleep(0.02)
    second = bench.application(name="app-2")
    second.until(lambda: len(second.drops) >= 2)
    assert {drop.sequence_type for drop in second.drops} == {"interferometer"}


def test_what_is_not_a_sequence_is_refused(bench):
    bench.station()
    application = bench.application()
    application.until(lambda: application.seen(1))
    for controller, more, words in (
        ("laser", {"sequence_type": "z_shear"}, "laser makes no drops"),
        ("drop_system", {}, "without sequence_type"),
        ("drop_system", {"sequence_type": "z_shear", "expires_time_ns": 1}, "expired"),
    ):
        answer = application.ask(controller, "sequence", **more)
        assert not answer.ok
        assert words in answer.error.message
    unknown = {
        "type": "request",
        "protocol": 1,
        "request": "sequence",
        "request_id": "odd",
        "number": 900,
        "session": "app-1",
        "expires_time_ns": 4 * 10**18,
        "sequence_type": "fountain",
    }
    application.controllers["drop_system"].send(json.dumps(unknown).encode())
    application.until(lambda: "odd" in application.answers)
    assert application.answers["odd"].error.code == "bad_request"
    assert "fountain" in application.answers["odd"].error.message
    application.done(1)
    application.until(lambda: application.seen(2))
    assert types(application)[2] == "interferometer"


def test_the_client_raises_what_the_controller_refuses(bench):
    bench.station()
    name, station = bench.configured()
    with zmq.Context() as context:
        laser = ControllerClient(
            NoSecurity(context),
            "laser",
            bench.endpoints["laser"],
            ApplicationIdentity(name, "c-1"),
            station.links,
        )
        with pytest.raises(Refused, match="makes no drops") as refused:
            welcomed(laser).sequence("z_shear")
        laser.close()
    assert refused.value.code == "bad_request"


def test_nobody_who_did_not_say_hello_decides_what_drops_are_for(bench):
    bench.station()
    stranger = bench.application()
    for socket in stranger.controllers.values():
        socket.send(Bye(session=stranger.name).encode())
    answer = stranger.ask("drop_system", "sequence", sequence_type="z_shear")
    assert answer.error.code == "bad_request"
    assert "hello" in answer.error.message
