"""Locks on sockets.

CURVE encryption and authentication on each, or plain ones where the configuration says so.
"""

from __future__ import annotations

import contextlib
import logging
import resource
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

import zmq
from zmq.auth.thread import ThreadAuthenticator

from magis_calib.auth.keyring import Keyring, Peer, Role, default_keys_dir
from magis_calib.config.station import Station
from magis_calib.domain.camera import LARGEST_FRAME_BYTES
from magis_calib.domain.errors import ConfigError, WireError

log = logging.getLogger(__name__)

Socket = zmq.Socket[bytes]
Door = Literal["camera", "control", "telemetry"]
WELCOME: Mapping[Door, frozenset[Role]] = {
    "camera": frozenset({"camera"}),
    "control": frozenset({"application"}),
    "telemetry": frozenset({"observer", "application"}),
}
"""Which roles are let in at the sockets that cameras, applications and observers connect to."""
LARGEST_BYTES: Mapping[Door, int] = {
    "camera": LARGEST_FRAME_BYTES,
    "control": 1_000_000,
    "telemetry": 1_000,
}
"""The largest part of a message that is taken into memory at a door; who sends more is cut off."""
LARGEST_ANSWER_BYTES = 1_000_000
"""The same at sockets that connect."""
HANDSHAKE_MS = 5000
"""A peer that has not shown its key by then is cut off."""
BACKLOG = 1024
COMPLAIN_S = 10.0


class SocketSecurity(Protocol):
    """Fits sockets of one context with locks. May be used by any thread, each socket by its own."""

    context: zmq.Context[Socket]

    def serve(self, socket: Socket, door: Door, name: str) -> None:
        """Lock a socket that `name` is about to bind: who connects must be welcome at this door."""

    def call(self, socket: Socket, name: str, server: str) -> None:
        """Lock a socket with which `name` is about to connect.

        There must be `server` at the other end.
        """

    def visitor(self, part: zmq.Frame, door: Door) -> str:
        """Return the name of who sent this part.

        Raises `WireError` where they are not welcome (any more).
        """

    def trusts(self, server: str) -> bool:
        """Tell whether what this server says still counts."""

    def edition(self) -> int:
        """Return a number that is another one whenever the list of whom to let in has changed."""

    def close(self) -> None:
        """Close what sockets are left, each with its own linger, and release the context."""


class NoSecurity:
    """No lock at all: everybody is let in, nobody is known. Loopback only.

    The configuration sees to that.
    """

    def __init__(self, context: zmq.Context[Socket]) -> None:
        self.context = context

    def serve(self, socket: Socket, door: Door, name: str) -> None:
        """Bound what is taken in."""
        socket.setsockopt(zmq.MAXMSGSIZE, LARGEST_BYTES[door])

    def call(self, socket: Socket, name: str, server: str) -> None:
        """Bound what is taken in."""
        socket.setsockopt(zmq.MAXMSGSIZE, LARGEST_ANSWER_BYTES)

    def visitor(self, part: zmq.Frame, door: Door) -> str:
        """Return that nobody knows."""
        return "somebody at a plain socket"

    def trusts(self, server: str) -> bool:
        """Trust everybody."""
        return True

    def edition(self) -> int:
        """Return always the same."""
        return 0

    def close(self) -> None:
        """Release the context."""
        self.context.destroy()


