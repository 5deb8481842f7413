"""Somebody who speaks the protocol by hand, with any keys or none."""

from __future__ import annotations

import json
from typing import Any

import zmq

from magis_calib.locks.keyring import Pair
from tests.bench import FACTS

PATIENCE_MS = 1500
"""What is not answered by then is not served: an answer takes some milliseconds."""


class Caller:
    """Somebody who connects with any keys, or none."""

    def __init__(self, endpoint: str, mine: Pair | None = None, server: str = "", kind: int = zmq.DEALER) -> None:
        self.context = zmq.Context()
        self.socket = self.context.socket(kind)
        self.socket.linger, self.socket.sndtimeo = 0, PATIENCE_MS
        if mine is not None:
            self.socket.curve_publickey, self.socket.curve_secretkey = mine.public.encode(), mine.secret.encode()
            self.socket.curve_serverkey = server.encode()
        if kind == zmq.SUB:
            self.socket.subscribe(b"")
        self.socket.connect(endpoint)

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.destroy(linger=0)

    def ask(self, *parts: bytes, **message: Any) -> dict[str, Any] | None:
        """Send this and return the answer, None where there is none."""
        try:
            self.socket.send_multipart([json.dumps(message).encode(), *parts])
        except zmq.Again:
            return None
        return self.hear()

    def hear(self) -> dict[str, Any] | None:
        """Return the next message."""
        return json.loads(self.socket.recv_multipart()[-1]) if self.socket.poll(PATIENCE_MS) else None


CAMERA_HELLO = {"type": "hello", "protocols": [1], "station": "bottom", "camera": "LM1", "view": "x", "session": "s",
                "driver": "by hand", "facts": FACTS}  # fmt: skip
HELLO = {"type": "hello", "protocols": [1], "station": "bottom", "session": "s"}
