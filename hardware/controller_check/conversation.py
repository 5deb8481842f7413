"""One application's end of a link: says what it is told to, and keeps all that it hears."""

from __future__ import annotations

import itertools
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import zmq

from magis_calib.auth.handshake import HandshakeMonitor
from magis_calib.auth.sockets import SocketSecurity
from magis_calib.config.station import Station
from magis_calib.domain.errors import ConfigError, WireError
from magis_calib.link.camera_messages import Bye, Heartbeat
from magis_calib.link.control_messages import (
    Answer,
    ControlError,
    ControllerHello,
    ControllerWelcome,
    DropMessage,
    decode_from_controller,
)
from magis_calib.link.headers import Message

POLL_MS = 20
CONNECT_MS = 500
"""So long a message waits for the connection to be made."""
HELLO_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Address:
    """The controller that is checked, and how it is spoken to."""

    security: SocketSecurity
    station_name: str
    station: Station
    name: str

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return self.station.controllers[self.name].endpoint


@dataclass(slots=True)
class Heard:
    """Everything that one end heard."""

    welcomes: list[ControllerWelcome] = field(default_factory=list)
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    """By the request that they name."""
    drops: list[tuple[DropMessage, int]] = field(default_factory=list)
    """With the moment it came (ns UTC)."""
    beats: list[tuple[float, str]] = field(default_factory=list)
    """Moment of the monotonic clock, and the session named."""
    errors: list[ControlError] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    newest_s: float = 0.0
    """When anything came last; monotonic clock."""

    def error(self, code: str, since: int) -> bool:
        """Say whether there was an error of this code, after the first `since`."""
        return any(one.code == code for one in self.errors[since:])


