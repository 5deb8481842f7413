"""Telemetry: every snapshot as JSON on a PUB socket, for dashboards."""

from __future__ import annotations

import json
import time
from typing import Any

import zmq

from magis_calib.auth.binding import bind
from magis_calib.auth.sockets import SocketSecurity
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import ConfigError
from magis_calib.domain.serial import plain
from magis_calib.link.headers import PROTOCOL_VERSION
from magis_calib.state.snapshot import Snapshot

TOPIC = b"snapshot"


class Telemetry:
    """Publishes snapshots. Used by one thread; who does not listen misses them."""

    def __init__(self, security: SocketSecurity, endpoint: str) -> None:
        """Bind the endpoint.

        Raises `zmq.ZMQError` where the address is taken, `ConfigError` without a key.
        """
        self._security = security
        self._endpoint = endpoint
        self._edition = security.edition()
        self._socket = self._bound()

    def publish(self, snapshot: Snapshot) -> None:
        """Send this snapshot to whoever listens; who is no longer allowed to is cut off first."""
        if self._security.edition() != self._edition and not self._rebound():
            return
        text = json.dumps(
            summary(snapshot), allow_nan=False, ensure_ascii=False, separators=(",", ":")
        )
        self._socket.send_multipart([TOPIC, text.encode()])

    def close(self) -> None:
        """Release the socket."""
        self._socket.close()

    def _bound(self) -> zmq.Socket[bytes]:
        socket = self._security.context.socket(zmq.PUB)
        socket.setsockopt(zmq.SNDHWM, 10)
        socket.setsockopt(zmq.LINGER, 200)
        try:
            self._security.serve(socket, "telemetry", "application")
            bind(socket, self._endpoint)
        except (zmq.ZMQError, ConfigError):
            socket.close()
            raise
        return socket

    def _rebound(self) -> bool:
        """Begin with no listeners: they show their keys again.

        A closed socket lets go of its address a bit later.
        """
        self._socket.close()
        try:
            self._socket = self._bound()
        except (zmq.ZMQError, ConfigError):
            return False
        self._edition = self._security.edition()
        return True


def summary(snapshot: Snapshot) -> dict[str, Any]:
    """Return the snapshot without images and history (docs/protocol.md, "Telemetry")."""
    return {
        "protocol": PROTOCOL_VERSION,
        "time_ns": time.time_ns(),
        "station": snapshot.station,
        "mode": snapshot.mode,
        "session": snapshot.session,
        "loop": snapshot.loop,
        "loop_detail": snapshot.loop_detail,
        "safety": snapshot.safety,
        "safety_cause": snapshot.safety_cause,
        "waiting_for_drop": snapshot.waiting_for_drop,
        "finished": snapshot.finished,
        "drop": _drop(snapshot.latest, snapshot.latest_s),
        "targets": plain(snapshot.targets),
        "actuators": plain(snapshot.actuators),
        "links": plain(snapshot.links),
        "alarms": plain(snapshot.alarms),
        "counters": plain(snapshot.counters),
    }


def _drop(latest: DropRecord | None, finished_s: float | None) -> dict[str, Any] | None:
    """Return the newest drop, `finished_s` on the monotonic clock; None before the first."""
    if latest is None:
        return None
    return {
        "drop_id": latest.drop_id,
        "time_ns": latest.time_ns,
        "age_s": None if finished_s is None else time.monotonic() - finished_s,
        "complete": latest.complete,
        "usable": latest.estimate.usable,
        "reasons": list(latest.estimate.reasons),
        "values": plain(latest.estimate.values),
        "stderr": plain(latest.estimate.stderr),
        "outcome": latest.decision.outcome,
        "why": latest.decision.in_words(),
        "stage_s": plain(latest.stage_s),
    }
