"""The simulated instruments send the golden bytes: the wire is tested from both sides."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import zmq

from magis_calib.auth.sockets import NoSecurity
from magis_calib.link.camera_messages import FrameMessage, Hello
from simulators.cameras.buffer import FrameBuffer
from simulators.cameras.driver import CameraDriver, CameraIdentity
from simulators.controllers.parameters import ParameterBank
from simulators.controllers.server import ControllerIdentity, ControllerServer
from simulators.instrument.numbers import ActuatorNumbers

GOLDEN = Path(__file__).parent.parent / "link" / "golden"


def raw(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


@pytest.fixture
def context():
    with zmq.Context() as context:
        yield context


def received(socket: zmq.Socket, device) -> list[bytes]:
    """The next message that is no heartbeat, while the device does its work."""
    end = time.monotonic() + 10.0
    while time.monotonic() < end:
        device.serve()
        device.tick(time.monotonic())
        if socket.poll(20):
            parts = socket.recv_multipart()
            if json.loads(parts[-1] if len(parts) < 3 else parts[1])["type"] != "heartbeat":
                return parts
    raise AssertionError("nothing came")


@pytest.mark.parametrize("name", ["frame_mono16", "frame_mono12p"])
def test_camera_sends_the_golden_bytes(context, tmp_path, name):
    endpoint = f"ipc://{tmp_path}/c"
    hello = Hello.model_validate_json(raw("hello_mono12p.json" if "12p" in name else "hello.json"))
    header = FrameMessage.model_validate_json(raw(f"{name}.json")).header()
    place = CameraIdentity("bottom", "LM1", "x", endpoint, "LM1-7", 0.1, 5.0, "example 1.0")
    settled: list[tuple[int, str, bool]] = []
    buffer = FrameBuffer(1000)
    with context.socket(zmq.ROUTER) as application:
        application.bind(endpoint)
        driver = CameraDriver(
            NoSecurity(context),
            place,
            hello.facts.facts(),
            buffer,
            lambda *one: settled.append(one),
            print,
        )
        peer, said = received(application, driver)
        assert said == hello.encode()
        application.send_multipart([peer, raw("welcome.json")])
        driver.take(header, memoryview(raw(f"{name}.bin")))
        assert received(application, driver)[1:] == [raw(f"{name}.json"), raw(f"{name}.bin")]
        application.send_multipart([peer, raw("error.json")])
        assert received(application, driver)[1:] == [raw(f"{name}.json"), raw(f"{name}.bin")]
        application.send_multipart([peer, raw("stored.json")])
        end = time.monotonic() + 10.0
        while not settled and time.monotonic() < end:
            driver.serve()
        assert settled == [(42, "x", True)]
        assert len(buffer) == 0
        driver.close()


def test_controller_answers_with_the_golden_bytes(context, tmp_path):
    tilt = ActuatorNumbers(
        controller="laser",
        nominal=0.0,
        minimum=-0.002,
        maximum=0.002,
        step_limit=0.0005,
        resolution=0.0001,
        settle_time_s=0.2,
    )
    bank = ParameterBank({"mirror_tilt_x_rad": tilt}, {"mirror_tilt_x_rad": 0.0004})
    place = ControllerIdentity("bottom", "laser", f"ipc://{tmp_path}/l", "laser-9", 1.0, 5.0)
    server = ControllerServer(NoSecurity(context), place, bank, print)
    server.requests.next_effective_drop = lambda: 43
    exchange = {
        "controller_hello": "controller_welcome",
        "request_describe": "answer_describe",
        "request_read": "answer_read",
        "request_write": "answer_write",
        "request_check": "answer_refused",
        "request_status": "answer_status",
    }
    with context.socket(zmq.DEALER) as application:
        application.connect(place.endpoint)
        for question, answer in exchange.items():
            application.send(raw(f"{question}.json"))
            assert received(application, server) == [raw(f"{answer}.json")]
    server.close()
