"""The camera link: one ROUTER socket that all camera drivers connect to.

Next on the path of a pair: `magis_calib/link/wire.py`.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import zmq

from magis_calib.auth.binding import bind
from magis_calib.auth.handshake import DoorMonitor
from magis_calib.auth.sockets import SocketSecurity
from magis_calib.config.station import Links, Station
from magis_calib.domain.camera import Frame, View
from magis_calib.domain.devices import BadMessage, CameraJoined, LinkState, SourceEvent
from magis_calib.domain.errors import WireError
from magis_calib.link.camera_messages import (
    Bye,
    ErrorAnswer,
    FrameMessage,
    FromCamera,
    Heartbeat,
    Hello,
    NotStored,
    Received,
    Stored,
    ToCamera,
    Welcome,
)
from magis_calib.link.headers import agree_version, echo_of
from magis_calib.link.wire import (
    RETRY_HELPS,
    check_frame,
    check_hello,
    decode_from_camera,
    facts_of,
)

log = logging.getLogger(__name__)

RECEIVE_HWM = 4
"""Messages of 12 MB that one peer may have waiting in the socket."""
POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class _Peer:
    """One connected driver."""

    identity: bytes
    hello: Hello
    seen_s: float


class CameraLink:
    """Receives frames, answers drivers. `receive` belongs to one thread.

    `stored` and `not_stored` to any.
    """

    def __init__(self, security: SocketSecurity, name: str, station: Station, session: str) -> None:
        """Bind the camera endpoint.

        Raises `zmq.ZMQError` where the address is taken, `ConfigError` without a key.
        """
        self._security = security
        self._station_name = name
        self._station = station
        self._session = session
        self._links: Links = station.links
        self._peers: dict[View, _Peer] = {}
        self._outbox: deque[tuple[bytes, ToCamera]] = deque()
        self._socket = security.context.socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.RCVHWM, RECEIVE_HWM)
        self._socket.setsockopt(zmq.LINGER, 500)
        self._socket.setsockopt(zmq.ROUTER_MANDATORY, 1)  # to notice that a driver is gone
        security.serve(self._socket, "camera", "application")
        self._door = DoorMonitor(self._socket, "camera")
        bind(self._socket, station.links.camera)

    def receive(self, timeout_s: float) -> SourceEvent | None:
        """Return the next event, or None after the timeout."""
        until = time.monotonic() + timeout_s
        while True:
            self._send_waiting()
            self._door.look(time.monotonic())
            if self._socket.poll(int(POLL_S * 1000)):
                parts = self._socket.recv_multipart(copy=False)
                event = self._handle(parts[0].bytes, parts[1:], time.monotonic())
                if event is not None:
                    return event
            if time.monotonic() >= until:
                return None

    def stored(self, frame: Frame) -> None:
        """Tell the driver that this frame is on disk."""
        self._tell(frame, Stored(drop_id=frame.header.drop_id, sequence=frame.header.sequence))

    def not_stored(self, frame: Frame, reason: str) -> None:
        """Tell the driver that this frame will not be kept."""
        header = frame.header
        self._tell(
            frame, NotStored(drop_id=header.drop_id, sequence=header.sequence, reason=reason)
        )

    def refused(self, frame: Frame, error: WireError) -> None:
        """Tell the driver why this frame cannot be used."""
        header = frame.header
        retry = error.code in RETRY_HELPS
        answer = ErrorAnswer(
            code=error.code,
            message=str(error),
            retry=retry,
            drop_id=header.drop_id,
            sequence=header.sequence,
        )
        self._tell(frame, answer)

    def links(self) -> Sequence[LinkState]:
        """Say which cameras are there."""
        return [
            self._link(camera.view, camera.name)
            for camera in self._station.cameras
            if camera.enabled
        ]

    def close(self) -> None:
        """Send what waits and close the socket."""
        self._send_waiting()
        self._door.close()
        self._socket.close()

    def _link(self, view: View, name: str) -> LinkState:
        peer = self._peers.get(view)
        if peer is None:
            where = (
                f"no camera {name!r}: is its driver running? it is expected to connect to "
                f"{self._links.camera}"
            )
            return LinkState(f"camera {view}", False, None, where)
        age = time.monotonic() - peer.seen_s
        there = age < self._links.silent_after_s
        facts = peer.hello.facts
        detail = (
            f"{name}, {facts.rows} x {facts.columns} px, {peer.hello.driver or 'driver not named'}"
        )
        return LinkState(
            f"camera {view}", there, age, detail if there else f"{detail}: silent for {age:.0f} s"
        )

    def _handle(self, identity: bytes, parts: list[zmq.Frame], now_s: float) -> SourceEvent | None:
        header = parts[0].bytes if parts else b""
        try:
            self._security.visitor(parts[0], "camera") if parts else None
            message = decode_from_camera(header)
            return self._accept(identity, message, parts[1:], now_s)
        except WireError as error:
            view = self._view_of(identity)
            echo = echo_of(header)
            retry = error.code in RETRY_HELPS
            self._send(
                identity, ErrorAnswer(code=error.code, message=str(error), retry=retry, **echo)
            )
            return BadMessage(error, view, "drop_id" in echo)

    def _accept(
        self, identity: bytes, message: FromCamera, rest: list[zmq.Frame], now_s: float
    ) -> SourceEvent | None:
        if isinstance(message, Hello):
            return self._welcome(identity, message, now_s)
        view = self._view_of(identity)
        if view is not None:
            self._peers[view] = replace(self._peers[view], seen_s=now_s)
        if isinstance(message, FrameMessage):
            return self._frame(identity, message, rest, view, now_s)
        if view is None or message.session != self._peers[view].hello.session:
            text = f"{message.type} of a session that has not said hello"
            raise WireError("no_hello", text, wanted="a hello first", got=message.session)
        if isinstance(message, Bye):
            del self._peers[view]
        else:
            self._send(identity, Heartbeat(session=self._session))
        return None

    def _view_of(self, identity: bytes) -> View | None:
        """Return the view of who said hello; None for anybody else."""
        return next((v for v, peer in self._peers.items() if peer.identity == identity), None)

    def _welcome(self, identity: bytes, hello: Hello, now_s: float) -> CameraJoined:
        version = agree_version(hello.protocols)
        camera = check_hello(hello, self._station_name, self._station)
        self._check_is_only(identity, hello, now_s)
        self._peers[camera.view] = _Peer(identity, hello, now_s)
        self._send(
            identity,
            Welcome(protocol=version, session=self._session, heartbeat_s=self._links.heartbeat_s),
        )
        log.info("camera %s joined: session %s", camera.name, hello.session)
        return CameraJoined(camera.view, camera.name, hello.session, facts_of(hello))

    def _check_is_only(self, identity: bytes, hello: Hello, now_s: float) -> None:
        """Refuse a second driver of a camera whose first one is there. Raises `WireError`."""
        first = self._peers.get(hello.view)
        if first is None or identity == first.identity or hello.session == first.hello.session:
            return
        alive = now_s - first.seen_s < self._links.silent_after_s
        if alive and self._send(first.identity, Heartbeat(session=self._session)):
            raise WireError(
                "second_driver",
                f"a second driver of {hello.camera}",
                wanted=f"session {first.hello.session} alone, until it says bye or is silent",
                got=f"session {hello.session}",
            )

    def _frame(
        self,
        identity: bytes,
        message: FrameMessage,
        rest: list[zmq.Frame],
        view: View | None,
        now_s: float,
    ) -> Frame:
        if len(rest) != 1:
            raise WireError(
                "truncated", "frame message parts", wanted="header and pixels", got=1 + len(rest)
            )
        hello = self._peers[view].hello if view is not None else None
        counts = check_frame(message, rest[0].buffer, hello)
        assert hello is not None
        self._send(identity, Received(drop_id=message.drop_id, sequence=message.sequence))
        return Frame(message.header(), counts, facts_of(hello), now_s)

    def _tell(self, frame: Frame, message: ToCamera) -> None:
        peer = self._peers.get(frame.header.view)
        if peer is not None:
            self._outbox.append((peer.identity, message))

    def _send_waiting(self) -> None:
        while self._outbox:
            self._send(*self._outbox.popleft())

    def _send(self, identity: bytes, message: ToCamera) -> bool:
        """Send, and return whether somebody is there to read it."""
        try:
            self._socket.send_multipart([identity, message.encode()], zmq.NOBLOCK)
        except zmq.Again:
            log.warning("a camera driver does not read its answers; one was dropped")
        except zmq.ZMQError:  # it is gone: its silence ends what it had
            return False
        return True
