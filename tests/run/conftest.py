from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import zmq

from magis_calib.app.live import LiveRun, RunRequest
from magis_calib.config.station import Station
from magis_calib.domain.camera import ImagePair
from magis_calib.run.engine import Engine
from tests.bench import Controllers, Driver, running, until
from tests.pictures import Scene, pair


@lru_cache(maxsize=64)
def photographed(scene: Scene, drop_id: int) -> ImagePair:
    """Throw the atoms of a drop: always the same ones, so that each picture need be taken once
    only.
    """
    return pair(np.random.default_rng(drop_id), scene, drop_id)


@dataclass
class Bench:
    """A live application with everything plugged in."""

    engine: Engine | None
    station: Station
    controllers: Controllers
    drivers: dict[str, Driver]
    sessions: Path

    def drop(self, drop_id: int, scene: Scene | None = None, **changes: object) -> None:
        """Photograph a scene and send both frames."""
        self.controllers.next_drop = drop_id + 1
        for view, frame in photographed(scene or Scene(), drop_id).frames.items():
            self.drivers[view].frame(frame.counts, drop_id, **changes)


@pytest.fixture
def quick_station(free_station: Station) -> Station:
    """The bottom station with short patience."""
    links = free_station.links.model_copy(
        update={"heartbeat_s": 0.2, "silent_after_s": 1.0, "reply_timeout_s": 0.5}
    )
    pairing = free_station.pairing.model_copy(update={"wait_s": 1.0})
    alarms = free_station.alarms.model_copy(
        update={"no_frame_after_s": 1.0, "worker_silent_s": 3.0}
    )
    return free_station.model_copy(update={"links": links, "pairing": pairing, "alarms": alarms})


@pytest.fixture
def session_dir(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


@pytest.fixture
def bench(config, quick_station: Station, session_dir: Path) -> Iterator[Bench]:
    with zmq.Context() as context:
        drivers = {view: Driver(context, quick_station, view) for view in ("x", "y")}
        plugged = Bench(None, quick_station, Controllers(quick_station), drivers, session_dir)
        try:
            products = session_dir.parent / "products"
            live = LiveRun(
                config, "bottom", quick_station, RunRequest(session_dir, products=products)
            )
            with running(live.engine, live.close) as engine:
                for driver in drivers.values():
                    assert driver.hello()["type"] == "welcome"
                plugged.engine = engine
                until(engine, lambda snapshot: snapshot.actuators, "the controllers are known")
                yield plugged
        finally:
            for driver in drivers.values():
                driver.close()
            plugged.controllers.close()
