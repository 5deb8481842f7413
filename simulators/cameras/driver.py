"""A camera driver: keeps every frame until it is stored, and sends it again where needed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import zmq

from magis_calib.auth.handshake import HandshakeMonitor
from magis_calib.auth.sockets import SocketSecurity
from magis_calib.domain.camera import CameraFacts, FrameHeader, View
from magis_calib.domain.errors import WireError
from magis_calib.link.camera_messages import (
    Bye,
    ErrorAnswer,
    FactsMessage,
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
from magis_calib.link.wire import decode_to_camera
from simulators.cameras.buffer import FrameBuffer, SpooledFrame
from simulators.faults.active import WHOLE, Cut

Say = Callable[[str], None]
Settled = Callable[[int, View, bool], None]
TRIES = 3
"""How often a frame is sent that the application answers with an error it calls worth a retry."""
SENDING = 4
"""Messages handed to the socket at a time; the buffer holds the rest."""


@dataclass(frozen=True, slots=True)
class CameraIdentity:
    """Which camera this is and where the application is found."""

    station: str
    camera: str
    view: View
    endpoint: str
    session: str
    heartbeat_s: float
    silent_after_s: float
    driver: str = "magis-sim"


class CameraDriver:
    """One DEALER socket and the buffer behind it. Used by one thread."""

    def __init__(
        self,
        security: SocketSecurity,
        place: CameraIdentity,
        facts: CameraFacts,
        buffer: FrameBuffer,
        settled: Settled,
        say: Say,
    ) -> None:
        self.place = place
        self.cut: Callable[[], Cut] = lambda: WHOLE
        """Which ways nothing passes."""
        self.dead = False
        self._security = security
        self._facts = facts
        self._buffer = buffer
        self._settled = settled
        self._say = say
        self._application: str | None = None
        self._last_application: str | None = None
        self._heard_s = 0.0
        self._last_error = ""
        self._spoilt: dict[int, memoryview] = {}
        self._copies: dict[int, int] = {}
        self._connect()

    def _connect(self) -> None:
        self._next_word_s = 0.0
        self.socket = self._security.context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 500)
        self.socket.setsockopt(zmq.IMMEDIATE, 1)
        self.socket.setsockopt(zmq.SNDHWM, SENDING)
        self.socket.setsockopt(zmq.RECONNECT_IVL, 100)
        self.socket.setsockopt(zmq.RECONNECT_IVL_MAX, 1000)
        self._security.call(self.socket, "camera", "application")
        self._handshake = HandshakeMonitor(self.socket, self.place.endpoint)
        self._problem = ""
        self._say(f"camera {self.place.view}: connecting to {self.place.endpoint}")

    def die(self) -> None:
        """Be gone without a word, with all that was not stored."""
        self._say(f"camera {self.place.view}: driver dies")
        for lost in self._buffer.clear():
            self._settled(lost, self.place.view, False)
        self._application = None
        self.dead = True
        self._handshake.close()
        self.socket.close(linger=0)

    def rise(self, session: str) -> None:
        """Be started again after having died."""
        self.place = replace(self.place, session=session)
        self.dead = False
        self._last_application = None
        self._connect()

    def begin_anew(self, session: str) -> None:
        """Say hello with another session."""
        self.place = replace(self.place, session=session)
        self._lose("gets a new session of this camera")

    @property
    def welcomed(self) -> bool:
        """The application has answered this camera's hello."""
        return self._application is not None

    def take(
        self,
        header: FrameHeader,
        payload: memoryview,
        spoilt: memoryview | None = None,
        copies: int = 1,
    ) -> None:
        """Keep a new frame and send it as soon as the application is there.

        `spoilt`: what is sent at first in place of it; `copies`: how often.
        """
        if spoilt is not None:
            self._spoilt[header.drop_id] = spoilt
        self._copies[header.drop_id] = copies
        frame = SpooledFrame(
            header.drop_id, header.sequence, FrameMessage.of(header).encode(), payload
        )
        for lost in self._buffer.add(frame):
            self._say(f"camera {self.place.view}: spool is full, drop {lost.drop_id} is lost")
            self._settled(lost.drop_id, self.place.view, False)
        self._send_frames()

    def serve(self) -> None:
        """Read everything that has arrived."""
        if self.dead:
            return
        self._notice_disconnect()
        while not self.cut().from_application:
            try:
                raw = self.socket.recv_multipart(zmq.NOBLOCK)[-1]
            except zmq.Again:
                return
            try:
                self._handle(decode_to_camera(raw))
            except WireError as error:
                self._say(f"camera {self.place.view}: cannot read the application's word: {error}")

    def tick(self, now_s: float) -> None:
        """Send what is due: hello until welcomed, heartbeats from then on, and frames that wait."""
        if self.dead:
            return
        if self.welcomed and now_s - self._heard_s > self.place.silent_after_s:
            self._lose("is silent")
        if now_s >= self._next_word_s:
            self._next_word_s = now_s + self.place.heartbeat_s
            self._send(Heartbeat(session=self.place.session) if self.welcomed else self._hello())
        self._send_frames()

    def close(self) -> None:
        """Say bye and release the socket."""
        if self.dead:
            return
        self._send(Bye(session=self.place.session))
        self._handshake.close()
        self.socket.close()

    def _notice_disconnect(self) -> None:
        """Say hello first after a broken connection: a frame would reach who does not know it."""
        if self._handshake.look(time.monotonic()) and self.welcomed:
            self._lose("disconnected")
        if self._handshake.problem != self._problem:
            self._problem = self._handshake.problem
            if self._problem:
                self._say(f"camera {self.place.view}: {self.place.endpoint}: {self._problem}")

    def _handle(self, message: ToCamera) -> None:
        self._heard_s = time.monotonic()
        match message:
            case Welcome():
                self._join(message.session)
            case Heartbeat():
                if self.welcomed and message.session != self._application:
                    self._lose("was started again")
            case Received():
                self._buffer.received(message.drop_id)
            case Stored() | NotStored():
                self._forget(message.drop_id, stored=isinstance(message, Stored))
            case ErrorAnswer():
                self._on_error(message)

    def _join(self, application: str) -> None:
        self._say(f"camera {self.place.view}: application connected ({application})")
        waiting = self._buffer.send_all_again(
            same_application=application == self._last_application
        )
        self._application = self._last_application = application
        if waiting:
            self._say(f"camera {self.place.view}: {waiting} frames not yet stored are sent again")
        self._send_frames()

    def _lose(self, why: str) -> None:
        self._say(f"camera {self.place.view}: application {why}")
        self._application = None
        self._next_word_s = 0.0

    def _on_error(self, error: ErrorAnswer) -> None:
        text = f"camera {self.place.view}: {error.code}: {error.message}"
        if text != self._last_error:
            self._say(text)
        self._last_error = text
        if error.code == "no_hello":
            self._lose("wants a hello first")
        elif (
            error.drop_id is not None
            and error.retry
            and self._buffer.send_again(error.drop_id, TRIES)
        ):
            self._send_frames()
        elif error.drop_id is not None:
            self._forget(error.drop_id, stored=False)

    def _forget(self, drop_id: int, *, stored: bool) -> None:
        if self._buffer.forget(drop_id):
            self._settled(drop_id, self.place.view, stored)

    def _send_frames(self) -> None:
        while (
            self.welcomed
            and not self.cut().to_application
            and (frame := self._buffer.next_to_send()) is not None
        ):
            payload = self._spoilt.get(frame.drop_id, frame.payload)
            try:
                for _ in range(self._copies.get(frame.drop_id, 1)):
                    self.socket.send_multipart([frame.header, payload], zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            self._spoilt.pop(frame.drop_id, None)
            self._copies.pop(frame.drop_id, None)
            self._buffer.sent(frame)

    def _hello(self) -> Hello:
        place = self.place
        facts = FactsMessage.model_validate(
            {name: getattr(self._facts, name) for name in FactsMessage.model_fields}
        )
        return Hello(
            protocols=[1],
            station=place.station,
            camera=place.camera,
            view=place.view,
            session=place.session,
            driver=place.driver,
            facts=facts,
        )

    def _send(self, message: FromCamera) -> None:
        """Send a word; it is dropped where nobody is connected, because the next one comes soon."""
        if self.cut().to_application:
            return
        try:
            self.socket.send(message.encode(), zmq.NOBLOCK)
        except zmq.Again:
            return
