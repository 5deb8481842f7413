"""The server side of a controller: says hello back, answers requests, keeps its clients informed."""

from __future__ import annotations

import json
import time
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
from simulators.faults import NO_FAULTS, Misbehaviour
from simulators.parameters import ParameterBank

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Client:
    """An application that said hello."""

    session: str
    heard_s: float


@dataclass(frozen=True, slots=True)
class Place:
    """Who a controller is and where it is found."""

    station: str
    controller: str
    endpoint: str
    session: str
    heartbeat_s: float
    silent_after_s: float
    """A client that is silent for this long is no longer told anything."""


class ControllerServer:
    """One ROUTER socket with the parameters behind it. Used by one thread."""

    def __init__(self, lock: Lock, place: Place, bank: ParameterBank, say: Say) -> None:
        self._lock = lock
        self.place = place
        self.bank = bank
        self.clients: dict[bytes, Client] = {}
        self.next_effective_drop: Callable[[], int] = lambda: 1
        self.on_done: Callable[[int], None] = lambda drop_id: None
        self.on_left: Callable[[bytes], None] = lambda identity: None
        self.on_sequence: Callable[[SequenceType], int] | None = None
        """Takes the type of all drops to come and returns the first of them; None: this controller makes no drops."""
        self.misbehaviour = Misbehaviour(NO_FAULTS, place.controller, lambda: 0)
        self.status: Callable[[], dict[str, str | int | float | bool]] = dict
        self._say = say
        self._numbers: dict[str, int] = {}
        self._next_heartbeat_s = 0.0
        self.socket = lock.context.socket(zmq.ROUTER)
        self.socket.setsockopt(zmq.LINGER, 200)
        self.socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
        self.socket.setsockopt(zmq.MAXMSGSIZE, 1_000_000)
        lock.serve(self.socket, "control", place.controller)
        self.socket.bind(place.endpoint)
        say(f"{place.controller}: listening on {place.endpoint}")

    def serve(self) -> None:
        """Answer everything that has arrived."""
        while True:
            try:
                parts = self.socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            client, raw = parts[0].bytes, parts[-1].bytes
            try:
                self._lock.visitor(parts[-1], "control")
                message = decode_to_controller(raw)
            except WireError as error:
                self._send(client, _bad(raw, error, self.place.session))
                continue
            self._handle(client, message)

    def tick(self, now_s: float) -> None:
        """Send what is due: a heartbeat to each client."""
        if now_s < self._next_heartbeat_s:
            return
        self._next_heartbeat_s = now_s + self.place.heartbeat_s
        for identity, client in list(self.clients.items()):
            if now_s - client.heard_s > self.place.silent_after_s:
                self._forget(identity, "is silent")
        self.tell(Heartbeat(session=self.place.session))

    def tell(self, message: FromController) -> None:
        """Send a message to every client that said hello."""
        for identity in self.clients:
            self._send(identity, message)

    def announce(self, drop: DropMessage) -> None:
        """Announce a drop to every client that said hello."""
        self.tell(drop)

    def restart(self, session: str) -> None:
        """Come back after a power cycle: a new session, setpoints of the start, and nobody has said hello yet."""
        self.place = replace(self.place, session=session)
        self.bank.power_cycle()
        self._numbers.clear()
        for identity in list(self.clients):
            self._forget(identity, "is forgotten by a power cycle")

    def close(self) -> None:
        """Release the socket."""
        self.socket.close()

    def _handle(self, identity: bytes, message: ControllerHello | Request | Done | Heartbeat | Bye) -> None:
        now_s = time.monotonic()
        if isinstance(message, ControllerHello):
            self._welcome(identity, message, now_s)
            return
        if isinstance(message, Request) and self._hears(message):
            self._send(identity, self._answer(message))
        known = self.clients.get(identity)
        if known is None:
            if not isinstance(message, Request | Bye):
                self._send(identity, Heartbeat(session=self.place.session))
                text = f"{self.place.controller} waits for a hello"
                self._send(identity, ControlError(code="no_hello", message=text))
            return
        self.clients[identity] = Client(known.session, now_s)
        if isinstance(message, Done):
            self.on_done(message.drop_id)
        elif isinstance(message, Bye):
            self._forget(identity, "said bye")

    def _welcome(self, identity: bytes, hello: ControllerHello, now_s: float) -> None:
        try:
            version = agree_version(hello.protocols)
            if hello.station != self.place.station:
                raise WireError("unknown_station", "station", wanted=self.place.station, got=hello.station)
        except WireError as error:
            self._send(identity, ControlError(code=error.code, message=str(error)))
            return
        known = self.clients.get(identity)
        if known is not None and known.session != hello.session:
            self._forget(identity, "was started again")
        if identity not in self.clients:
            self._say(f"{self.place.controller}: application connected ({hello.session})")
        self.clients[identity] = Client(hello.session, now_s)
        place = self.place
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

    def _hears(self, request: Request) -> bool:
        committed = request.request == "write" and request.commit
        return not self.misbehaviour.silent and not (committed and self.misbehaviour.dies_after_check)

    def _answer(self, request: Request) -> Answer:
        refused = self._judge(request.setpoints or {}) if request.request == "write" else None
        refusal = self._stale(request) or refused or self._judge_sequence(request)
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
        """Say why a sequence type is not accepted. It lasts as long as somebody is there, so somebody must be."""
        if request.request != "sequence":
            return None
        if self.on_sequence is None:
            return Refusal(code="bad_request", message=f"{self.place.controller} makes no drops")
        if request.sequence_type is None:
            return Refusal(code="bad_request", message="a sequence without sequence_type")
        if not self.clients:
            return Refusal(code="bad_request", message=f"{self.place.controller} waits for a hello")
        return None

    def _do(self, request: Request) -> Answer:
        answer = Answer(request_id=request.request_id, session=self.place.session, ok=True)
        match request.request:
            case "describe":
                return answer.model_copy(update={"parameters": self.bank.describe()})
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
        late_ns = time.time_ns() - request.expires_time_ns
        if late_ns > 0:
            return Refusal(code="stale", message=f"request {request.request_id} expired {late_ns / 1e9:.3g} s ago")
        last = self._numbers.get(request.session)
        if last is not None and request.number <= last:
            why = f"request number {request.number} is not above {last}, the last of session {request.session}"
            return Refusal(code="stale", message=why)
        self._numbers[request.session] = request.number
        return None

    def _forget(self, identity: bytes, why: str) -> None:
        self._say(f"{self.place.controller}: application {self.clients.pop(identity).session} {why}")
        self.on_left(identity)

    def _send(self, identity: bytes, message: FromController) -> None:
        if self.misbehaviour.silent and not isinstance(message, DropMessage):
            return
        try:
            self.socket.send_multipart([identity, message.encode()], zmq.NOBLOCK)
        except zmq.Again:
            self._say(f"{self.place.controller}: an application does not read, {message.type} not sent")


def _bad(raw: bytes, error: WireError, session: str) -> FromController:
    """A request that can be told by its id gets an answer, anything else an error."""
    try:
        table = json.loads(raw)
    except (ValueError, RecursionError):
        table = None
    if isinstance(table, dict) and table.get("type") == "request" and isinstance(table.get("request_id"), str):
        refusal = Refusal(code="bad_request", message=str(error))
        return Answer(request_id=table["request_id"], session=session, ok=False, error=refusal)
    return ControlError(code=error.code, message=str(error))
