"""A running application with its simulated station, and a wire-tapper between it and the laser."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from magis_calib.app.live import LiveRun, RunRequest
from magis_calib.app.simulated import SimulatedProcess, on_free_ports
from magis_calib.auth.keyring import Keyring
from magis_calib.cli.main import settle_in
from magis_calib.config.loading import load_config, select_station
from magis_calib.config.station import Station
from magis_calib.run.engine import Engine
from magis_calib.state.commands import StopRun
from simulators.options import SimulationOptions

INTERVAL_S = 0.5


@dataclass
class Tap:
    """Passes on every byte between whoever connects and a port, and keeps those that go there."""

    port: int
    heard: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.own_port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self.port))
                except ConnectionError:  # nobody listens yet
                    near.close()
                    continue
                threading.Thread(
                    target=self._pass_on, args=(near, far, self.heard), daemon=True
                ).start()
                threading.Thread(target=self._pass_on, args=(far, near, None), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, kept: bytearray | None) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if kept is not None:
                    kept += data
                sink.sendall(data)
        for one in (source, sink):
            one.close()


@dataclass
class Target:
    """What is attacked."""

    engine: Engine
    station: Station
    keys: Keyring
    tap: Tap
    commands: Path

    def port(self, door: str) -> int:
        """Return the port of camera, laser, drop_system or telemetry; of the laser the real one."""
        return (
            self.tap.port
            if door == "laser"
            else int(self.station.endpoints[door].rpartition(":")[2])
        )

    def endpoint(self, door: str) -> str:
        """Return the address of the same."""
        return f"tcp://127.0.0.1:{self.port(door)}"

    def server_key(self, door: str) -> str:
        """Return the public key of who serves there."""
        return self.keys.named("application" if door in ("camera", "telemetry") else door).public

    def written_down(self) -> list[dict[str, Any]]:
        """Return what the controllers wrote down."""
        return [json.loads(line) for line in self.commands.read_text().splitlines()]

    def drops(self) -> int:
        """Return how many drops have been corrected."""
        return self.engine.history.counters.applied


@contextmanager
def running(folder: Path) -> Iterator[Target]:
    """Start everything, wait until corrections are sent, and end it."""
    settle_in()
    config = load_config(None)
    name, station = select_station(config, None)
    with on_free_ports(station, own=False) as (station, _):
        tap = Tap(int(station.endpoints["laser"].rpartition(":")[2]))
        keys, commands = folder / "keys", folder / "commands.jsonl"
        near = station.at({"laser": f"tcp://127.0.0.1:{tap.own_port}"})
        live = LiveRun(
            config,
            name,
            near,
            RunRequest(folder, about={"simulated": True, "simulation": ""}, go_on=False, keys=keys),
        )
        options = SimulationOptions("small", 1, INTERVAL_S, commands=commands)
        simulated = SimulatedProcess(options, station, None, name, None, keys)
        live.watch(simulated.link)
        live.engine.start()
        target = Target(live.engine, near, Keyring.at(keys), tap, commands)
        try:
            deadline_s = time.monotonic() + 60.0
            while target.drops() < 5:
                assert time.monotonic() < deadline_s, (
                    f"the loop did not begin: {live.engine.snapshot.alarms}"
                )
                time.sleep(0.1)
            yield target
        finally:
            live.engine.submit(StopRun())
            live.engine.wait()
            simulated.stop()
            live.close()
            tap.close()
