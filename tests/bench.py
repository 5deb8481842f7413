"""A bench to plug instruments into: controllers behind real sockets, and a camera driver written by
hand.

The driver writes its JSON itself, as a stranger's program would: nothing of the application's
encoder is used.
"""

from __future__ import annotations

import json
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

import numpy as np
import zmq

from magis_calib.auth.sockets import open_lock
from magis_calib.config.station import Station
from magis_calib.run.alarms import LOOP_ALARMS
from magis_calib.run.engine import Engine
from magis_calib.state.snapshot import Snapshot
from simulators.controllers.parameters import ParameterBank
from simulators.controllers.server import ControllerIdentity, ControllerServer
from simulators.instrument.numbers import load_plant_numbers
from tests.pictures import SMALL

FACTS: dict[str, Any] = {name: getattr(SMALL, name) for name in SMALL.__dataclass_fields__}


class Driver:
    """A camera driver in the hands of a test."""

    def __init__(
        self, context: zmq.Context, station: Station, view: str, session: str = "s1"
    ) -> None:
        self.view, self.session, self.sequence = view, session, 0
        self.camera = station.camera(view).name
        self.socket = context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.connect(station.links.camera)
        self.heard: list[dict[str, Any]] = []

    def hello(self, **changes: Any) -> dict[str, Any]:
        """Say hello and return the answer."""
        self.send(
            {
                "type": "hello",
                "protocols": [1],
                "station": "bottom",
                "camera": self.camera,
                "view": self.view,
                "session": self.session,
                "driver": "by hand",
                "facts": FACTS,
                **changes,
            }
        )
        return self.hear("welcome", "error")

    def header(self, counts: np.ndarray, drop_id: int, **changes: Any) -> dict[str, Any]:
        """Return the header of a frame."""
        self.sequence += 1
        rows, columns = counts.shape
        return {
            "type": "frame",
            "protocol": 1,
            "station": "bottom",
            "camera": self.camera,
            "view": self.view,
            "drop_id": drop_id,
            "sequence_type": "interferometer",
            "session": self.session,
            "sequence": self.sequence,
            "trigger_time_ns": time.time_ns(),
            "exposure_s": 1e-4,
            "rows": rows,
            "columns": columns,
            "dtype": "uint16",
            "pixel_format": "Mono16",
            "bits": 12,
            "alignment": "left",
            "checksum": f"{zlib.crc32(counts.tobytes()):08x}",
            **changes,
        }

    def frame(self, counts: np.ndarray, drop_id: int, **changes: Any) -> None:
        """Send a frame."""
        self.send(self.header(counts, drop_id, **changes), counts.tobytes())

    def send(self, header: dict[str, Any] | bytes, *payload: bytes) -> None:
        """Send any parts."""
        raw = header if isinstance(header, bytes) else json.dumps(header).encode()
        self.socket.send_multipart([raw, *payload])

    def hear(self, *types: str, within_s: float = 10.0) -> dict[str, Any]:
        """Return the next message of one of these types."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            if self.socket.poll(50):
                self.heard.append(json.loads(self.socket.recv()))
                if self.heard[-1]["type"] in types:
                    return self.heard[-1]
        raise AssertionError(
            f"heard no {types} within {within_s} s, only {[one['type'] for one in self.heard]}"
        )

    def close(self) -> None:
        self.socket.close()


class Controllers:
    """Both controllers in one thread. `mute` names those that swallow requests.

    `refuse` those that say no.
    """

    def __init__(self, station: Station, session: str = "c1", lease_s: float = 5.0) -> None:
        self._lease_s = lease_s
        self.mute: set[str] = set()
        self.words: dict[str, dict[str, str | bool]] = {}
        """State words that a controller tells beside its own."""
        self._restarting: set[str] = set()
        self.next_drop = 1
        self._stop = threading.Event()
        self._station, self._session = station, session
        self._ready = threading.Event()
        self.banks: dict[str, ParameterBank] = {}
        self._thread = threading.Thread(target=self._run, name="controllers")
        self._thread.start()
        assert self._ready.wait(10.0)

    def restart(self, name: str) -> None:
        """Power-cycle a controller: a new session, and the setpoints of the start."""
        self._restarting.add(name)

    def _words(self, name: str) -> dict[str, str | bool]:
        return self.words.get(name, {})

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        numbers = load_plant_numbers(None)
        nominal = {name: one.nominal for name, one in numbers.actuators.items()}
        nominal.update({name: one.nominal for name, one in self._station.loop.actuators.items()})
        with closing(open_lock(self._station, None)) as lock:
            servers = {}
            for name in self._station.controllers:
                own = {key: one for key, one in numbers.actuators.items() if one.controller == name}
                self.banks[name] = ParameterBank(own, nominal)
                place = ControllerIdentity(
                    "bottom",
                    name,
                    self._station.endpoints[name],
                    self._session,
                    0.2,
                    self._lease_s,
                )
                servers[name] = ControllerServer(lock, place, self.banks[name], lambda words: None)
                servers[name].requests.next_effective_drop = lambda: self.next_drop
                servers[name].requests.status = partial(self._words, name)
            self._ready.set()
            while not self._stop.is_set():
                for name, server in servers.items():
                    if name in self.mute:
                        continue
                    if name in self._restarting:
                        self._restarting.discard(name)
                        server.restart(f"{self._session}-again")
                    server.serve()
                    server.tick(time.monotonic())
                time.sleep(0.002)
            for server in servers.values():
                server.close()


def loop_fault(engine: Engine) -> str:
    """Why corrections that are wanted do not reach the hardware, whoever's camera is gone."""
    standing = (alarm.text for alarm in engine.snapshot.alarms if alarm.key in LOOP_ALARMS)
    return engine.fault or next(standing, "")


@contextmanager
def running(engine: Engine, close: Callable[[], None]) -> Iterator[Engine]:
    """Run an engine, and stop it whatever happens."""
    from magis_calib.state.commands import StopRun

    engine.start()
    try:
        yield engine
    finally:
        engine.submit(StopRun())
        assert engine.wait(30.0)
        close()


def until(
    engine: Engine, true: Callable[[Snapshot], Any], what: str, within_s: float = 20.0
) -> Snapshot:
    """Wait until the snapshot is as wanted and return it."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if true(engine.snapshot):
            return engine.snapshot
        time.sleep(0.01)
    raise AssertionError(
        f"never: {what}; last {engine.snapshot.counters}, alarms {engine.snapshot.alarms}, "
        f"loop {engine.snapshot.loop} {engine.snapshot.loop_detail}"
    )
