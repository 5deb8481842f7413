"""A small application: the other side of the simulated station's wire."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field

import numpy as np
import zmq

from magis_calib.domain.camera import Counts
from magis_calib.domain.errors import WireError
from magis_calib.link.camera_messages import (
    ErrorAnswer,
    FrameMessage,
    Heartbeat,
    Hello,
    Received,
    Stored,
    Welcome,
)
from magis_calib.link.control_messages import (
    Answer,
    ControllerHello,
    ControllerRequest,
    ControllerWelcome,
    Done,
    DropMessage,
    decode_from_controller,
)
from magis_calib.link.wire import check_frame, decode_from_camera


@dataclass
class SmallApplication:
    """Says hello, answers cameras, collects what comes."""

    context: zmq.Context
    endpoints: dict[str, str]
    name: str = "app-1"
    store: bool = True
    persistent: bool = True
    hellos: dict[bytes, Hello] = field(default_factory=dict)
    frames: list[tuple[FrameMessage, Counts]] = field(default_factory=list)
    drops: list[DropMessage] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    errors: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.numbers = itertools.count()
        self.next_heartbeat_s = 0.0
        self.cameras = self.context.socket(zmq.ROUTER)
        self.cameras.bind(self.endpoints["camera"])
        self.controllers = {}
        for name in ("laser", "drop_system"):
            self.controllers[name] = self.context.socket(zmq.DEALER)
            self.controllers[name].connect(self.endpoints[name])
        for socket in (self.cameras, *self.controllers.values()):
            socket.linger = 0

    def join(self) -> None:
        for socket in self.controllers.values():
            hello = ControllerHello(protocols=[1], station="bottom", session=self.name)
            socket.send(hello.encode())

    def close(self) -> None:
        for socket in (self.cameras, *self.controllers.values()):
            socket.close()

    def serve(self, timeout_s: float = 0.05) -> None:
        if time.monotonic() > self.next_heartbeat_s:
            self.next_heartbeat_s = time.monotonic() + 0.2
            for socket in self.controllers.values():
                socket.send(Heartbeat(session=self.name).encode())
        poller = zmq.Poller()
        for socket in (self.cameras, *self.controllers.values()):
            poller.register(socket, zmq.POLLIN)
        for socket, _ in poller.poll(timeout_s * 1000):
            parts = socket.recv_multipart()
            if socket is self.cameras:
                self._camera(parts)
            else:
                self._controller(decode_from_controller(parts[-1]))

    def until(self, condition, wait_s: float = 20.0) -> None:
        end = time.monotonic() + wait_s
        while not condition():
            assert time.monotonic() < end, "it did not happen in time"
            self.serve()

    def done(self, drop_id: int) -> None:
        self.controllers["drop_system"].send(Done(session=self.name, drop_id=drop_id).encode())

    def ask(self, controller: str, request: str, **more) -> Answer:
        number = next(self.numbers)
        defaults = {
            "number": number,
            "expires_time_ns": time.time_ns() + 5_000_000_000,
            "session": self.name,
        }
        told = {"protocol": 1, "request": request, "request_id": f"r{number}"}
        message = ControllerRequest(**(told | defaults | more))
        self.controllers[controller].send(message.encode())
        self.until(lambda: f"r{number}" in self.answers)
        return self.answers[f"r{number}"]

    def counts(self, view: str, drop_id: int) -> Counts:
        return next(c for m, c in self.frames if (m.view, m.drop_id) == (view, drop_id))

    def seen(self, drop_id: int) -> bool:
        return {m.view for m, _ in self.frames if m.drop_id == drop_id} == {"x", "y"}

    def _camera(self, parts: list[bytes]) -> None:
        peer, header = parts[0], parts[1]
        message = decode_from_camera(header)
        if isinstance(message, Hello):
            self.hellos[peer] = message
            self._tell(peer, Welcome(protocol=1, session=self.name, heartbeat_s=1.0))
        elif isinstance(message, Heartbeat):
            self._tell(peer, Heartbeat(session=self.name))
        elif isinstance(message, FrameMessage):
            try:
                counts = np.array(check_frame(message, parts[2], self.hellos.get(peer)))
            except WireError as error:
                self.errors.append(error)
                answer = ErrorAnswer(
                    code=error.code, message=str(error), retry=True, drop_id=message.drop_id
                )
                self._tell(peer, answer)
                return
            self.frames.append((message, counts))
            self._tell(peer, Received(drop_id=message.drop_id, sequence=message.sequence))
            if self.store:
                self._tell(peer, Stored(drop_id=message.drop_id, sequence=message.sequence))

    def _tell(self, peer: bytes, message) -> None:
        self.cameras.send_multipart([peer, message.encode()])

    def _controller(self, message) -> None:
        if isinstance(message, DropMessage):
            self.drops.append(message)
        elif isinstance(message, Answer):
            self.answers[message.request_id] = message
        elif not isinstance(message, ControllerWelcome | Heartbeat):
            self.errors.append(message)
            if message.code in ("no_hello", "leased") and self.persistent:
                self.join()
