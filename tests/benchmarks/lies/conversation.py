"""One run of the application against controllers that lie for some drops, and what came of it."""

from __future__ import annotations

import queue
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

import numpy as np

from hardware.connection import ApplicationIdentity
from hardware.controller import ControllerClient
from magis_calib.actuators.controllers import ControllerSet
from magis_calib.actuators.live import LiveActuators
from magis_calib.app.simulated import on_free_ports
from magis_calib.auth.sockets import SocketSecurity, open_lock
from magis_calib.config.loading import load_config, select_station
from magis_calib.config.station import Station
from magis_calib.domain.camera import VIEWS, Frame, FrameHeader, ImagePair
from magis_calib.domain.devices import FrameSource, LinkState, SourceEvent
from magis_calib.domain.estimate import StationEstimate
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.pipeline import Estimator
from magis_calib.run.components import Components
from magis_calib.run.engine import Engine
from magis_calib.state.commands import CloseLoop, StopRun
from magis_calib.state.safety import Safety, SafetyChange
from magis_calib.state.snapshot import Alarm, PastAlarm, Snapshot
from simulators.instrument.numbers import load_plant_numbers
from simulators.plant import Plant
from tests.benchmarks.lies.answers import KINDS, TIMEOUT_S, Made, by_one_or_both
from tests.benchmarks.lies.cameras import views_of
from tests.benchmarks.lies.controllers import (
    CommittedWrite,
    LyingControllers,
    Message,
    Schedule,
)
from tests.feedback.station import FIT_SIGMA, estimated
from tests.pictures import SMALL

DROPS = 20
HONEST_AFTER = 5
"""Drops within which the loop corrects again once the lies are over."""
LONGEST_S = 120.0


@dataclass(frozen=True)
class Found:
    """What came of a conversation: each list is empty where all was well."""

    kind: str
    seed: int
    out_of_state: Sequence[str]
    """Committed writes that left while the state was not `closed`."""
    beyond_limits: Sequence[str]
    stuck: str
    """Why it did not correct again, where no alarm says what to do."""
    corrected: bool
    """It corrected again by itself."""

    @property
    def good(self) -> bool:
        return not (self.out_of_state or self.beyond_limits or self.stuck)


class Pictures:
    """A source of frames without pixels, and who knows what they show."""

    def __init__(self, seed: int) -> None:
        self._plant = Plant(load_plant_numbers(), "short", seed)
        self._rng = np.random.default_rng(seed)
        self._frames: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        self._seen: dict[int, StationEstimate] = {}

    def photograph(self, drop_id: int, in_force: Mapping[str, float]) -> None:
        """Make both frames of a drop."""
        true = self._plant.drop(drop_id, in_force).observables
        noise = FIT_SIGMA * self._rng.standard_normal(len(FIT_SIGMA))
        seen = {name: true[name] + noise[row] for row, name in enumerate(OBSERVABLES)}
        self._seen[drop_id] = replace(estimated(drop_id, seen), views=views_of(drop_id))
        for view in VIEWS:
            header = FrameHeader(
                *("bottom", f"LM{view}", view, drop_id, "interferometer", "s", drop_id),
                *(time.time_ns(), 1e-4, 1, 1, "Mono16", 12, "left", f"{drop_id:08x}"),
            )
            counts = np.full((1, 1), 16 * (1 + drop_id % 4000), np.uint16)
            self._frames.put(Frame(header, counts, SMALL, time.monotonic()))

    def receive(self, timeout_s: float) -> SourceEvent | None:
        try:
            return self._frames.get(timeout=min(timeout_s, 0.01))
        except queue.Empty:
            return None

    def estimate(self, pair: ImagePair, *how: object) -> StationEstimate:
        return self._seen[pair.drop_id]

    def stored(self, frame: Frame) -> None: ...

    def not_stored(self, frame: Frame, reason: str) -> None: ...

    def links(self) -> Sequence[LinkState]:
        return ()

    def close(self) -> None: ...


@dataclass(frozen=True)
class Heard:
    """What the application did, and what the controllers heard of it."""

    snapshot: Snapshot
    """At its end."""
    alarms: Sequence[Alarm | PastAlarm]
    writes: Sequence[CommittedWrite]
    errors: Sequence[Message]
    """That the application told the controllers."""

    def applied(self) -> list[int]:
        """Return the drops after which a correction was sent, verified."""
        records = self.snapshot.records
        return [one.drop_id for one in records if one.decision.outcome == "applied"]


