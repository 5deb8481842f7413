"""A session put together for replay: an engine, and another one after each jump."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from magis_calib.config.loading import parse_json_config, select_station
from magis_calib.config.station import Station
from magis_calib.domain.drop_record import DropRecord
from magis_calib.pipeline import Estimator
from magis_calib.recording.reader import Session
from magis_calib.replay.comparison import Comparison
from magis_calib.replay.learned import learned
from magis_calib.replay.predictor import Supposing
from magis_calib.replay.recorded_actuators import RecordedActuators
from magis_calib.replay.recorded_decisions import Closings
from magis_calib.replay.recorded_doubts import RecordedDoubts
from magis_calib.replay.source import ReplaySource
from magis_calib.run.components import Components
from magis_calib.run.engine import Engine
from magis_calib.state.commands import Command, StopRun, Suppose
from magis_calib.state.history import History, HistoryRows
from magis_calib.state.snapshot import ReplayState, Snapshot


def recorded_station(session: Session) -> tuple[str, Station]:
    """Return the station that a session was recorded at.

    Raises `ConfigError` where it cannot be used any more.
    """
    config = parse_json_config(session.configuration, str(session.path))
    return select_station(config, str(session.attribute("station")))


class Replay:
    """Plays a session: the run that a window looks at, and the player that its commands reach.

    Nothing is sent.

    A jump ends the engine and begins another one at the drop wanted, with a loop that was taught
    everything before.
    """

    def __init__(
        self,
        session: Session,
        speed: float,
        drops: int | None = None,
        *,
        station: Station | None = None,
        estimator: Estimator | None = None,
        stays: bool = False,
    ) -> None:
        """`stays`: wait at the end of the recording, where else the run ends.

        Raises `ConfigError`.
        """
        self._name, recorded = recorded_station(session)
        self._session = session
        self.station = station or recorded
        self._as_recorded = self.station == recorded
        self._estimator = estimator
        self._stays = stays
        self.drops = drops if drops or stays else len(session.records)
        self.comparison = Comparison(session.records)
        self._supposing = Supposing(recorded, session.records, session.restarts)
        self._rows = _rows(session.records)
        self._places = {record.drop_id: place for place, record in enumerate(session.records)}
        self._ids = tuple(self._places)
        self._times_ns = tuple(record.time_ns for record in session.records)
        self._listener: Callable[[DropRecord], None] = lambda record: None
        self._wanted: int | None = None
        self._turning = threading.Lock()
        self._ending = threading.Event()
        self._left: tuple[Engine, Snapshot] | None = None
        """The engine that a jump ends, with its last picture: shown until the next one has a drop.
        """
        self.engine = self._engine_at(0, speed)

    def also(self, listener: Callable[[DropRecord], None]) -> None:
        """Tell this one, too, of every replayed drop."""
        self._listener = listener

    @property
    def snapshot(self) -> Snapshot:
        """The newest picture; while a jump is on its way, the one before it."""
        engine, left = self.engine, self._left
        if left is not None and engine is not left[0] and engine.snapshot.latest is not None:
            self._left = left = None
        return engine.snapshot if left is None else left[1]

    def submit(self, command: Command) -> None:
        """Hand over a command; the answer is seen in a later snapshot."""
        if isinstance(command, StopRun):
            self._ending.set()
            self._left = None
        self.engine.submit(command)

    def start(self) -> None:
        """Begin to play."""
        self.engine.start()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the replay has ended; return whether it has."""
        with self._turning:
            return self.engine.wait(timeout_s)

    def set_speed(self, factor: float) -> None:
        """Play this many times real time."""
        self._source.set_speed(factor)

    def step(self) -> None:
        """Pause after one more drop."""
        self._source.step()

    def jump(self, drop_id: int) -> str:
        """Begin to go to this drop; of several jumps in a row the last one counts."""
        if drop_id not in self._places:
            return f"no jump: drop {drop_id} was not recorded"
        self._wanted = drop_id
        threading.Thread(target=self._turn, name="jump", daemon=True).start()
        return f"jumping to drop {drop_id}"

    def suppose(self, request: Suppose) -> str:
        """Begin to predict what would have been otherwise."""
        return self._supposing.begin(request)

    def state(self) -> ReplayState:
        """Return how it plays now."""
        found = self.comparison
        named = tuple(one.in_words() for one in found.first)
        return ReplayState(
            self._ids,
            self._times_ns,
            self._source.speed,
            found.compared,
            tuple(found.different),
            named,
            self._rows,
            self._supposing.state,
        )

    def _turn(self) -> None:
        with self._turning:
            drop_id = self._wanted
            self._wanted = None
            if drop_id is None or self._ending.is_set():
                return
            self._left = self.engine, self.engine.snapshot
            self.engine.submit(StopRun())
            self.engine.wait()
            self.engine = self._engine_at(self._places[drop_id], self._source.speed)
            self.engine.start()
            if self._ending.is_set():
                self.engine.submit(StopRun())

    def _engine_at(self, place: int, speed: float) -> Engine:
        records = self._session.records
        before = self._session.records[:place]
        self._closings = Closings()
        self._loop = learned(
            self.station,
            before,
            self._closings,
            self._session.restarts,
            as_recorded=self._as_recorded,
        )
        self._source = ReplaySource(self._session, speed, place, self._stays)
        self._prepare_for(place)
        return Engine(
            Components(
                self._name,
                self.station,
                self._source,
                RecordedActuators(records, self.station),
                lambda: tuple(self._source.links()),
                mode="replay",
                session=str(self._session.path.absolute()),
                drops=self.drops,
                observe=self._observe,
                player=self,
                estimator=self._estimator,
                loop=self._loop,
                before=before,
                checks=RecordedDoubts(records),
            )
        )

    def _observe(self, record: DropRecord) -> None:
        self.comparison.add(record)
        self._listener(record)
        self._prepare_for(self._places[record.drop_id] + 1)
        self._source.drop_done()

    def _prepare_for(self, place: int) -> None:
        """Do what was done before this record: a run began anew, or the loop was closed.

        Targets, gains and limits are those of the drop, too, unless another configuration is tried.
        """
        records = self._session.records
        if place < len(records) and self._as_recorded:
            self._loop.follow(records[place])
        if place < len(records) and records[place].drop_id in self._session.restarts:
            self._loop.begin_anew()
            self._closings.begin_anew()
        if place < len(records) and self._closings.before(records[place]):
            self._loop.resume(records[place].in_force)


def _rows(records: Sequence[DropRecord]) -> HistoryRows:
    """Return the numbers of all drops as they were recorded."""
    history = History(max(1, len(records)))
    for record in records:
        history.add(record)
    return history.rows
