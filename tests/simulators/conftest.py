from __future__ import annotations

import shutil
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import zmq
from small_application import SmallApplication

from magis_calib.config.loading import load_config, select_station
from magis_calib.config.station import Station
from simulators.instrument.numbers import PlantNumbers, SensorNumbers, load_plant_numbers
from simulators.options import SimulationOptions
from simulators.setup import StationSetup
from simulators.station import SimulatedStation


@pytest.fixture(scope="session")
def numbers() -> PlantNumbers:
    return load_plant_numbers()


@pytest.fixture(scope="session")
def quick_numbers(numbers: PlantNumbers) -> PlantNumbers:
    """Few atoms on few pixels, where only the wire is looked at."""
    tiny = SensorNumbers(rows=128, columns=192, object_pixel_m=256e-6)
    cloud = numbers.cloud.model_copy(update={"atoms": 1e4})
    return numbers.model_copy(update={"sensors": {"small": tiny}, "cloud": cloud})


class Bench:
    """Simulated stations and small applications on sockets of their own."""

    def __init__(self, numbers: PlantNumbers, folder: Path) -> None:
        self.context = zmq.Context()
        self.endpoints = {
            name: f"ipc://{folder}/{name}"
            for name in ("camera", "laser", "drop_system", "telemetry")
        }
        self.said: list[str] = []
        self._numbers = numbers
        self._links = {"sockets": "plain", "heartbeat_s": 0.1, "silent_after_s": 1.0}
        self._stops: list[tuple[threading.Event, threading.Thread]] = []
        self._applications: list[SmallApplication] = []

    def configured(self) -> tuple[str, Station]:
        name, station = select_station(load_config(None), None)
        links = station.links.model_copy(update=self._links)
        return name, station.model_copy(update={"links": links}).at(self.endpoints)

    def station(
        self,
        *,
        drops: int | None = None,
        first_drop: int = 1,
        spool_bytes: int = 400_000_000,
        only: frozenset[str] | None = None,
        **options,
    ) -> None:
        name, station = self.configured()
        chosen = SimulationOptions(**({"sensor": "small", "interval_s": 0.0} | options))
        numbers = self._numbers
        setup = StationSetup(name, station, chosen, numbers, drops, first_drop, spool_bytes)
        setup = replace(setup, only=only)
        stop = threading.Event()

        def run() -> None:
            SimulatedStation(setup, self.said.append).run(stop.is_set)

        thread = threading.Thread(target=run)
        thread.start()
        self._stops.append((stop, thread))

    def application(self, **more) -> SmallApplication:
        application = SmallApplication(self.context, self.endpoints, **more)
        self._applications.append(application)
        application.join()
        return application

    def stop_stations(self) -> None:
        for stop, thread in self._stops:
            stop.set()
            thread.join(20)
            assert not thread.is_alive()
        self._stops.clear()

    def close(self) -> None:
        self.stop_stations()
        for application in self._applications:
            application.close()
        self.context.term()


@pytest.fixture
def bench(quick_numbers: PlantNumbers):
    folder = Path(tempfile.mkdtemp(prefix="sim"))
    bench = Bench(quick_numbers, folder)
    yield bench
    bench.close()
    shutil.rmtree(folder)
