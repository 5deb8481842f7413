"""The server side of a controller: hellos, answers, news for its clients."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import zmq

from magis_calib.auth.binding import bind
from magis_calib.auth.sockets import SocketSecurity
from magis_calib.domain.control import Setpoints
from magis_calib.domain.errors import WireError
from magis_calib.link.camera_messages import Bye, Heartbeat
from magis_calib.link.control_messages import (
    Answer,
    ControlError,
    ControllerHello,
    ControllerRequest,
    ControllerWelcome,
    Done,
    DropMessage,
    FromController,
    Refusal,
    ToController,
    decode_to_controller,
)
from magis_calib.link.headers import agree_version
from simulators.controllers.command_log import CommandLog
from simulators.controllers.lease import Holder, Lease
from simulators.controllers.parameters import ParameterBank
from simulators.controllers.requests import RequestHandler, Say


def unreadable(raw: bytes, error: WireError, session: str) -> FromController:
    """A request that can be told by its id gets an answer, anything else an error."""
    try:
        table = json.loads(raw)
    except (ValueError, RecursionError):
        table = None
    if (
        isinstance(table, dict)
        and table.get("type") == "request"
        and isinstance(table.get("request_id"), str)
    ):
        refusal = Refusal(code="bad_request", message=str(error))
        return Answer(request_id=table["request_id"], session=session, ok=False, error=refusal)
    return ControlError(code=error.code, message=str(error))


@dataclass(frozen=True, slots=True)
class ControllerIdentity:
    """Who a controller is and where it is found."""

    station: str
    controller: str
    endpoint: str
    session: str
    heartbeat_s: float
    silent_after_s: float
    """The lease of an application that is silent for this long ends."""


class ControllerServer:
    """One ROUTER socket with the parameters behind it. Used by one thread."""

    def __init__(
        self, security: SocketSecurity, place: ControllerIdentity, bank: ParameterBank, say: Say
    ) -> None:
        self._security = security
        self.place = place
        self.lease = Lease(place.silent_after_s)
        self.requests = RequestHandler(place.controller, place.session, bank, self.lease, say)
        self.on_done: Callable[[int], None] = lambda drop_id: None
        self.on_left: Callable[[bytes], None] = lambda identity: None
        self.commands = CommandLog(None)
        self._say = say
        self._late: deque[tuple[float, bytes, FromController]] = deque()
        self._next_heartbeat_s = 0.0
        self.socket = security.context.socket(zmq.ROUTER)
        self.socket.setsockopt(zmq.LINGER, 200)
        self.socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
        self.socket.setsockopt(zmq.ROUTER_MANDATORY, 1)  # to notice that a peer is gone
        security.serve(self.socket, "control", place.controller)
        bind(self.socket, place.endpoint)
        say(f"{place.controller}: listening on {place.endpoint}")

    def serve(self) -> None:
        """Answer everything that has arrived."""
        while not self.requests.misbehaviour.cut.from_application:
            try:
                parts = self.socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            client = parts[0].bytes
            raw = parts[-1].bytes
            try:
                who = self._security.visitor(parts[-1], "control")
                message = decode_to_controller(raw)
            except WireError as error:
                self._send(client, unreadable(raw, error, self.place.session))
                continue
            self._handle(client, who, message)

    def tick(self, now_s: float) -> None:
        """Send what is due: answers that are late, and a heartbeat to who has the lease."""
        while (
            self._late
            and self._late[0][0] <= now_s
            and not self.requests.misbehaviour.cut.to_application
        ):
            self._send(*self._late.popleft()[1:])
        if now_s < self._next_heartbeat_s:
            return
        self._next_heartbeat_s = now_s + self.place.heartbeat_s
        if self.lease.holder is not None and self.lease.left_s < 0.0:
            self._end_lease("is silent")
        self.tell(Heartbeat(session=self.place.session))

    def tell(self, message: FromController) -> None:
        """Send a message to who has the lease."""
        if self.lease.holder is not None:
            self._send(self.lease.holder.identity, message)

    def restart(self, session: str, otherwise: Setpoints | None = None) -> None:
        """Come back after a power cycle.

        A new session, setpoints of the start, and nobody has said hello yet.

        `otherwise`: setpoints that are others.
        """
        self.place = replace(self.place, session=session)
        self.requests.restart(session, otherwise or {})
        if self.lease.holder is not None:
            self._end_lease("is forgotten by a power cycle")

    def close(self) -> None:
        """Release the socket."""
        self.socket.close()

    def _handle(
        self,
        identity: bytes,
        who: str,
        message: ToController,
    ) -> None:
        if isinstance(message, ControlError):
            self._say(f"{self.place.controller}: the application says {message.message}")
            return
        if isinstance(message, ControllerHello):
            self._welcome(identity, who, message)
            return
        if isinstance(message, ControllerRequest) and self.requests.hears(message):
            self._answer(identity, who, message)
        if not self.lease.held_by(identity):
            if not isinstance(message, ControllerRequest | Bye):
                self._ask_for_hello(identity)
            return
        holder = self.lease.holder
        if holder is not None and message.session != holder.session:
            self._ask_for_hello(identity)
            return
        self.lease.renew()
        if isinstance(message, Done):
            self.on_done(message.drop_id)
        elif isinstance(message, Bye):
            self._end_lease("said bye")

    def _answer(self, identity: bytes, who: str, request: ControllerRequest) -> None:
        answer = self.requests.answer(identity, request)
        self.commands.add(self.place.controller, who, request, answer)
        if delay_s := self.requests.misbehaviour.delay_s:
            self._late.append((time.monotonic() + delay_s, identity, answer))
        else:
            self._send(identity, answer)

    def _ask_for_hello(self, identity: bytes) -> None:
        self._send(identity, Heartbeat(session=self.place.session))
        text = f"{self.place.controller} waits for a hello"
        self._send(identity, ControlError(code="no_hello", message=text))

    def _welcome(self, identity: bytes, who: str, hello: ControllerHello) -> None:
        place = self.place
        try:
            version = self._agreed(hello)
        except WireError as error:
            self._send(identity, ControlError(code=error.code, message=str(error)))
            return
        if not self._give_lease(identity, who, hello):
            self._send(identity, ControlError(code="leased", message=self.lease.in_words()))
            return
        self._send(
            identity,
            ControllerWelcome(
                protocol=version,
                station=place.station,
                controller=place.controller,
                session=place.session,
                heartbeat_s=place.heartbeat_s,
            ),
        )

    def _agreed(self, hello: ControllerHello) -> int:
        """Return the version that both speak. Raises `WireError`."""
        version = agree_version(hello.protocols)
        station = self.place.station
        if hello.station != station:
            raise WireError("unknown_station", "station", wanted=station, got=hello.station)
        return version

    def _give_lease(self, identity: bytes, who: str, hello: ControllerHello) -> bool:
        """Give the lease to who says hello, unless somebody else is there who has it."""
        holder = self.lease.holder
        if holder is not None and (holder.identity, holder.session) != (identity, hello.session):
            if holder.identity == identity:
                self._end_lease("was started again")
            elif hello.take_over or holder.is_of(hello) or not self._is_there(holder):
                self._take_away(holder, hello)
            else:
                return False
        if self.lease.holder is None:
            self._say(f"{self.place.controller}: application connected ({hello.session})")
        self.lease.grant(identity, who, hello)
        return True

    def _take_away(self, holder: Holder, hello: ControllerHello) -> None:
        """End somebody's lease for who says hello, and tell them."""
        self._end_lease(f"lost its lease to {hello.session}")
        by = (
            f"taken over by {hello.user}@{hello.host}, process {hello.process}, session "
            f"{hello.session}"
        )
        self._send(holder.identity, ControlError(code="leased", message=by))

    def _is_there(self, holder: Holder) -> bool:
        """Tell whether the holder's connection still stands."""
        try:
            self.socket.send_multipart(
                [holder.identity, Heartbeat(session=self.place.session).encode()], zmq.NOBLOCK
            )
        except zmq.Again:
            return True
        except zmq.ZMQError:
            return False
        return True

    def _end_lease(self, why: str) -> None:
        holder = self.lease.holder
        assert holder is not None
        self._say(f"{self.place.controller}: application {holder.session} {why}")
        self.lease.end()
        self.on_left(holder.identity)

    def _send(self, identity: bytes, message: FromController) -> None:
        if self.requests.misbehaviour.silent and not isinstance(message, DropMessage):
            return
        if self.requests.misbehaviour.cut.to_application:
            self._late.append((0.0, identity, message))
            return
        try:
            self.socket.send_multipart([identity, message.encode()], zmq.NOBLOCK)
        except zmq.Again:
            self._say(
                f"{self.place.controller}: an application does not read, {message.type} not sent"
            )
        except zmq.ZMQError:  # it is gone: its silence ends its lease
            return