class Conversation:
    """A DEALER socket of an application that says neither user nor host: it robs nobody.

    Used by one thread. Heartbeats go out while it listens, once it is welcome.
    """

    def __init__(self, to: Address) -> None:
        """Connect in the background. Raises `ConfigError` without a key."""
        self.to = to
        self.session = f"check-controller-{secrets.token_hex(4)}"
        self.heard = Heard()
        self.asked: dict[str, str] = {}
        """The word of each request, by its id."""
        self.unanswered: list[str] = []
        self.company: list[Conversation] = []
        """With the other controllers: they are kept up while this one listens."""
        self._hello_s = 0.0
        self._numbers = itertools.count(1)
        self._beat_s = 0.0
        self._socket = to.security.context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 200)
        self._socket.setsockopt(zmq.IMMEDIATE, 1)
        try:
            to.security.call(self._socket, "application", to.name)
        except ConfigError:
            self._socket.close()
            raise
        self._handshake = HandshakeMonitor(self._socket, to.endpoint)

    @property
    def problem(self) -> str:
        """Why nobody there speaks with us, in words; empty where that cannot be told."""
        return self._handshake.problem

    @property
    def welcome(self) -> ControllerWelcome | None:
        """The newest answer to our hello."""
        return self.heard.welcomes[-1] if self.heard.welcomes else None

    @property
    def silent_s(self) -> float:
        """How long nothing was heard."""
        return time.monotonic() - self.heard.newest_s

    def forget(self) -> None:
        """Count as not welcome until there is another one; no heartbeats until then."""
        self.heard.welcomes.clear()

    def say(self, message: Message) -> None:
        """Send a message, if somebody is there."""
        self.say_raw(message.encode())

    def say_raw(self, raw: bytes) -> None:
        """Send these bytes, if somebody is there."""
        if self._socket.poll(CONNECT_MS, zmq.POLLOUT):
            self._socket.send(raw, zmq.NOBLOCK)

    def listen(self, longest_s: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Hear what comes; return whether what was waited for has happened."""
        end_s = time.monotonic() + longest_s
        while not until():
            left_s = end_s - time.monotonic()
            if left_s <= 0.0:
                return False
            for one in self.company:
                one.keep_up()
            self._handshake.look(time.monotonic())
            self._beat()
            if self._socket.poll(min(POLL_MS, round(1e3 * left_s) + 1)):
                self._hear(self._socket.recv_multipart()[-1])
        return True

    def keep_up(self) -> None:
        """Say hello until welcome, then heartbeats; hear what has come. Never blocks."""
        now_s = time.monotonic()
        self._handshake.look(now_s)
        if self._socket.poll(0, zmq.POLLOUT):
            if self.welcome is None and now_s >= self._hello_s:
                self._hello_s = now_s + HELLO_EVERY_S
                self.say(self._my_hello())
            self._beat()
        while self._socket.poll(0):
            self._hear(self._socket.recv_multipart()[-1])

    def _my_hello(self, **more: Any) -> ControllerHello:
        usual = {"protocols": [1], "station": self.to.station_name, "session": self.session}
        return ControllerHello(**(usual | more))

    def hello(self, longest_s: float, until: Callable[[], bool] | None = None, **more: Any) -> bool:
        """Say hello each second until welcome, or until something else; return whether it came."""
        before = len(self.heard.welcomes)
        ended = until or (lambda: len(self.heard.welcomes) > before)
        end_s = time.monotonic() + longest_s
        while (left_s := end_s - time.monotonic()) > 0.0:
            self.say(self._my_hello(**more))
            if self.listen(min(HELLO_EVERY_S, left_s), ended):
                return True
        return False

    def bye(self) -> None:
        """Give the lease back."""
        self.say(Bye(session=self.session))
        self.forget()

    def request(self, word: str, **more: Any) -> dict[str, Any]:
        """Return a request with the next number, as a table."""
        number = next(self._numbers)
        deadline_ns = time.time_ns() + round(self.to.station.links.reply_timeout_s * 1e9)
        usual = {"type": "request", "protocol": 1, "request": word, "number": number}
        own = {"request_id": f"{self.session}-{number}", "session": self.session}
        return usual | own | {"expires_time_ns": deadline_ns} | more

    def ask(self, word: str, **more: Any) -> Answer | None:
        """Ask, and return the answer; None where none came in time."""
        return self.ask_raw(self.request(word, **more))

    def ask_raw(self, table: dict[str, Any]) -> Answer | None:
        """Send a request as it stands, and return the answer; None where none came in time."""
        request_id = table["request_id"]
        self.asked[request_id] = str(table.get("request"))
        self.say_raw(json.dumps(table).encode())
        if not self.listen(
            self.to.station.links.reply_timeout_s, lambda: request_id in self.heard.answers
        ):
            self.unanswered.append(request_id)
            return None
        return self.heard.answers[request_id][0]

    def close(self) -> None:
        """Say good-bye and release the socket."""
        self.bye()
        self._handshake.close()
        self._socket.close()

    def _beat(self) -> None:
        now_s = time.monotonic()
        if self.welcome is not None and now_s >= self._beat_s:
            self._beat_s = now_s + self.to.station.links.heartbeat_s
            self.say(Heartbeat(session=self.session))

    def _hear(self, raw: bytes) -> None:
        self.heard.newest_s = time.monotonic()
        try:
            message = decode_from_controller(raw)
        except WireError as error:
            self.heard.unreadable.append(f"{error.code}: {error}")
            return
        if isinstance(message, ControllerWelcome):
            self.heard.welcomes.append(message)
        elif isinstance(message, Answer):
            self.heard.answers.setdefault(message.request_id, []).append(message)
        elif isinstance(message, DropMessage):
            self.heard.drops.append((message, time.time_ns()))
        elif isinstance(message, Heartbeat):
            self.heard.beats.append((time.monotonic(), message.session))
        elif isinstance(message, ControlError):
            self.heard.errors.append(message)


def in_words(answer: Answer | None) -> str:
    """Say what came back."""
    if answer is None:
        return "no answer in time"
    if answer.ok:
        return "accepted"
    return f"{answer.error.code}: {answer.error.message}" if answer.error else "no `error` in it"


def was_refused(answer: Answer | None, *codes: str) -> bool:
    """Say whether this is a refusal with one of these codes."""
    return (
        answer is not None
        and not answer.ok
        and answer.error is not None
        and answer.error.code in codes
    )
