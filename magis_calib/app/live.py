"""Put a live run together: sockets, controllers, recorder and engine of one station."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zmq

from hardware.camera import CameraLink
from hardware.controller import ControllerClient
from hardware.telemetry import Telemetry
from magis_calib.actuators.controllers import ControllerSet
from magis_calib.actuators.live import LiveActuators
from magis_calib.auth.sockets import open_lock
from magis_calib.config.recording import Recording
from magis_calib.config.station import Config, Station
from magis_calib.domain.devices import LinkState
from magis_calib.domain.errors import ConfigError, SessionError
from magis_calib.recording.continuation import Earlier, SessionLock, earlier, left_unfinished
from magis_calib.recording.recorder import Recorder
from magis_calib.recording.writer import SessionWriter, new_session_path
from magis_calib.run.components import Components
from magis_calib.run.engine import Engine
from magis_calib.state.commands import StartProcedure

log = logging.getLogger(__name__)

CLAIM_S = 1.0
"""How long a start waits for the controllers to say whose they are.

Those that are not there yet say so later.
"""


class LiveRun:
    """One station with everything it needs. `close` after the engine has finished."""

    def __init__(
        self,
        config: Config,
        name: str,
        station: Station,
        session_dir: Path,
        drops: int | None,
        about: dict[str, Any],
        procedure: StartProcedure | None = None,
        products: Path | None = None,
        go_on: bool = True,
        config_file: Path | None = None,
        keys: Path | None = None,
        take_over: bool = False,
    ) -> None:
        """Bind and connect; `procedure` is what the run is for. Raises `ConfigError` where an
        address is taken.

        `config_file`: what `config` was read from; None: shipped. `keys`: folder of keys; None:
        that of this user. `go_on`: with the session that a killed run left unfinished. Not for a
        simulated station that ends with the program that started it: its next one is another, with
        the same numbers.
        """
        self._watched: tuple[Callable[[], LinkState], ...] = ()
        session = f"{name}-{secrets.token_hex(4)}"
        self._security = open_lock(station.links, keys)
        self.controllers: dict[str, ControllerClient] = {}
        telemetry = self._connect(name, station, session, take_over)
        path, before = self._session(session_dir, name, go_on)
        whole = config.model_copy(update={"stations": {**config.stations, name: station}})
        text = whole.model_dump_json(by_alias=True)
        recorder = Recorder(
            lambda: self._open(path, name, text, about, station.recording),
            self._camera.stored,
            self._camera.not_stored,
        )
        self.components = Components(
            name,
            station,
            self._camera,
            LiveActuators(ControllerSet(self.controllers), station),
            self._all_links,
            recorder,
            self.controllers["drop_system"],
            telemetry,
            drops=drops,
            procedure=procedure,
            products=products,
            configuration=config_file.absolute() if config_file is not None else None,
            earlier=before,
        )
        self.engine = Engine(self.components)

    def _connect(self, name: str, station: Station, session: str, take_over: bool) -> Telemetry:
        """Open all sockets, or none. Raises `ConfigError`."""
        security, links = self._security, station.links
        try:
            self._camera = CameraLink(security, name, station, session)
            telemetry = Telemetry(security, links.telemetry)
            for one in ("laser", "drop_system"):
                endpoint = getattr(links, one)
                self.controllers[one] = ControllerClient(
                    security, one, endpoint, name, session, links, take_over
                )
        except zmq.ZMQError as error:
            self._release()
            raise ConfigError(
                f"cannot bind {links.camera} or {links.telemetry}: {error}; "
                "is another magis-calib running?"
            ) from error
        except ConfigError:
            self._release()
            raise
        return telemetry

    def _session(self, parent: Path, name: str, go_on: bool) -> tuple[Path, Earlier | None]:
        """Return where to record: into what a killed run left unfinished, or a new session."""
        self._held: SessionLock | None = None
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

    def _open(
        self, path: Path, name: str, text: str, about: dict[str, Any], recording: Recording
    ) -> SessionWriter:
        self._held = self._held or SessionLock(path)
        return SessionWriter(path, name, text, about, recording)

    def watch(self, link: Callable[[], LinkState]) -> None:
        """Show one more peer among the links."""
        self._watched = (*self._watched, link)

    def claim(self) -> None:
        """Wait a moment for the controllers' leases.

        Raises `ConfigError` where somebody else has one.
        """
        until_s = time.monotonic() + CLAIM_S
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
