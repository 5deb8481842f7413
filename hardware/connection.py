"""The connection to one controller: its thread owns the socket, says hello, hears answers."""

from __future__ import annotations

import contextlib
import itertools
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import zmq

from magis_calib.auth.handshake import HandshakeMonitor
from magis_calib.auth.sockets import SocketSecurity
from magis_calib.config.station import Links
from magis_calib.domain.devices import LinkState
from magis_calib.domain.errors import ConfigError, WireError
from magis_calib.host.user import Owner
from magis_calib.link.camera_messages import Bye, Heartbeat
from magis_calib.link.control_messages import (
    ControlError,
    ControllerHello,
    ControllerWelcome,
    FromController,
    decode_from_controller,
)
from magis_calib.link.headers import PROTOCOL_VERSION, Message, table_in

log = logging.getLogger(__name__)

POLL_MS = 200
AGAIN_S = 0.02
"""Pause before what could not be said is said again: the connection is being made."""
COMPLAIN_EVERY_S = 1.0
"""A controller hears this seldom that a message of it cannot be used."""
_wakes = itertools.count()


@dataclass(frozen=True, slots=True)
class ApplicationIdentity:
    """Who speaks to a controller, and how it wants to."""

    station: str
    session: str
    take_over: bool = False
    """Take the lease from whoever has it."""
    asks_only: bool = False
    """Never say hello: whoever has the lease keeps it."""


