"""Two controllers written by hand from docs/protocol.md, whose answers go through a liar's hands.

What they do with the setpoints is honest; what they say of it is not.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import zmq

from magis_calib.config.station import Station
from simulators.controllers.parameters import ParameterBank
from simulators.instrument.numbers import load_plant_numbers

Message = dict[str, Any]
Lie = Callable[["Asked"], list[tuple[float, bytes]]]
"""What is sent in place of an honest answer: seconds from now, and the bytes."""

PATIENCE_S = 1.0
"""How long the first drop waits for an application that cannot make sense of the answers."""


@dataclass(frozen=True)
class Asked:
    """A request, and what an honest controller would answer."""

    controller: str
    request: Message
    honest: Message
    before: Mapping[str, float]
    """The read-back before this request was obeyed."""
    drop: int
    """The newest one announced."""

    @property
    def told(self) -> bytes:
        return json.dumps(self.honest).encode()


@dataclass(frozen=True)
class CommittedWrite:
    """A committed write that a controller heard of."""

    controller: str
    asked_ns: int
    """When the application sent it (UTC), by its own deadline."""
    setpoints: Mapping[str, float]
    drop: int


@dataclass
class Schedule:
    """How many drops there are, and in which of them is lied."""

    drops: int
    lying: range
    lie: Lie
    counts_again_after: int | None = None
    """The drop after which the drop system begins with drop 1 again."""


@dataclass
class LyingControllers:
    """Both controllers in one thread; drops are announced as soon as the last one is done."""

    station: Station
    schedule: Schedule
    photograph: Callable[[int, Mapping[str, float]], None]
    """Makes the frames of a drop whose atoms saw these setpoints."""
    writes: list[CommittedWrite] = field(default_factory=list)
    heard: list[Message] = field(default_factory=list)
    """Errors that the application sent."""
    newest: int = 0
    turn: int = 0
    """How often the numbers began again."""
    planned_ns: Callable[[int], int] = field(default=lambda drop_id: time.time_ns())

    def __post_init__(self) -> None:
        numbers = load_plant_numbers(None)
        start = {name: one.nominal for name, one in numbers.actuators.items()}
        start |= {name: one.nominal for name, one in self.station.loop.actuators.items()}
        self.banks = {
            name: ParameterBank(
                {key: one for key, one in numbers.actuators.items() if one.controller == name},
                start,
            )
            for name in self.station.controllers
        }
        self.sessions = dict.fromkeys(self.banks, "c1")
        self._late: queue.PriorityQueue[tuple[float, int, str, bytes, bytes]] = (
            queue.PriorityQueue()
        )
        self._peers: dict[str, bytes] = {}
        self._count = 0
        self._first_s = 0.0
        self._known: set[str] = set()
        self._ready = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="liars")
        self._thread.start()
        assert self._ready.wait(10.0)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with zmq.Context() as context:
            self._sockets = {}
            for name in self.banks:
                self._sockets[name] = context.socket(zmq.ROUTER)
                self._sockets[name].linger = 0
                self._sockets[name].bind(self.station.endpoints[name])
            self._ready.set()
            beat_s = 0.0
            while not self._stop.is_set():
                for name, socket in self._sockets.items():
                    while socket.poll(0):
                        peer, *_, raw = socket.recv_multipart()
                        self._hear(name, peer, json.loads(raw))
                self._say_late()
                if self.newest == 0 and self._ready_for_drops():
                    self._next_drop()
                if time.monotonic() > beat_s:
                    beat_s = time.monotonic() + 0.05
                    self._beat()
                time.sleep(0.0005)
            for socket in self._sockets.values():
                socket.close()

    def _hear(self, name: str, peer: bytes, message: Message) -> None:
        match message["type"]:
            case "hello":
                self._peers[name] = peer
                welcome = {"type": "welcome", "protocol": 1, "station": "bottom"}
                own = {"controller": name, "session": self.sessions[name], "heartbeat_s": 0.05}
                self._say(name, peer, json.dumps(welcome | own).encode())
                self._first_s = self._first_s or time.monotonic()
            case "request":
                self._known |= {name} if message["request"] == "status" else set()
                self._answer(name, peer, message)
            case "done" if message["drop_id"] == self.newest < self.schedule.drops:
                if self.newest == self.schedule.counts_again_after and not self.turn:
                    self.turn = 1
                    self.newest = 0
                self._next_drop()
            case "error":
                self.heard.append(message)

    def _ready_for_drops(self) -> bool:
        """Begin once the application knows both, or gets no further with what they say."""
        both = len(self._peers) == len(self.banks)
        waited = self._first_s > 0.0 and time.monotonic() - self._first_s > PATIENCE_S
        return both and (waited or len(self._known) == len(self.banks))

    def _answer(self, name: str, peer: bytes, request: Message) -> None:
        bank = self.banks[name]
        before = bank.readback()
        honest = {"type": "answer", "request_id": request["request_id"], "ok": True}
        honest |= {"session": self.sessions[name]} | self._obeyed(name, request)
        asked = Asked(name, request, honest, before, self.newest)
        lying = self.newest in self.schedule.lying
        answers = self.schedule.lie(asked) if lying else [(0.0, asked.told)]
        for delay_s, raw in answers:
            self._count += 1
            self._late.put((time.monotonic() + delay_s, self._count, name, peer, raw))

    def _obeyed(self, name: str, request: Message) -> Message:
        """Do what is asked and say so."""
        bank = self.banks[name]
        match request["request"]:
            case "describe":
                return {"parameters": {k: v.model_dump() for k, v in bank.describe().items()}}
            case "read":
                return {"readback": bank.readback()}
            case "status":
                return {"status": {"state": "ready"}}
        if request["request"] != "write":
            return {"ok": False, "error": {"code": "bad_request", "message": "unknown"}}
        refusal = bank.refusal(request["setpoints"])
        if request["commit"]:
            asked_ns = request["expires_time_ns"] - int(self.station.links.reply_timeout_s * 1e9)
            self.writes.append(
                CommittedWrite(name, asked_ns, dict(request["setpoints"]), self.newest)
            )
        if refusal is not None:
            return {"ok": False, "error": refusal.model_dump(exclude_none=True)}
        if request["commit"]:
            bank.write(request["setpoints"], self.newest + 1)
        return {"readback": bank.readback(), "effective_drop": self.newest + 1}

    def _next_drop(self) -> None:
        """Latch the setpoints of the next drop, announce it, and photograph it."""
        self.newest += 1
        in_force: dict[str, float] = {}
        for bank in self.banks.values():
            in_force |= bank.latch(self.newest)
        drop = {"type": "drop", "drop_id": self.newest, "sequence_type": "interferometer"}
        raw = json.dumps(drop | {"planned_time_ns": self.planned_ns(self.newest)}).encode()
        self._say("drop_system", self._peers["drop_system"], raw)
        self.photograph(self.newest, in_force)

    def _say_late(self) -> None:
        while not self._late.empty() and self._late.queue[0][0] <= time.monotonic():
            _, _, name, peer, raw = self._late.get()
            self._say(name, peer, raw)

    def _beat(self) -> None:
        for name, peer in self._peers.items():
            beat = {"type": "heartbeat", "session": self.sessions[name]}
            self._say(name, peer, json.dumps(beat).encode())

    def _say(self, name: str, peer: bytes, raw: bytes) -> None:
        self._sockets[name].send_multipart([peer, raw])
