"""Plays the application's side for a camera driver and judges what the driver does."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import zmq

from hardware.driver_evidence import Evidence
from hardware.finding import Finding
from magis_calib.auth.binding import bind
from magis_calib.auth.sockets import SocketSecurity
from magis_calib.config.station import Station
from magis_calib.domain.errors import WireError
from magis_calib.link.camera_messages import (
    ErrorAnswer,
    FrameMessage,
    FromCamera,
    Heartbeat,
    Hello,
    Received,
    Stored,
    ToCamera,
    Welcome,
)
from magis_calib.link.headers import agree_version, echo_of
from magis_calib.link.wire import RETRY_HELPS, check_frame, check_hello, decode_from_camera

QUIET_S = 1.0
"""Time for answers to arrive before the socket is closed, and for frames that should not come back.
"""
POLL_MS = 50
REBIND_TRIES = 100


@dataclass(frozen=True, slots=True)
class CheckPlan:
    """How long and how much is looked at."""

    endpoint: str
    patience_s: float = 60.0
    """Longest wait for the hello, for the frames, and for what comes back."""
    frames: int = 5
    """Whole frames wanted of each driver, at least 3."""


class DriverCheck:
    """One ROUTER socket; `run` blocks until everything was seen or the time is over."""

    def __init__(
        self,
        security: SocketSecurity,
        name: str,
        station: Station,
        plan: CheckPlan,
        on_frame: Callable[[int], None] = lambda drop_id: None,
    ) -> None:
        """Bind the endpoint.

        Raises `zmq.ZMQError` where it is taken, `ConfigError` without a key.
        """
        self._security = security
        self._station_name = name
        self._station = station
        self._plan = plan
        self._on_frame = on_frame
        self._drivers: dict[str, Evidence] = {}
        self._peers: dict[bytes, str] = {}
        self._sessions: dict[str, str] = {}
        self._round = 1
        self._withholding = False
        self._socket = self._bind(1)

    def run(self, stopping: Callable[[], bool] = lambda: False) -> dict[str, list[Finding]]:
        """Check every driver that connects.

        Return the checklist of each by the name of its camera.
        """
        try:
            self._serve_until(lambda: self._joined() or stopping(), self._plan.patience_s)
            self._serve_until(lambda: self._seen_enough() or stopping(), self._plan.patience_s)
            self._withholding = True
            self._serve_until(stopping, QUIET_S)
            self._start_again()
            self._serve_until(lambda: self._all_back() or stopping(), self._plan.patience_s)
            self._serve_until(stopping, QUIET_S)
        finally:
            self._socket.close(linger=500)
        silent_s = self._station.links.silent_after_s
        return {
            name: one.findings(self._plan.frames, silent_s) for name, one in self._drivers.items()
        }

    @property
    def _session(self) -> str:
        return f"check-driver-{self._round}"

    def _joined(self) -> bool:
        return any(one.welcomed_s is not None for one in self._drivers.values())

    def _seen_enough(self) -> bool:
        """All drivers sent their frames, and time enough for two heartbeats has passed."""
        beats_s = 2.5 * self._station.links.heartbeat_s
        now_s = time.monotonic()
        return all(
            one.welcomed_s is not None
            and now_s - one.welcomed_s > beats_s
            and len(one.frames) >= self._plan.frames
            and one.refused_again
            for one in self._drivers.values()
        )

    def _all_back(self) -> bool:
        judged = [one for one in self._drivers.values() if one.hello is not None]
        return all(one.said_hello_again and one.withheld <= one.came_back for one in judged)

    def _start_again(self) -> None:
        """Do what a restart of the application looks like from the wire."""
        now_s = time.monotonic()
        for one in self._drivers.values():
            one.restarted_s = now_s
        self._socket.close(linger=500)
        self._peers.clear()
        self._round = 2
        self._withholding = False
        self._socket = self._bind(REBIND_TRIES)

    def _bind(self, tries: int) -> zmq.Socket[bytes]:
        """A closed socket lets go of its address a little later."""
        socket = self._security.context.socket(zmq.ROUTER)
        self._security.serve(socket, "camera", "application")
        for left in reversed(range(tries)):
            try:
                bind(socket, self._plan.endpoint)
                break
            except zmq.ZMQError:
                if not left:
                    socket.close()
                    raise
                time.sleep(0.05)
        return socket

    def _serve_until(self, condition: Callable[[], bool], longest_s: float) -> None:
        end_s = time.monotonic() + longest_s
        while time.monotonic() < end_s and not condition():
            if self._socket.poll(POLL_MS):
                identity, header, *rest = self._socket.recv_multipart()
                self._hear(identity, header, rest)

    def _hear(self, identity: bytes, header: bytes, rest: list[bytes]) -> None:
        one = self._driver(identity, header)
        try:
            self._accept(identity, one, decode_from_camera(header), rest)
        except WireError as error:
            after_restart = error.code == "no_hello" and self._round == 2
            if (
                not after_restart
            ):  # a driver learns from this very error that the application was started again
                one.wrong(error)
            retry = error.code in RETRY_HELPS
            self._send(
                identity,
                ErrorAnswer(code=error.code, message=str(error), retry=retry, **echo_of(header)),
            )

    def _driver(self, identity: bytes, header: bytes) -> Evidence:
        """Find the driver by its camera or session, also in a message that is broken otherwise."""
        try:
            table = json.loads(header)
        except ValueError:
            table = {}
        table = table if isinstance(table, dict) else {}
        camera = table.get("camera")
        session = str(table.get("session"))
        if isinstance(camera, str):
            self._peers[identity] = self._sessions[session] = camera
        elif session in self._sessions:
            self._peers[identity] = self._sessions[session]
        name = self._peers.setdefault(identity, f"unnamed driver {len(self._drivers) + 1}")
        return self._drivers.setdefault(name, Evidence(name))

    def _accept(
        self, identity: bytes, one: Evidence, message: FromCamera, rest: list[bytes]
    ) -> None:
        if isinstance(message, Hello):
            self._welcome(identity, one, message)
        elif isinstance(message, FrameMessage):
            self._frame(identity, one, message, rest)
        elif isinstance(message, Heartbeat):
            one.beats_s.append(time.monotonic())
            if not self._knows(one):
                raise WireError("no_hello", "heartbeat before hello", wanted="a hello first")
            self._send(identity, Heartbeat(session=self._session))

    def _knows(self, one: Evidence) -> bool:
        """Say whether this driver said hello since the last start."""
        return one.hello is not None and (self._round == 1 or one.said_hello_again)

    def _welcome(self, identity: bytes, one: Evidence, hello: Hello) -> None:
        version = agree_version(hello.protocols)
        check_hello(hello, self._station_name, self._station)
        one.hello = hello
        if self._round == 1:
            one.welcomed_s = one.welcomed_s or time.monotonic()
        else:
            one.said_hello_again = True
        heartbeat_s = self._station.links.heartbeat_s
        self._send(
            identity, Welcome(protocol=version, session=self._session, heartbeat_s=heartbeat_s)
        )

    def _frame(
        self, identity: bytes, one: Evidence, message: FrameMessage, rest: list[bytes]
    ) -> None:
        if len(rest) != 1:
            raise WireError(
                "truncated", "frame message parts", wanted="header and pixels", got=1 + len(rest)
            )
        counts = check_frame(message, rest[0], one.hello if self._knows(one) else None)
        drop_id = message.drop_id
        known = one.frames.setdefault(drop_id, message)
        if known.checksum != message.checksum:
            raise WireError(
                "conflict",
                f"drop {drop_id}: other pixels",
                wanted=known.checksum,
                got=message.checksum,
            )
        if known is message:
            one.take(message, counts)
        self._on_frame(drop_id)
        self._answer(identity, one, message, first=known is message)

    def _answer(
        self, identity: bytes, one: Evidence, message: FrameMessage, *, first: bool
    ) -> None:
        drop_id, sequence = message.drop_id, message.sequence
        if self._round == 1 and one.refused is None:
            one.refused = drop_id
            self._send(identity, _called_damaged(message))
            return
        one.refused_again = one.refused_again or (one.refused == drop_id and not first)
        self._note_again(one, message)
        self._send(identity, Received(drop_id=drop_id, sequence=sequence))
        if self._round == 1 and (self._withholding or len(one.frames) >= self._plan.frames):
            one.withheld.add(drop_id)
        else:
            one.stored.add(drop_id)
            self._send(identity, Stored(drop_id=drop_id, sequence=sequence))

    def _note_again(self, one: Evidence, message: FrameMessage) -> None:
        """Note a frame that came back as it should, or that should have been forgotten."""
        drop_id = message.drop_id
        if self._round == 2 and drop_id in one.withheld and message == one.frames[drop_id]:
            one.came_back.add(drop_id)
        elif drop_id in one.stored:
            one.not_forgotten.add(drop_id)

    def _send(self, identity: bytes, message: ToCamera) -> None:
        self._socket.send_multipart([identity, message.encode()])


def _called_damaged(message: FrameMessage) -> ErrorAnswer:
    """Refuse a frame although it is whole, to see it a second time."""
    text = "check-driver calls this frame damaged, to see it a second time"
    drop_id, sequence = message.drop_id, message.sequence
    return ErrorAnswer(
        code="checksum", message=text, retry=True, drop_id=drop_id, sequence=sequence
    )
