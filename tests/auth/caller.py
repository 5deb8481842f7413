"""Somebody who speaks the protocol by hand, with any keys or none."""

from __future__ import annotations

import json
from typing import Any

import zmq

from magis_calib.auth.keyring import Pair
from tests.bench import FACTS

PATIENCE_MS = 10_000
REFUSED_MS = 1500
"""What is not answered by then is not served: an answer takes some milliseconds."""


class Caller:
    """Somebody who connects with any keys, or none."""

    def __init__(
        self, endpoint: str, mine: Pair | None = None, server: str = "", kind: int = zmq.DEALER
    ) -> None:
        self.context = zmq.Context()
        self.socket = self.context.socket(kind)
        self.socket.linger, self.socket.sndtimeo = 0, REFUSED_MS
        if mine is not None:
            self.socket.curve_publickey, self.socket.curve_secretkey = (
                mine.public.encode(),
                mine.secret.encode(),
            )
            self.socket.curve_serverkey = server.encode()
        if kind == zmq.SUB:
            self.socket.subscribe(b"")
        self.socket.connect(endpoint)

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.destroy(linger=0)

    def ask(self, **message: Any) -> dict[str, Any]:
        """Send this and return the answer."""
        self.socket.send_json(message)
        return self.hear()

    def is_served(self, **message: Any) -> bool:
        """Tell whether this is answered."""
        try:
            self.socket.send_json(message)
        except zmq.Again:
            return False
        return bool(self.socket.poll(REFUSED_MS))

    def hear(self) -> dict[str, Any]:
        """Return the next message."""
        assert self.socket.poll(PATIENCE_MS), "nothing was heard"
        return json.loads(self.socket.recv_multipart()[-1])

    def hears_no_more(self) -> bool:
        """Tell whether it stays silent, once what was on its way has come."""
        for _ in range(20):
            if not self.socket.poll(REFUSED_MS):
                return True
            self.socket.recv_multipart()
        return False


CAMERA_HELLO = {
    "type": "hello",
    "protocols": [1],
    "station": "bottom",
    "camera": "LM1",
    "view": "x",
    "session": "s",
    "driver": "by hand",
    "facts": FACTS,
}
HELLO = {"type": "hello", "protocols": [1], "station": "bottom", "session": "s"}
