"""The driver in docs/examples against a real socket, and its bytes against the golden ones."""

from __future__ import annotations

import runpy
import subprocess
import sys
import time
from pathlib import Path

import golden_messages as golden
import pytest
import zmq

from magis_calib.link.camera_messages import (
    ErrorAnswer,
    FrameMessage,
    Heartbeat,
    Hello,
    Received,
    Stored,
    Welcome,
)
from magis_calib.link.wire import check_frame, decode_from_camera

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "camera_driver.py"


def test_example_encodes_the_golden_bytes():
    example = runpy.run_path(str(EXAMPLE))
    header, counts = golden.FRAMES["frame_mono16"]
    assert example["hello"]("x", "LM1-7", 4, 6) == golden.hello().encode()
    made = example["frame"]("x", "LM1-7", 42, 41, header.trigger_time_ns, counts)
    assert made == golden.frame_parts("frame_mono16")


class Application:
    """Plays the application; refuses the first frame once and does not store the second."""

    def __init__(self, context: zmq.Context, endpoint: str, session: str) -> None:
        self.socket = context.socket(zmq.ROUTER)
        self.socket.linger = 0
        self.socket.bind(endpoint)
        self.session = session
        self.hello: Hello | None = None
        self.said: list[str] = []
        self.frames: list[FrameMessage] = []

    def serve_until(
        self, condition, *, store=lambda drop_id: True, refuse=lambda drop_id: False
    ) -> None:
        end = time.monotonic() + 30.0
        while not condition():
            assert time.monotonic() < end, f"it did not happen in time: {self.said}"
            if self.socket.poll(50):
                peer, header, *payload = self.socket.recv_multipart()
                self.hear(peer, decode_from_camera(header), payload, store, refuse)

    def hear(self, peer, message, payload, store, refuse) -> None:
        self.said.append(message.type)
        answers = []
        if isinstance(message, Hello):
            self.hello = message
            answers = [Welcome(protocol=1, session=self.session, heartbeat_s=1.0)]
        elif isinstance(message, Heartbeat):
            answers = [Heartbeat(session=self.session)]
        elif isinstance(message, FrameMessage):
            check_frame(message, payload[0], self.hello)
            self.frames.append(message)
            told = {"drop_id": message.drop_id, "sequence": message.sequence}
            if refuse(message.drop_id):
                answers = [ErrorAnswer(code="checksum", message="try again", retry=True, **told)]
            else:
                answers = [Received(**told)] + ([Stored(**told)] if store(message.drop_id) else [])
        for answer in answers:
            self.socket.send_multipart([peer, answer.encode()])

    def drops(self) -> list[int]:
        return [frame.drop_id for frame in self.frames]


@pytest.mark.station
def test_example_keeps_and_sends_again(tmp_path):
    endpoint = f"ipc://{tmp_path}/c"
    command = [sys.executable, str(EXAMPLE), endpoint, "x", "3", "0.01"]
    with (
        zmq.Context() as context,
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as driver,
    ):
        first = Application(context, endpoint, "app-1")
        refused: list[int] = []

        def refuse(drop_id: int) -> bool:
            refused.append(drop_id)
            return refused == [1]

        first.serve_until(
            lambda: {1, 2, 3} <= set(first.drops()) and first.drops().count(1) == 2,
            store=lambda drop_id: drop_id != 2,
            refuse=refuse,
        )
        assert first.said[0] == "hello"
        first.socket.close()
        second = Application(context, endpoint, "app-2")
        second.serve_until(lambda: "bye" in second.said)
        second.socket.close()
        assert driver.wait(10) == 0
        assert "checksum: try again" in driver.stderr.read()
    assert 2 in second.drops()
    assert next(frame for frame in second.frames if frame.drop_id == 2) == next(
        frame for frame in first.frames if frame.drop_id == 2
    )
