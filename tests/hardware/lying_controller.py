"""The simulated drop system in a thread, whose words and deeds go through a liar's hands."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import zmq

from magis_calib.auth.sockets import NoSecurity
from magis_calib.config.station import Station
from magis_calib.link.control_messages import DropMessage, FromController
from simulators.controllers.parameters import ParameterBank
from simulators.controllers.server import ControllerIdentity, ControllerServer
from simulators.instrument.numbers import load_plant_numbers

Table = dict[str, Any]
Lie = Callable[[Table], list[Table]]
"""What is sent in place of an honest message."""


def honest(message: Table) -> list[Table]:
    return [message]


class LyingController(ControllerServer):
    """Honest but for `lie`, and for what a test makes of its parts."""

    name = "drop_system"

    def __init__(self, station: Station, context: zmq.Context, lie: Lie) -> None:
        actuators = load_plant_numbers(None).actuators
        quick = {"settle_time_s": 0.02}
        numbers = {
            key: one.model_copy(update=quick)
            for key, one in actuators.items()
            if one.controller == self.name
        }
        bank = ParameterBank(numbers, {key: one.nominal for key, one in numbers.items()})
        endpoint, links = station.controllers[self.name].endpoint, station.links
        place = ControllerIdentity(
            "bottom", self.name, endpoint, "c-1", links.heartbeat_s, links.silent_after_s
        )
        super().__init__(NoSecurity(context), place, bank, lambda words: None)
        self.lie = lie
        self.newest = 0
        self.step = 1
        """From one drop to the next."""
        self.finished = True
        self.on_done = self._note_done
        self.requests.on_sequence = lambda sequence_type: self.newest + 1
        self.requests.next_effective_drop = lambda: self.newest + 1

    def work(self) -> None:
        self.serve()
        self.tick(time.monotonic())
        if self.lease.holder is not None and self.finished:
            self.finished = False
            self.newest += self.step
            drop = {"drop_id": self.newest, "sequence_type": "interferometer"}
            self.tell(DropMessage(planned_time_ns=time.time_ns(), **drop))

    def _note_done(self, drop_id: int) -> None:
        self.finished = self.finished or drop_id >= self.newest

    def _send(self, identity: bytes, message: FromController) -> None:
        for told in self.lie(json.loads(message.encode())):
            with contextlib.suppress(zmq.ZMQError):  # who asked has left
                self.socket.send_multipart([identity, json.dumps(told).encode()])


@contextlib.contextmanager
def running(
    station: Station, lie: Lie = honest, change: Callable[[LyingController], None] | None = None
) -> Iterator[LyingController]:
    """Run one in a thread; `change` is given it before it begins."""
    stop = threading.Event()
    with zmq.Context() as context:
        controller = LyingController(station, context, lie)
        if change is not None:
            change(controller)

        def run() -> None:
            while not stop.is_set():
                controller.work()
                controller.socket.poll(5)
            controller.close()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield controller
        finally:
            stop.set()
            thread.join(10)