@contextmanager
def impatient() -> Iterator[Station]:
    """The bottom station on ports that nobody uses, without locks and with short deadlines."""
    shipped = select_station(load_config(None), None)[1]
    with on_free_ports(shipped, own=False) as (free, _):
        quick = {"sockets": "plain", "reply_timeout_s": TIMEOUT_S, "heartbeat_s": 0.05}
        links = free.links.model_copy(update=quick | {"silent_after_s": 1.0})
        pairing = free.pairing.model_copy(update={"wait_s": 0.3})
        yield free.model_copy(update={"links": links, "pairing": pairing})


def converse(station: Station, seed: int, kind: Made | None = None) -> Found:
    """Have one conversation: lies of a random kind from a random drop on, for some drops."""
    rng = random.Random(seed)
    kind = kind or rng.choice(KINDS)
    begin = rng.choice((0, 1, 3, 5, 8, 9))
    lying = range(begin, begin + rng.choice((1, 2, 4)))
    heard = against(station, Schedule(DROPS, lying, by_one_or_both(rng, kind(rng))), seed)
    return Found(
        kind.__name__,
        seed,
        _out_of_state(heard.writes, heard.snapshot.safety_changes),
        _beyond_limits(heard.writes, station),
        _stuck(heard, lying),
        _corrected(heard, lying),
    )


def against(station: Station, schedule: Schedule, seed: int = 1) -> Heard:
    """Run the application against controllers with this schedule of lies."""
    pictures = Pictures(seed)
    controllers = LyingControllers(station, schedule, pictures.photograph)
    try:
        snapshot = run(station, pictures, pictures, controllers).snapshot
    finally:
        controllers.close()
    alarms = (*snapshot.past_alarms, *snapshot.alarms)
    return Heard(snapshot, alarms, controllers.writes, controllers.heard)


def run(
    station: Station,
    source: FrameSource | Callable[[SocketSecurity], FrameSource],
    estimator: Estimator,
    controllers: LyingControllers,
) -> Engine:
    """Run the application until its drops are done; return it as it ended."""
    with closing(open_lock(station, None)) as security:
        clients = {
            name: ControllerClient(
                security, name, one.endpoint, ApplicationIdentity("bottom", "a1"), station.links
            )
            for name, one in station.controllers.items()
        }
        safety = Safety()
        source = source(security) if callable(source) else source
        engine = Engine(
            Components(
                "bottom",
                station,
                source,
                LiveActuators(ControllerSet(clients), station, safety),
                lambda: tuple(one.link() for one in clients.values()),
                safety,
                drop_system=clients[station.announcer],
                drops=controllers.schedule.drops,
                estimator=estimator,
            )
        )
        engine.submit(CloseLoop())
        engine.start()
        ended = engine.wait(LONGEST_S)
        last = engine.snapshot
        engine.submit(StopRun())
        assert engine.wait(20.0)
        assert ended, f"stuck at drop {controllers.newest}: {last.alarms}"
        for client in clients.values():
            client.close()
        return engine


def _out_of_state(writes: Sequence[CommittedWrite], changes: Sequence[SafetyChange]) -> list[str]:
    """Return the committed writes that left while the state was not `closed`."""
    found = []
    for write in writes:
        state = "idle"
        for change in changes:
            if change.time_ns <= write.asked_ns:
                state = change.state
        if state != "closed":
            found.append(f"{write.controller} was written about drop {write.drop} while {state}")
    return found


def _beyond_limits(writes: Sequence[CommittedWrite], station: Station) -> list[str]:
    """Return the committed writes of setpoints that the loop must not go to."""
    limits = station.loop.actuators
    return [
        f"{name} = {value} about drop {write.drop}"
        for write in writes
        for name, value in write.setpoints.items()
        if not limits[name].minimum <= value <= limits[name].maximum
    ]


def _corrected(heard: Heard, lying: range) -> bool:
    after = range(lying.stop, lying.stop + HONEST_AFTER + 1)
    return any(drop in after for drop in heard.applied())


def _stuck(heard: Heard, lying: range) -> str:
    """Say what keeps it from correcting, where no alarm says what to do about it."""
    snapshot = heard.snapshot
    told = any(one.severity == "act" and one.remedy for one in snapshot.alarms)
    if _corrected(heard, lying) or told:
        return ""
    last = snapshot.records[-1].decision
    return f"drop {last.drop_id} {last.in_words()}; safety {snapshot.safety}"
