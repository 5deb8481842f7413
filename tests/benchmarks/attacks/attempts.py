"""What somebody tries who does not belong.

Each returns what was observed, and whether nobody was served.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import zmq

from magis_calib.auth.keyring import Pair
from tests.auth.caller import CAMERA_HELLO, HELLO, Caller
from tests.benchmarks.attacks.target import Target

Attempt = Callable[[Target], tuple[str, bool]]
HALF_OPEN = 1000
HELD_S, CUT_WITHIN_S = 12.0, 8.0
DOORS = ("camera", "laser", "drop_system")


def stranger() -> Pair:
    """Return keys that nobody has listed."""
    public, secret = zmq.curve_keypair()
    return Pair(public.decode(), secret.decode())


def unlisted_key(target: Target) -> tuple[str, bool]:
    """Knock at every door with a key that is in no list."""
    return _knock(target, lambda door: (stranger(), target.server_key(door)))


def no_key(target: Target) -> tuple[str, bool]:
    """Knock at every door without any."""
    return _knock(target, lambda door: (None, ""))


def wrong_server_key(target: Target) -> tuple[str, bool]:
    """Expect somebody else at the other end."""
    return _knock(
        target,
        lambda door: (
            target.keys.pair("camera" if door == "camera" else "application"),
            stranger().public,
        ),
    )


def observer_writes(target: Target) -> tuple[str, bool]:
    """Speak to cameras' and controllers' doors with the key of an observer."""
    return _knock(target, lambda door: (target.keys.pair("observer"), target.server_key(door)))


def replayed_stream(target: Target) -> tuple[str, bool]:
    """Send again every byte that the application sent to the laser."""
    before = bytes(target.tap.heard)
    with socket.create_connection(("127.0.0.1", target.port("laser"))) as wire:
        wire.settimeout(1.0)
        with contextlib.suppress(OSError):
            wire.sendall(before)
        answered = _drain(wire, 3.0)
    twice = [one for one, count in Counter(_numbered(target)).items() if count > 1]
    return (
        f"{len(before)} bytes sent again, {answered} bytes of handshake came back, {len(twice)} "
        f"commands done twice",
        not twice,
    )


def replayed_number(target: Target) -> tuple[str, bool]:
    """Ask twice with one number on a connection of one's own."""
    target.keys.make("replayer", "application")
    with Caller(
        target.endpoint("laser"), target.keys.pair("replayer"), target.server_key("laser")
    ) as caller:
        request = _request("evil", request="read")
        first, again = _answer(caller, request), _answer(caller, request)
    return (
        f"first {'answered' if first['ok'] else 'refused'}, again {again['error']['code']}",
        again["error"]["code"] == "stale",
    )


def second_writer(target: Target) -> tuple[str, bool]:
    """Write beside the application, with a key that is in the list."""
    target.keys.make("second", "application")
    with Caller(
        target.endpoint("laser"), target.keys.pair("second"), target.server_key("laser")
    ) as caller:
        told = caller.ask(
            **{**HELLO, "session": "ben-1", "user": "ben", "host": "elsewhere", "process": 1}
        )
        answer = _answer(caller, _request("ben-1", request="write", setpoints={"pulse_area": 1.0}))
    words = (
        f"hello: {told.get('code')} ({told.get('message', '')[:70]}), write: "
        f"{answer['error']['code']}"
    )
    return words, told.get("code") == answer["error"]["code"] == "leased"


def oversized(target: Target) -> tuple[str, bool]:
    """Send more than a door takes in, with keys that are let in."""
    cut = []
    for door, name, size in (
        ("camera", "camera", 310_000_000),
        ("laser", "application", 1_100_000),
    ):
        with Caller(
            target.endpoint(door), target.keys.pair(name), target.server_key(door)
        ) as caller:
            monitor = caller.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
            caller.socket.send(b" " * size)
            cut.append(bool(monitor.poll(10_000)))
            caller.socket.disable_monitor()
    return f"cut off: camera {cut[0]}, laser {cut[1]}", all(cut)


def half_open(target: Target) -> tuple[str, bool]:
    """Open a thousand connections to each of two doors and say nothing."""
    wires = [
        socket.create_connection(("127.0.0.1", target.port(door)), 5.0)
        for door in ("camera", "laser")
        for _ in range(HALF_OPEN)
    ]
    began_s = time.monotonic()
    time.sleep(CUT_WITHIN_S)
    alive = sum(not _closed(wire) for wire in wires)
    for wire in wires:
        wire.close()
    return (
        f"{len(wires)} connections, {alive} alive after {time.monotonic() - began_s:.0f} s",
        alive == 0,
    )


def slow_loris(target: Target) -> tuple[str, bool]:
    """Send the greeting of ZMTP at one byte a second."""
    greeting = bytes.fromhex("ff00000000000000017f03014355525645") + bytes(47)
    with socket.create_connection(("127.0.0.1", target.port("camera"))) as wire:
        sent = 0
        with contextlib.suppress(OSError):
            while sent < HELD_S and not _closed(wire):
                wire.sendall(greeting[sent : sent + 1])
                sent += 1
                time.sleep(1.0)
        return f"cut off after {sent} bytes", sent < HELD_S


def revoked(target: Target) -> tuple[str, bool]:
    """Go on speaking after the key was revoked."""
    target.keys.make("leaver", "application")
    with Caller(
        target.endpoint("laser"), target.keys.pair("leaver"), target.server_key("laser")
    ) as caller:
        before = caller.ask(
            **{**HELLO, "session": "leaver", "user": "ben", "host": "elsewhere", "process": 1}
        )
        target.keys.revoke("leaver")
        after = caller.ask(type="heartbeat", session="leaver")
        while after["type"] == "heartbeat":
            after = caller.hear()
    return f"before: {before.get('code')}, after: {after.get('code')}", after.get(
        "code"
    ) == "not_allowed"


def _knock(target: Target, keys: Callable[[str], tuple[Pair | None, str]]) -> tuple[str, bool]:
    served = []
    for door in DOORS:
        mine, server = keys(door)
        with Caller(target.endpoint(door), mine, server) as caller:
            if caller.is_served(**(CAMERA_HELLO if door == "camera" else HELLO)):
                served.append(door)
    return f"served at {served or 'no door'} of {', '.join(DOORS)}", not served


def _request(session: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "request",
        "protocol": 1,
        "request_id": "r1",
        "number": 1,
        "session": session,
        "expires_time_ns": time.time_ns() + 10**10,
        **more,
    }


def _answer(caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
    caller.socket.send_json(request)
    while (message := caller.hear())["type"] != "answer":
        pass
    return message


def _numbered(target: Target) -> list[tuple[str, str, int]]:
    return [(one["controller"], one["session"], one["number"]) for one in target.written_down()]


def _drain(wire: socket.socket, seconds: float) -> int:
    total, end = 0, time.monotonic() + seconds
    with contextlib.suppress(OSError):
        while time.monotonic() < end and (data := wire.recv(65536)):
            total += len(data)
    return total


def _closed(wire: socket.socket) -> bool:
    wire.setblocking(False)
    try:
        while data := wire.recv(4096):
            del data
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


ATTEMPTS: dict[str, Attempt] = {
    "unlisted key": unlisted_key,
    "no key": no_key,
    "wrong server key": wrong_server_key,
    "recorded bytes sent again": replayed_stream,
    "number used twice": replayed_number,
    "observer that writes": observer_writes,
    "second writer": second_writer,
    "oversized message": oversized,
    f"{HALF_OPEN} half-open connections": half_open,
    "slow-loris peer": slow_loris,
    "revoked key": revoked,
}
