"""Put a live run together: sockets, controllers, recorder and engine of one station."""

from __future__ import annotations

import errno
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zmq

from hardware.camera import CameraLink
from hardware.connection import ApplicationIdentity
from hardware.controller import ControllerClient
from hardware.telemetry import Telemetry
from magis_calib.actuators.controllers import ControllerSet
from magis_calib.actuators.live import LiveActuators
from magis_calib.auth.sockets import open_lock
from magis_calib.config.station import Config, Station
from magis_calib.domain.devices import LinkState
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import ConfigError, SessionError
from magis_calib.link.frame_checks import FrameChecks
from magis_calib.recording.continuation import Earlier, earlier, left_unfinished
from magis_calib.recording.lock import SessionLock
from magis_calib.recording.recorder import Recorder
from magis_calib.recording.writer import SessionWriter, new_session_path
from magis_calib.run.components import Components
from magis_calib.run.engine import Engine
from magis_calib.state.commands import StartProcedure
from magis_calib.state.safety import Safety

log = logging.getLogger(__name__)

CLAIM_S = 1.0
"""How long a start waits for the controllers to say whose they are; a window shows it later, too.
"""
CLAIM_HEADLESS_S = 5.0
"""The same without a window, where nobody would see it said later."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What somebody wants of a live run, beside its station."""

    session_dir: Path
    """Folder that its session is recorded in."""
    drops: int | None = None
    """Stop after this many."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """Told in the session, for whoever reads it."""
    procedure: StartProcedure | None = None
    """What the run is for."""
    products: Path | None = None
    """Folder for what procedures find."""
    go_on: bool = True
    """With the session that a killed run left unfinished. Not for a simulated station that ends
    with the program that started it: its next one is another, with the same numbers.
    """
    config_file: Path | None = None
    """What the configuration was read from; None: shipped."""
    keys: Path | None = None
    """Folder of keys; None: that of this user."""
    take_over: bool = False
    """Take the controllers from whoever has their lease."""
    observe: Callable[[DropRecord], None] | None = None
    """Told of every finished drop, in the worker thread."""


class LiveRun:
    """One station with everything it needs. `close` after the engine has finished."""

    def __init__(self, config: Config, name: str, station: Station, request: RunRequest) -> None:
        """Bind and connect. Raises `ConfigError` where an address is taken."""
        self._watched: tuple[Callable[[], LinkState], ...] = ()
        self._held: SessionLock | None = None
        self._security = open_lock(station, request.keys)
        self.controllers: dict[str, ControllerClient] = {}
        telemetry = self._connect(name, station, request.take_over)
        path, before = self._session(request.session_dir, name, request.go_on)
        safety = Safety()
        self.components = Components(
            name,
            station,
            self._camera,
            LiveActuators(ControllerSet(self.controllers), station, safety),
            self._all_links,
            safety,
            self._recorder(path, config, name, station, request, before),
            self.controllers[station.announcer],
            telemetry,
            drops=request.drops,
            procedure=request.procedure,
            products=request.products,
            configuration=request.config_file.absolute() if request.config_file else None,
            earlier=before,
            checks=FrameChecks(max(before.decided, default=0) if before else 0),
            observe=request.observe,
        )
        self.engine = Engine(self.components)

    def _recorder(
        self,
        path: Path,
        config: Config,
        name: str,
        station: Station,
        request: RunRequest,
        before: Earlier | None,
    ) -> Recorder:
        """Record into this folder, with the configuration of this run.

        Another folder follows where somebody takes this one away.
        """
        whole = config.model_copy(update={"stations": {**config.stations, name: station}})
        text = whole.model_dump_json(by_alias=True)
        left = [path]

        def begin() -> SessionWriter:
            here = left[0] if left else new_session_path(request.session_dir, name)
            if not left and self._held is not None:
                self._held.release()
                self._held = None
            self._held = self._held or SessionLock(here)
            writer = SessionWriter(here, name, text, dict(request.about), station.recording)
            left.clear()
            return writer

        camera = self._camera
        known = before.checksums if before is not None else None
        return Recorder(begin, camera.stored, camera.not_stored, camera.refused, known)

    def _connect(self, name: str, station: Station, take_over: bool) -> Telemetry:
        """Open all sockets, or none. Raises `ConfigError`."""
        session = f"{name}-{secrets.token_hex(4)}"
        security, links = self._security, station.links
        try:
            self._camera = CameraLink(security, name, station, session)
            telemetry = Telemetry(security, links.telemetry)
            for one, controller in station.controllers.items():
                self.controllers[one] = ControllerClient(
                    security,
                    one,
                    controller.endpoint,
                    ApplicationIdentity(name, session, take_over=take_over),
                    links,
                )
        except zmq.ZMQError as error:
            self._release()
            taken = error.errno == errno.EADDRINUSE
            raise ConfigError(
                f"cannot bind {links.camera} or {links.telemetry}: {error}"
                f"{'; is another magis-calib running?' if taken else ''}"
            ) from error
        except ConfigError:
            self._release()
            raise
        return telemetry

    def _session(self, parent: Path, name: str, go_on: bool) -> tuple[Path, Earlier | None]:
        """Return where to record: into what a killed run left unfinished, or a new session."""
        found = left_unfinished(parent, name) if go_on else None
        if found is None:
            return new_session_path(parent, name), None
        path, self._held = found
        try:
            before = earlier(path)
        except SessionError as error:
            log.warning("not gone on with: %s", error)
            self._held.release()
            self._held = None
            return new_session_path(parent, name), None
        log.warning(
            "going on with %s: %d frames, %d drops, %d without an outcome",
            path,
            len(before.checksums),
            len(before.decided),
            len(before.owed),
        )
        return path, before

    def watch(self, link: Callable[[], LinkState]) -> None:
        """Show one more peer among the links."""
        self._watched = (*self._watched, link)

    def claim(self, *, headless: bool) -> None:
        """Wait a moment for the controllers' leases.

        Raises `ConfigError` where somebody else has one.
        """
        until_s = time.monotonic() + (CLAIM_HEADLESS_S if headless else CLAIM_S)
        while not all(one.session() is not None or one.leased for one in self.controllers.values()):
            if time.monotonic() > until_s:
                break
            time.sleep(0.02)
        leased = [f"{name} is {one.leased}" for name, one in self.controllers.items() if one.leased]
        if leased:
            raise ConfigError(f"{'; '.join(leased)}; --take-over takes it away from there")

    def close(self) -> None:
        """Release the controllers and the sockets."""
        if self._held is not None:
            self._held.release()
        self._release()

    def _release(self) -> None:
        for controller in self.controllers.values():
            controller.close()
        self._security.close()

    def _all_links(self) -> tuple[LinkState, ...]:
        others = (*(controller.link for controller in self.controllers.values()), *self._watched)
        return (*self._camera.links(), *(link() for link in others))
