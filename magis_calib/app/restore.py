"""Move the controllers of a station to setpoints of an earlier drop, with no run going on."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import zmq

from hardware.connection import ApplicationIdentity
from hardware.controller import ControllerClient
from magis_calib.actuators.controllers import ControllerSet
from magis_calib.actuators.live import LiveActuators
from magis_calib.actuators.moves import moves_in_words
from magis_calib.auth.binding import bind
from magis_calib.auth.sockets import open_lock
from magis_calib.config.station import Station
from magis_calib.domain.control import Setpoints
from magis_calib.domain.errors import ConfigError
from magis_calib.host.terminal import remark, tell
from magis_calib.state.safety import Safety

POLL_S = 0.05


def return_to(goal: Setpoints, label: str, name: str, station: Station, keys: Path | None) -> int:
    """Say what will move, move it in steps, say what became of it.

    Return the exit code: 0 there, 1 not.

    Raises `ConfigError` where a run of this station is going on.
    """
    with _actuators(name, station, keys) as actuators:
        until = time.monotonic() + station.links.silent_after_s
        while not actuators.prepare() and time.monotonic() < until:
            time.sleep(POLL_S)
        for move in moves_in_words(goal, actuators.states()):
            tell(move)
        result = actuators.go_to(goal, label)
    (tell if result.there else remark)(result.words)
    return 0 if result.there else 1


@contextmanager
def _actuators(name: str, station: Station, keys: Path | None) -> Iterator[LiveActuators]:
    """Connect to the controllers.

    The telemetry address is held meanwhile, so that no run of this station begins.
    """
    links = station.links
    security = open_lock(station, keys)
    place = security.context.socket(zmq.PUB)
    controllers = {}
    place.linger = 0
    try:
        security.serve(place, "telemetry", "application")
        bind(place, links.telemetry)
        session = f"{name}-{secrets.token_hex(4)}"
        for one, controller in station.controllers.items():
            controllers[one] = ControllerClient(
                security,
                one,
                controller.endpoint,
                ApplicationIdentity(name, session),
                links,
            )
        yield LiveActuators(ControllerSet(controllers), station, Safety())
    except zmq.ZMQError as error:
        raise ConfigError(
            f"cannot bind {links.telemetry}: {error}; where a run of this station goes on, return "
            "in its window: select the drop in the ledger, Ctrl+R"
        ) from error
    finally:
        for client in controllers.values():
            client.close()
        place.close()
        security.close()