class CurveSecurity:
    """CURVE (ZeroMQ RFC 26) with a list of whom to let in (ZAP, RFC 27), asked again with every
    message.
    """

    def __init__(self, context: zmq.Context[Socket], keyring: Keyring) -> None:
        self.context = context
        self.keyring = keyring
        self._guard: ThreadAuthenticator | None = None
        self._starting = threading.Lock()
        self._complained_s: dict[str, float] = {}
        self._edition = 0
        self._parties = keyring.parties()

    def serve(self, socket: Socket, door: Door, name: str) -> None:
        """Lock a socket that `name` is about to bind. Raises `ConfigError` where it has no key."""
        pair = self.keyring.pair(name)
        self._post_guard()
        socket.setsockopt(zmq.MAXMSGSIZE, LARGEST_BYTES[door])
        socket.setsockopt(zmq.CURVE_SERVER, 1)
        socket.setsockopt(zmq.CURVE_PUBLICKEY, pair.public.encode())
        socket.setsockopt(zmq.CURVE_SECRETKEY, pair.secret.encode())
        socket.setsockopt(zmq.ZAP_DOMAIN, door.encode())
        socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
        socket.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
        socket.setsockopt(zmq.BACKLOG, BACKLOG)

    def call(self, socket: Socket, name: str, server: str) -> None:
        """Lock a socket with which `name` is about to connect.

        Raises `ConfigError` where either has no key.
        """
        pair = self.keyring.pair(name)
        socket.setsockopt(zmq.MAXMSGSIZE, LARGEST_ANSWER_BYTES)
        socket.setsockopt(zmq.CURVE_PUBLICKEY, pair.public.encode())
        socket.setsockopt(zmq.CURVE_SECRETKEY, pair.secret.encode())
        socket.setsockopt(zmq.CURVE_SERVERKEY, self.keyring.named(server).public.encode())
        socket.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)

    def visitor(self, part: zmq.Frame, door: Door) -> str:
        """Return the name of who sent this part.

        Raises `WireError` where they are not welcome (any more).
        """
        public = part.get("User-Id")
        peer = self._welcome(door, str(public))
        if peer is None:
            raise WireError("not_allowed", self._why_not(door, str(public)))
        return peer.name

    def trusts(self, server: str) -> bool:
        """Tell whether the list still has this server."""
        with contextlib.suppress(ConfigError):
            return any(peer.name == server for peer in self.keyring.parties().values())
        return False

    def edition(self) -> int:
        """Return a number that is another one whenever the list of whom to let in has changed."""
        with contextlib.suppress(ConfigError):
            parties = self.keyring.parties()
            if parties is not self._parties:
                self._edition = self._edition + 1
                self._parties = parties
        return self._edition

    def callback(self, domain: str, key: bytes) -> bool:
        """Answer the guard whether to let in who shows this key (Z85) at this door."""
        peer = self._welcome(domain, key.decode()) if domain in WELCOME else None
        if peer is None:
            self._complain(domain, key)
        return peer is not None

    def _complain(self, domain: str, key: bytes) -> None:
        """Log who was refused, not too often."""
        now_s = time.monotonic()
        if now_s - self._complained_s.get(domain, -COMPLAIN_S) < COMPLAIN_S:
            return
        self._complained_s[domain] = now_s
        log.warning("refused: %s", self._why_not(domain, key.decode()))

    def _why_not(self, door: str, public: str) -> str:
        """Say why this key is not let in at this door."""
        with contextlib.suppress(ConfigError):
            peer = self.keyring.parties().get(public)
            if peer is not None:
                roles = " or ".join(sorted(WELCOME.get(door, ())))  # type: ignore[call-overload]
                return (
                    f"the key of {peer.name} (role {peer.role}) at the {door} socket, which is "
                    f"for role {roles}"
                )
        return f"an unknown key at the {door} socket: {public} is not in the list of allowed"

    def close(self) -> None:
        """Send the guard home and release the context."""
        if self._guard is not None:
            self._guard.stop()
            self._guard = None
        self.context.destroy()

    def _welcome(self, door: str, public: str) -> Peer | None:
        try:
            peer = self.keyring.parties().get(public)
        except ConfigError as error:
            log.error("nobody is let in: %s", error)
            return None
        return peer if peer is not None and peer.role in WELCOME[door] else None  # type: ignore[index]

    def _post_guard(self) -> None:
        """Have somebody at the doors before the first one is opened."""
        with self._starting:
            if self._guard is not None:
                return
            _allow_many_connections()
            self._guard = ThreadAuthenticator(self.context)
            self._guard.start()
            for door in WELCOME:
                self._guard.configure_curve_callback(domain=door, credentials_provider=self)


def open_lock(station: Station, keys: Path | None) -> SocketSecurity:
    """Return a new context with the kind of lock that the configuration asks for.

    Raises `ConfigError`.

    `keys`: folder of keys; None for that of this user, made on first use for this station.
    """
    context: zmq.Context[Socket] = zmq.Context()
    try:
        if station.links.sockets == "plain":
            return NoSecurity(context)
        keyring = Keyring.at(keys or default_keys_dir(), tuple(station.controllers))
        return CurveSecurity(context, keyring)
    except (ConfigError, OSError) as error:
        context.term()
        raise ConfigError(f"keys: {error}") from error


def _allow_many_connections() -> None:
    """Peers that connect and say nothing must not use up all file handles before they are cut
    off.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
