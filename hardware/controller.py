"""A controller's client: requests with a deadline, heartbeats, and the drop system's announcements."""

from __future__ import annotations

import contextlib
import itertools
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

import zmq

from magis_calib.domain.camera import DropAnnouncement, SequenceType
from magis_calib.domain.config import Links
from magis_calib.domain.control import ParameterFacts, Setpoints, WriteAnswer
from magis_calib.domain.errors import ConfigError, ControllerError, Refused, Silent, WireError
from magis_calib.domain.limits import broken_limit
from magis_calib.domain.owner import Owner
from magis_calib.domain.snapshot import LinkState
from magis_calib.link.camera_messages import Bye, Heartbeat
from magis_calib.link.control_messages import (
    Answer,
    ControllerHello,
    ControllerWelcome,
    Done,
    DropMessage,
    FromController,
    Request,
    RequestWord,
    decode_from_controller,
)
from magis_calib.link.words import PROTOCOL_VERSION, Message
from magis_calib.locks.entrance import Entrance
from magis_calib.locks.lock import Lock

log = logging.getLogger(__name__)

POLL_MS = 200
_wakes = itertools.count()


class ControllerClient:
    """Speaks to one controller. Its own thread owns the socket; every call may come from any thread."""

    def __init__(
        self,
        lock: Lock,
        name: str,
        endpoint: str,
        station: str,
        session: str,
        links: Links,
        take_over: bool = False,
        asks_only: bool = False,
    ) -> None:
        """Connect in the background; say hello until it answers, or never (`asks_only`). Raises `ConfigError`."""
        self.name = name
        self._lock = lock
        self._endpoint, self._station, self._own_session, self._links = endpoint, station, session, links
        self._numbers = itertools.count(1)
        self._facts: dict[str, ParameterFacts] = {}
        self._position: dict[str, float] = {}
        self._outbox: deque[Message] = deque()
        self._answers: dict[str, Future[Answer]] = {}
        self._drops: deque[DropAnnouncement] = deque()
        self._welcome: ControllerWelcome | None = None
        self._take_over = take_over
        self.leased = ""
        """Who else has the lease, in words; empty while it is ours, or nobody answered yet."""
        self._evicted = asks_only
        self._heard_s: float | None = None
        self._stop = threading.Event()
        self._ready = threading.Lock()
        self._socket = self._locked()
        self._entrance = Entrance(self._socket, endpoint)
        wake = f"inproc://wake-{next(_wakes)}"
        self._wake_in, self._wake_out = lock.context.socket(zmq.PAIR), lock.context.socket(zmq.PAIR)
        self._wake_in.bind(wake)
        self._wake_out.connect(wake)
        self._thread = threading.Thread(target=self._run, name=f"controller {name}", daemon=True)
        self._thread.start()

    def describe(self) -> Mapping[str, ParameterFacts]:
        """Ask for the parameters with their limits."""
        answer = self._ask("describe")
        self._facts = {name: message.facts(name) for name, message in (answer.parameters or {}).items()}
        return self._facts

    def read(self) -> Setpoints:
        """Ask for the read-back of every parameter."""
        self._position.update(self._ask("read").readback or {})
        return dict(self._position)

    def status(self) -> Mapping[str, str | int | float | bool]:
        """Ask for the state words of the device."""
        return self._ask("status").status or {}

    def check(self, setpoints: Setpoints) -> None:
        """Ask whether a write of these would be accepted; raises `Refused`. Nothing moves."""
        self._ask("write", setpoints, commit=False)

    def write(self, setpoints: Setpoints) -> WriteAnswer:
        """Move to these absolute setpoints, all or nothing; raises `Refused` or `Silent`."""
        answer = self._ask("write", setpoints, commit=True)
        if answer.readback is None or answer.effective_drop is None:
            raise ControllerError(f"{self.name}: answer to write lacks readback or effective_drop")
        self._position.update(answer.readback)
        return WriteAnswer(answer.readback, answer.effective_drop)

    def announcements(self) -> Sequence[DropAnnouncement]:
        """Return the drops announced since the last call. Never blocks."""
        found = []
        while self._drops:
            found.append(self._drops.popleft())
        return found

    def done(self, drop_id: int) -> None:
        """Say that the outcome of this drop is known. Never blocks."""
        self._post(Done(session=self._own_session, drop_id=drop_id))

    def sequence(self, sequence_type: SequenceType) -> int:
        """Have all drops that are not announced yet made for this; return the first. Raises `Refused` or `Silent`."""
        answer = self._ask("sequence", sequence_type=sequence_type)
        if answer.effective_drop is None:
            raise ControllerError(f"{self.name}: answer to sequence lacks effective_drop")
        return answer.effective_drop

    def session(self) -> str | None:
        """The controller's own session id, None before its first word."""
        return self._welcome.session if self._welcome else None

    def link(self) -> LinkState:
        """Say whether it is there."""
        if not self._lock.trusts(self.name):
            return LinkState(self.name, False, None, f"the key of {self.name} was revoked: nothing is sent there")
        if self.leased:
            return LinkState(self.name, False, None, self.leased)
        if self._heard_s is None:
            where = f"no {self.name} controller: expected at {self._endpoint}"
            problem = self._entrance.problem
            return LinkState(self.name, False, None, f"{where}; {problem}" if problem else where)
        age = time.monotonic() - self._heard_s
        there = age < self._links.silent_after_s
        silent = f"silent for {age:.0f} s" + (f"; {self._entrance.problem}" if self._entrance.problem else "")
        return LinkState(self.name, there, age, self._endpoint if there else silent)

    def close(self) -> None:
        """Say good-bye and release the connection."""
        self._post(Bye(session=self._own_session))
        self._stop.set()
        self._wake()
        self._thread.join(5.0)
        with self._ready:
            self._wake_out.close()

    def _locked(self) -> zmq.Socket[bytes]:
        socket = self._lock.context.socket(zmq.DEALER)
        socket.setsockopt(zmq.LINGER, 200)
        socket.setsockopt(zmq.IMMEDIATE, 1)
        try:
            self._lock.call(socket, "application", self.name)
        except ConfigError:
            socket.close()
            raise
        return socket

    def _ask(
        self,
        word: RequestWord,
        setpoints: Setpoints | None = None,
        commit: bool = True,
        sequence_type: SequenceType | None = None,
    ) -> Answer:
        deadline_s = self._links.reply_timeout_s
        if setpoints is not None:
            self._check_limits(setpoints)
        number = next(self._numbers)
        request = Request(
            request=word,
            request_id=f"{self._own_session}-{number}",
            number=number,
            session=self._own_session,
            expires_time_ns=time.time_ns() + int(deadline_s * 1e9),
            setpoints=dict(setpoints) if setpoints is not None else None,
            commit=commit,
            sequence_type=sequence_type,
        )
        future: Future[Answer] = Future()
        self._answers[request.request_id] = future
        self._post(request)
        try:
            answer = future.result(deadline_s)
        except FutureTimeout:
            raise Silent(self.name, word, deadline_s) from None
        finally:
            self._answers.pop(request.request_id, None)
        if not answer.ok:
            problem = answer.error
            raise Refused(self.name, problem.code if problem else "", problem.message if problem else "no reason given")
        return answer

    def _check_limits(self, setpoints: Setpoints) -> None:
        """Refuse what the controller would refuse, in the last function before the socket."""
        for name, value in setpoints.items():
            slack = self._facts[name].resolution if name in self._facts else 0.0
            broken = broken_limit(name, value, self._facts, self._position.get(name, math.nan), slack)
            if broken is not None:
                raise Refused(self.name, broken.code, str(broken))

    def _post(self, message: Message) -> None:
        self._outbox.append(message)
        self._wake()

    def _wake(self) -> None:
        with self._ready:
            if not self._wake_out.closed:
                with contextlib.suppress(zmq.Again):  # the thread has ended, or has been woken often enough
                    self._wake_out.send(b"", zmq.NOBLOCK)

    def _run(self) -> None:
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._wake_in, zmq.POLLIN)
        next_beat_s = 0.0
        while not (self._stop.is_set() and not self._outbox):
            now_s = time.monotonic()
            self._entrance.look(now_s)
            if now_s >= next_beat_s:
                next_beat_s = now_s + self._links.heartbeat_s
                self._beat()
            ready = dict(poller.poll(POLL_MS))
            if self._wake_in in ready:
                self._wake_in.recv()
            while self._outbox:
                self._send(self._outbox.popleft())
            while self._socket.poll(0):
                self._hear(self._socket.recv())
        self._entrance.close()
        self._socket.close()
        self._wake_in.close()

    def _beat(self) -> None:
        """Say hello until welcomed (again after silence), and that we are alive. Who was taken over keeps quiet."""
        if self._evicted:
            return
        silent = self._heard_s is None or time.monotonic() - self._heard_s > 2 * self._links.heartbeat_s
        if self._welcome is None or silent:
            me = Owner.of_this_process()
            self._send(ControllerHello(
                protocols=[PROTOCOL_VERSION], station=self._station, session=self._own_session, user=me.user,
                host=me.host, process=me.process, take_over=self._take_over or None,
            ))  # fmt: skip
        self._send(Heartbeat(session=self._own_session))

    def _hear(self, raw: bytes) -> None:
        if not self._lock.trusts(self.name):
            return
        try:
            message = decode_from_controller(raw)
        except WireError as error:
            log.warning("%s sent something unreadable: %s", self.name, error)
            return
        self._heard_s = time.monotonic()
        self._take(message)

    def _take(self, message: FromController) -> None:
        if isinstance(message, Answer):
            waiting = self._answers.get(message.request_id)
            if waiting is not None and not waiting.done():
                waiting.set_result(message)
        elif isinstance(message, DropMessage):
            self._drops.append(DropAnnouncement(message.drop_id, message.sequence_type, message.planned_time_ns))
        elif isinstance(message, ControllerWelcome):
            self._welcome, self.leased, self._take_over = message, "", False
        elif isinstance(message, Heartbeat):
            if self._welcome is not None and message.session != self._welcome.session:
                log.warning("%s restarted: session %s", self.name, message.session)
                self._welcome = None
        else:
            log.warning("%s: %s", self.name, message.message)
            if message.code == "no_hello":
                self._welcome = None
            elif message.code == "leased":
                self._evicted, self.leased = self._welcome is not None, message.message

    def _send(self, message: Message) -> None:
        if not self._lock.trusts(self.name):
            return
        try:
            self._socket.send(message.encode(), zmq.NOBLOCK)
        except zmq.Again:
            log.debug("%s is not there; %s waits for nobody", self.name, type(message).__name__)
