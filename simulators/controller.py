"""The server side of a controller: says hello back, answers requests, keeps its clients informed."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import zmq

from magis_calib.domain.camera import SequenceType
from magis_calib.domain.control import Setpoints
from magis_calib.domain.errors import WireError
from magis_calib.link.camera_messages import Bye, Heartbeat
from magis_calib.link.control_messages import (
    Answer,
    ControlError,
    ControllerHello,
    ControllerWelcome,
    Done,
    DropMessage,
    FromController,
    Refusal,
    Request,
    decode_to_controller,
)
from magis_calib.link.words import agree_version
from magis_calib.locks.lock import Lock
from simulators.command_log import CommandLog
from simulators.fault_kinds import Controller
from simulators.faults import NO_FAULTS
from simulators.lease import Holder, Lease
from simulators.misbehaviour import Misbehaviour
from simulators.parameters import ParameterBank
from simulators.unreadable import unreadable

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Who a controller is and where it is found."""

    station: str
    controller: Controller
    endpoint: str
    session: str
    heartbeat_s: float
    silent_after_s: float
    """The lease of an application that is silent for this long ends."""


class ControllerServer:
    """One ROUTER socket with the parameters behind it. Used by one thread."""

    def __init__(self, lock: Lock, place: Place, bank: ParameterBank, say: Say) -> None:
        self._lock = lock
        self.place = place
        self.bank = bank
        self.lease = Lease(place.silent_after_s)
        self.next_effective_drop: Callable[[], int] = lambda: 1
        self.on_done: Callable[[int], None] = lambda drop_id: None
        self.on_left: Callable[[bytes], None] = lambda identity: None
        self.on_sequence: Callable[[SequenceType], int] | None = None
        """Takes the type of all drops to come and returns the first of them; None: this controller makes no drops."""
        self.misbehaviour = Misbehaviour(NO_FAULTS, place.controller, lambda: 0)
        self.status: Callable[[], dict[str, str | int | float | bool]] = dict
        self.commands = CommandLog(None)
        self._say = say
        self._numbers: dict[str, int] = {}
        self._late: deque[tuple[float, bytes, FromController]] = deque()
        self._next_heartbeat_s = 0.0
        self.socket = lock.context.socket(zmq.ROUTER)
        self.socket.setsockopt(zmq.LINGER, 200)
        self.socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
        self.socket.setsockopt(zmq.ROUTER_MANDATORY, 1)  # to notice that a peer is gone
        lock.serve(self.socket, "control", place.controller)
        self.socket.bind(place.endpoint)
        say(f"{place.controller}: listening on {place.endpoint}")

    def serve(self) -> None:
        """Answer everything that has arrived."""
        while not self.misbehaviour.cut.from_application:
            try:
                parts = self.socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            client, raw = parts[0].bytes, parts[-1].bytes
            try:
                who = self._lock.visitor(parts[-1], "control")
                message = decode_to_controller(raw)
            except WireError as error:
                self._send(client, unreadable(raw, error, self.place.session))
                continue
            self._handle(client, who, message)

    def tick(self, now_s: float) -> None:
        """Send what is due: answers that are late, and a heartbeat to who has the lease."""
        while self._late and self._late[0][0] <= now_s and not self.misbehaviour.cut.to_application:
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
        """Come back after a power cycle: a new session, setpoints of the start, and nobody has said hello yet.

        `otherwise`: setpoints that are others.
        """
        self.place = replace(self.place, session=session)
        self.bank.power_cycle(otherwise or {})
        self._numbers.clear()
        if self.lease.holder is not None:
            self._end_lease("is forgotten by a power cycle")

    def close(self) -> None:
        """Release the socket."""
        self.socket.close()

    def _handle(self, identity: bytes, who: str, message: ControllerHello | Request | Done | Heartbeat | Bye) -> None:
        if isinstance(message, ControllerHello):
            self._welcome(identity, who, message)
            return
        if isinstance(message, Request) and self._hears(message):
            answer = self._answer(identity, message)
            self.commands.add(self.place.controller, who, message, answer)
            if delay_s := self.misbehaviour.delay_s:
                self._late.append((time.monotonic() + delay_s, identity, answer))
            else:
                self._send(identity, answer)
        if not self.lease.held_by(identity):
            if not isinstance(message, Request | Bye):
                self._send(identity, Heartbeat(session=self.place.session))
                text = f"{self.place.controller} waits for a hello"
                self._send(identity, ControlError(code="no_hello", message=text))
            return
        self.lease.renew()
        if isinstance(message, Done):
            self.on_done(message.drop_id)
        elif isinstance(message, Bye):
            self._end_lease("said bye")

    def _welcome(self, identity: bytes, who: str, hello: ControllerHello) -> None:
        place = self.place
        try:
            version = agree_version(hello.protocols)
            if hello.station != place.station:
                raise WireError("unknown_station", "station", wanted=place.station, got=hello.station)
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

    def _give_lease(self, identity: bytes, who: str, hello: ControllerHello) -> bool:
        """Give the lease to who says hello, unless somebody else is there who has it."""
        holder = self.lease.holder
        if holder is not None and (holder.identity, holder.session) != (identity, hello.session):
            if holder.identity == identity:
                self._end_lease("was started again")
            elif hello.take_over or holder.is_of(hello) or not self._is_there(holder):
                self._end_lease(f"lost its lease to {hello.session}")
                by = f"taken over by {hello.user}@{hello.host}, process {hello.process}, session {hello.session}"
                self._send(holder.identity, ControlError(code="leased", message=by))
            else:
                return False
        if self.lease.holder is None:
            self._say(f"{self.place.controller}: application connected ({hello.session})")
        self.lease.grant(identity, who, hello)
        return True

    def _is_there(self, holder: Holder) -> bool:
        """Tell whether the holder's connection still stands."""
        try:
            self.socket.send_multipart([holder.identity, Heartbeat(session=self.place.session).encode()], zmq.NOBLOCK)
        except zmq.Again:
            return True
        except zmq.ZMQError:
            return False
        return True

    def _hears(self, request: Request) -> bool:
        committed = request.request == "write" and request.commit
        return not self.misbehaviour.silent and not (committed and self.misbehaviour.dies_after_check)

    def _answer(self, identity: bytes, request: Request) -> Answer:
        refused = self._judge(request.setpoints or {}) if request.request == "write" else None
        refusal = self._stale(request) or refused or self._judge_sequence(request) or self._not_yours(identity, request)
        if refusal:
            self._say(f"{self.place.controller}: refused {request.request}: {refusal.message}")
            return Answer(request_id=request.request_id, session=self.place.session, ok=False, error=refusal)
        return self._do(request)

    def _judge(self, setpoints: Setpoints) -> Refusal | None:
        """Say why a write is not accepted. Limits come first: an attempt counts, whatever else refuses it."""
        if not setpoints:
            return Refusal(code="bad_request", message="a write without setpoints")
        return self.bank.judge(setpoints) or self.misbehaviour.refusal()

    def _judge_sequence(self, request: Request) -> Refusal | None:
        """Say why a sequence type is not accepted."""
        if request.request != "sequence":
            return None
        if self.on_sequence is None:
            return Refusal(code="bad_request", message=f"{self.place.controller} makes no drops")
        if request.sequence_type is None:
            return Refusal(code="bad_request", message="a sequence without sequence_type")
        return None

    def _not_yours(self, identity: bytes, request: Request) -> Refusal | None:
        """Say why nothing is changed for somebody who has not the lease."""
        if self.lease.held_by(identity) or request.request not in ("write", "sequence") or not request.commit:
            return None
        if self.lease.holder is None:
            return Refusal(code="bad_request", message=f"{self.place.controller} waits for a hello")
        return Refusal(code="leased", message=f"{self.place.controller} is {self.lease.in_words()}")

    def _do(self, request: Request) -> Answer:
        answer = Answer(request_id=request.request_id, session=self.place.session, ok=True)
        match request.request:
            case "describe":
                return answer.model_copy(update={"parameters": self.misbehaviour.described(self.bank.describe())})
            case "read":
                return answer.model_copy(update={"readback": self._readback()})
            case "status":
                words = {"state": "ready", "limit_violations": self.bank.limit_violations, **self.status()}
                return answer.model_copy(update={"status": words})
            case "write":
                effective = self.next_effective_drop()
                if request.commit and request.setpoints:
                    self.bank.write(self.misbehaviour.clamped(request.setpoints), effective)
                return answer.model_copy(update={"readback": self._readback(), "effective_drop": effective})
            case "sequence":
                assert self.on_sequence is not None  # judged
                assert request.sequence_type is not None
                return answer.model_copy(update={"effective_drop": self.on_sequence(request.sequence_type)})

    def _readback(self) -> dict[str, float]:
        return self.misbehaviour.misread(self.bank.readback())

    def _stale(self, request: Request) -> Refusal | None:
        late_ns = time.time_ns() + self.misbehaviour.clock_ns() - request.expires_time_ns
        if late_ns > 0:
            return Refusal(code="stale", message=f"request {request.request_id} expired {late_ns / 1e9:.3g} s ago")
        last = self._numbers.get(request.session)
        if last is not None and request.number <= last:
            why = f"request number {request.number} is not above {last}, the last of session {request.session}"
            return Refusal(code="stale", message=why)
        self._numbers[request.session] = request.number
        return None

    def _end_lease(self, why: str) -> None:
        holder = self.lease.holder
        assert holder is not None
        self._say(f"{self.place.controller}: application {holder.session} {why}")
        self.lease.end()
        self.on_left(holder.identity)

    def _send(self, identity: bytes, message: FromController) -> None:
        if self.misbehaviour.silent and not isinstance(message, DropMessage):
            return
        if self.misbehaviour.cut.to_application:
            self._late.append((0.0, identity, message))
            return
        try:
            self.socket.send_multipart([identity, message.encode()], zmq.NOBLOCK)
        except zmq.Again:
            self._say(f"{self.place.controller}: an application does not read, {message.type} not sent")
        except zmq.ZMQError:  # it is gone: its silence ends its lease
            return