class ControllerConnection:
    """What any thread may say to one controller, and what is known of it."""

    def __init__(
        self,
        security: SocketSecurity,
        name: str,
        endpoint: str,
        caller: ApplicationIdentity,
        links: Links,
        take: Callable[[FromController], None],
        take_unreadable: Callable[[str | None, WireError], None],
    ) -> None:
        """Connect in the background and say hello until it answers. Raises `ConfigError`.

        `take` is given what it says, in the thread of the connection; `take_unreadable` the request
        that an unreadable message answers, where that can be told, and what is wrong with it.
        """
        self.name = name
        self._security = security
        self._endpoint = endpoint
        self._caller = caller
        self._links = links
        self._take_message = take
        self._take_unreadable = take_unreadable
        self._complained_s = -math.inf
        self._take_over = caller.take_over
        self._quiet = caller.asks_only
        self._outbox: deque[Message] = deque()
        self.welcome: ControllerWelcome | None = None
        """Its answer to our hello; None until then, and once it has forgotten us."""
        self.leased = ""
        """Who else has the lease, in words; empty while it is ours, or nobody answered yet."""
        self._heard_s: float | None = None
        self._stop = threading.Event()
        self._ready = threading.Lock()
        self._socket = self._locked()
        self._handshake = HandshakeMonitor(self._socket, endpoint)
        self._wake_in, self._wake_out = _wake_pair(security.context)
        self._thread = threading.Thread(target=self._run, name=f"controller {name}", daemon=True)
        self._thread.start()

    def post(self, message: Message) -> None:
        """Have this said. Never blocks."""
        self._outbox.append(message)
        self._wake()

    def link(self) -> LinkState:
        """Say whether it is there."""
        if not self._security.trusts(self.name):
            return LinkState(
                self.name, False, None, f"the key of {self.name} was revoked: nothing is sent there"
            )
        if self.leased:
            return LinkState(self.name, False, None, self.leased)
        if self._heard_s is None:
            where = f"no {self.name} controller: expected at {self._endpoint}"
            return LinkState(self.name, False, None, self._with_problem(where))
        age_s = time.monotonic() - self._heard_s
        if age_s < self._links.silent_after_s:
            there = self.welcome is not None or self._quiet
            waits = f"{self.name} at {self._endpoint} answers, and has not welcomed this program"
            return LinkState(self.name, there, age_s, self._endpoint if there else waits)
        silent = f"silent for {age_s:.0f} s"
        return LinkState(self.name, False, age_s, self._with_problem(silent))

    def _with_problem(self, words: str) -> str:
        """Add what the handshake says is wrong."""
        return "; ".join(filter(None, (words, self._handshake.problem)))

    def close(self) -> None:
        """Say good-bye and release the connection."""
        self.post(Bye(session=self._caller.session))
        self._stop.set()
        self._wake()
        self._thread.join(5.0)
        with self._ready:
            self._wake_out.close()

    def _locked(self) -> zmq.Socket[bytes]:
        socket = self._security.context.socket(zmq.DEALER)
        socket.setsockopt(zmq.LINGER, 200)
        socket.setsockopt(zmq.IMMEDIATE, 1)
        try:
            self._security.call(socket, "application", self.name)
        except ConfigError:
            socket.close()
            raise
        return socket

    def _wake(self) -> None:
        with self._ready:
            if not self._wake_out.closed:
                with contextlib.suppress(
                    zmq.Again
                ):  # the thread has ended, or has been woken often enough
                    self._wake_out.send(b"", zmq.NOBLOCK)

    def _run(self) -> None:
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._wake_in, zmq.POLLIN)
        next_beat_s = 0.0
        while not (self._stop.is_set() and not self._outbox):
            now_s = time.monotonic()
            self._handshake.look(now_s)
            if now_s >= next_beat_s:
                next_beat_s = now_s + (self._links.heartbeat_s if self._beat() else AGAIN_S)
            ready = dict(poller.poll(min(POLL_MS, round(1e3 * max(0.0, next_beat_s - now_s)) + 1)))
            if self._wake_in in ready:
                self._wake_in.recv()
            self._exchange()
        self._handshake.close()
        self._socket.close()
        self._wake_in.close()

    def _exchange(self) -> None:
        """Say what waits to be said, and hear what was said."""
        while self._outbox:
            self._send(self._outbox.popleft())
        while self._socket.poll(0):
            self._hear(self._socket.recv())

    def _beat(self) -> bool:
        """Say hello until welcomed (again after silence), then that we are alive.

        Return whether it could be said.

        Who was taken over keeps quiet.
        """
        if self._quiet:
            return True
        silent = (
            self._heard_s is None or time.monotonic() - self._heard_s > 2 * self._links.heartbeat_s
        )
        if self.welcome is None or silent:
            me = Owner.of_this_process()
            return self._send(
                ControllerHello(
                    protocols=[PROTOCOL_VERSION],
                    station=self._caller.station,
                    session=self._caller.session,
                    user=me.user,
                    host=me.host,
                    process=me.process,
                    take_over=self._take_over or None,
                )
            )
        return self._send(Heartbeat(session=self._caller.session))

    def _hear(self, raw: bytes) -> None:
        if not self._security.trusts(self.name):
            return
        try:
            message = decode_from_controller(raw)
        except WireError as error:
            self._unreadable(raw, error)
            return
        self._heard_s = time.monotonic()
        self._take(message)

    def complain(self, code: str, words: str) -> None:
        """Tell the controller what was wrong with its message, once a second at most."""
        now_s = time.monotonic()
        if now_s - self._complained_s >= COMPLAIN_EVERY_S:
            self._complained_s = now_s
            self.post(ControlError(code=code, message=words))

    def _unreadable(self, raw: bytes, error: WireError) -> None:
        """Say what is wrong with a message: here, to who waits for it, and to who sent it.

        What cannot be read is a sign of life all the same. An error is never answered with one.
        """
        self._heard_s = time.monotonic()
        told = table_in(raw)
        request_id = told.get("request_id")
        self._take_unreadable(request_id if isinstance(request_id, str) else None, error)
        if told.get("type") != "error":
            self.complain(error.code, str(error))

    def _take(self, message: FromController) -> None:
        """Keep what it says of the connection; all else is for whoever asked."""
        if isinstance(message, ControllerWelcome):
            self.welcome = message
            self.leased = ""
            self._take_over = False
        elif isinstance(message, Heartbeat):
            if self.welcome is not None and message.session != self.welcome.session:
                log.warning("%s restarted: session %s", self.name, message.session)
                self.welcome = None
        elif isinstance(message, ControlError):
            self._refused(message)
        else:
            self._take_message(message)

    def _refused(self, error: ControlError) -> None:
        """Take in that it has forgotten us, or who else has the lease."""
        log.warning("%s: %s", self.name, error.message)
        if error.code == "no_hello":
            self.welcome = None
        elif error.code == "leased":
            self._quiet = self.welcome is not None
            self.leased = error.message

    def _send(self, message: Message) -> bool:
        """Send, and return whether the connection took it."""
        if not self._security.trusts(self.name):
            return False
        try:
            self._socket.send(message.encode(), zmq.NOBLOCK)
        except zmq.Again:
            log.debug("%s is not there; %s waits for nobody", self.name, type(message).__name__)
            return False
        return True


def _wake_pair(
    context: zmq.Context[zmq.Socket[bytes]],
) -> tuple[zmq.Socket[bytes], zmq.Socket[bytes]]:
    """Return two connected sockets: what is sent into the second wakes who polls the first."""
    address = f"inproc://wake-{next(_wakes)}"
    wake_in, wake_out = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
    wake_in.bind(address)
    wake_out.connect(address)
    return wake_in, wake_out
