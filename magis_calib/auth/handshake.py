"""How a socket that connects is received at the other end.

What is wrong there in words, and knocking again.
"""

from __future__ import annotations

import logging

import zmq
from zmq.utils.monitor import parse_monitor_message

from magis_calib.auth.binding import speak_ipv6

log = logging.getLogger(__name__)

KNOCK_AGAIN_S = 2.0
REFUSALS = {
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: "it does not let our key in: is that in its list of allowed? "
    "(magis-calib keys)",
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: "who answers there has another key than the one known "
    "here, or is too busy",
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "who answers there does not speak as this end does: is "
    "one of them plain and "
    "the other locked? (links.sockets)",
}
"""Of the handshake of ZMTP 3.1 (ZeroMQ RFC 37) and CURVE (RFC 26), as libzmq's monitor tells."""
AT_THE_DOOR = (
    zmq.EVENT_HANDSHAKE_FAILED_AUTH,
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL,
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL,
)
WHY = {
    AT_THE_DOOR[0]: "its key is not let in here; the line before says whose it is",
    AT_THE_DOOR[1]: "it does not speak as this end does: is one of them plain and the other "
    "locked? (links.sockets)",
    AT_THE_DOOR[2]: "it knows another key of this end, or it went away",
}
"""Of what a bound socket's monitor tells."""
TELL_AGAIN_S = 60.0
WATCHED = zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED | sum(REFUSALS)


class HandshakeMonitor:
    """Connects one socket. Used by the thread that owns it.

    libzmq gives up for good where a key is refused, or too much is sent at once; here it is tried
    again every few seconds: the key may be let in later.
    """

    def __init__(self, socket: zmq.Socket[bytes], endpoint: str) -> None:
        """Have the socket connect, in the background. It must have its lock."""
        self._socket = socket
        self._endpoint = endpoint
        self._monitor = socket.get_monitor_socket(WATCHED)
        self._knock_s: float | None = None
        self.problem = ""
        """Why nobody there speaks with us, in words.

        Empty while somebody does, or nobody answers at all.
        """
        speak_ipv6(socket, endpoint)
        socket.connect(endpoint)

    def look(self, now_s: float) -> bool:
        """Take in what happened; say whether a connection broke."""
        broken = False
        while self._monitor.poll(0):
            event = zmq.Event(parse_monitor_message(self._monitor.recv_multipart())["event"])
            if event in REFUSALS:
                self.problem = REFUSALS[event]
            elif event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self.problem = ""
                self._knock_s = None
                continue
            broken = broken or event == zmq.EVENT_DISCONNECTED
            self._knock_s = now_s + KNOCK_AGAIN_S
        if self._knock_s is not None and now_s >= self._knock_s:
            self._knock_s = None
            self._socket.disconnect(self._endpoint)
            self._socket.connect(self._endpoint)
        return broken

    def close(self) -> None:
        """Stop watching; the socket is its owner's to close."""
        self._socket.disable_monitor()
        self._monitor.close(linger=0)


class DoorMonitor:
    """Logs who is not let in at a bound socket, each cause once a minute.

    Used by the thread that owns it.
    """

    def __init__(self, socket: zmq.Socket[bytes], door: str) -> None:
        """Watch a socket that is about to be bound."""
        self._socket = socket
        self._door = door
        self._monitor = socket.get_monitor_socket(sum(AT_THE_DOOR))
        self._told_s: dict[zmq.Event, float] = {}

    def look(self, now_s: float) -> None:
        """Take in what happened."""
        while self._monitor.poll(0):
            told = parse_monitor_message(self._monitor.recv_multipart())
            event = zmq.Event(told["event"])
            if now_s - self._told_s.get(event, -TELL_AGAIN_S) >= TELL_AGAIN_S:
                self._told_s[event] = now_s
                address = told["endpoint"].decode(errors="replace")
                log.warning("a handshake at %s (%s) failed: %s", address, self._door, WHY[event])

    def close(self) -> None:
        """Stop watching; the socket is its owner's to close."""
        self._socket.disable_monitor()
        self._monitor.close(linger=0)
