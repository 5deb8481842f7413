"""Whether a station can be run from here: its ports, its keys, its controllers."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

from hardware.connection import ApplicationIdentity
from hardware.controller import ControllerClient
from magis_calib.actuators.checks import disagreements
from magis_calib.app.checks.finding import Asked, Check, Finding
from magis_calib.auth.keyring import ALLOWED, OWN, Keyring
from magis_calib.auth.sockets import SocketSecurity, open_lock
from magis_calib.config.fields import host_and_port
from magis_calib.domain.control import ParameterFacts
from magis_calib.domain.errors import ConfigError, ControllerError

WAIT_S = 3.0
"""For a controller's answer."""


def _ports(asked: Asked) -> Iterator[Finding]:
    for name in ("camera", "telemetry"):
        endpoint = asked.station.endpoints[name]
        if not endpoint.startswith("tcp://"):
            continue
        host, port = host_and_port(endpoint)
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                yield Finding(
                    f"port of {name}",
                    f"{endpoint}: {error.strerror}",
                    "free",
                    "fail",
                    "is another magis-calib running? `ss -tlnp` names who has it",
                )
                continue
        yield Finding(f"port of {name}", f"{endpoint} is free", "free", "ok")


def _keys(asked: Asked) -> Iterator[Finding]:
    if asked.station.links.sockets == "plain":
        yield Finding(
            "keys", 'links.sockets = "plain"', "curve", "warn", "only for tests: docs/security.md"
        )
        return
    try:
        keyring = Keyring.at(asked.keys, tuple(asked.station.controllers))
        for name in (*OWN, *asked.station.controllers):
            if name == "application" or (keyring.folder / f"{name}.key").exists():
                keyring.pair(name)
    except ConfigError as error:
        yield Finding(
            "keys", str(error), "secrets of mode 600 and a list", "fail", "magis-calib keys make"
        )
        return
    people = ", ".join(f"{peer.name} ({peer.role})" for peer in keyring.parties().values())
    yield Finding("keys", f"{keyring.folder / ALLOWED}: {people}", "those who belong", "ok")


def _controllers(asked: Asked) -> Iterator[Finding]:
    """Ask each without a hello: whoever has their leases keeps them."""
    known: dict[str, ParameterFacts] = {}
    owners: dict[str, str] = {}
    with closing(open_lock(asked.station, asked.keys)) as security:
        for name in asked.station.controllers:
            told = _told_by(name, asked, security)
            yield _running(name, told)
            if not isinstance(told, str):
                known |= told
                owners |= dict.fromkeys(told, name)
    if known and (wrong := disagreements(known, owners, asked.station)):
        remedy = "mend the configuration, or the controller"
        yield Finding("controllers' limits", wrong, "as configured", "fail", remedy)


def _told_by(
    name: str, asked: Asked, security: SocketSecurity
) -> Mapping[str, ParameterFacts] | str:
    """Return what this controller describes, or why it does not."""
    me = ApplicationIdentity(asked.name, f"check-{os.getpid()}", asks_only=True)
    endpoint = asked.station.endpoints[name]
    with closing(ControllerClient(security, name, endpoint, me, asked.station.links)) as client:
        return _described(client)


def _running(name: str, told: Mapping[str, ParameterFacts] | str) -> Finding:
    if isinstance(told, str):
        return Finding(name, told, "running", "warn", "start it; magis-sim is one for tests")
    limits = ", ".join(
        f"{one.name} [{one.minimum:g}, {one.maximum:g}] {one.unit}" for one in told.values()
    )
    return Finding(name, limits, "running", "ok")


def _described(client: ControllerClient) -> Mapping[str, ParameterFacts] | str:
    """Return what a controller describes, or why it does not."""
    end_s = time.monotonic() + WAIT_S
    while True:
        try:
            return client.describe()
        except ControllerError as error:
            if time.monotonic() > end_s:
                return client.link().detail or str(error)


STATION_CHECKS: Sequence[Check] = (_ports, _keys, _controllers)
