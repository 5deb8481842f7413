"""The snapshot has one place where it is replaced: no thread overwrites what another one told."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import zmq

from magis_calib.app.live import LiveRun, RunRequest
from magis_calib.domain.devices import LinkState
from magis_calib.feedback.loop import Loop
from magis_calib.link.bounded_queue import BoundedQueue
from magis_calib.link.pairing import Pairing
from magis_calib.run.alarms import AlarmList, Trouble
from magis_calib.run.command_handler import CommandHandler
from magis_calib.run.engine import Engine
from magis_calib.run.history import RunHistory
from magis_calib.run.publisher import SnapshotPublisher
from magis_calib.run.receiver import Receiver
from magis_calib.run.snapshots import SnapshotBuilder
from magis_calib.state.answer import Answer
from magis_calib.state.commands import StartProcedure
from tests.bench import Controllers, Driver, running, until
from tests.pictures import Scene
from tests.run.conftest import photographed


class BrokenFit:
    """A fit that breaks as soon as it is let go."""

    def __init__(self) -> None:
        self.go_on = threading.Event()

    def estimate(self, *words: Any) -> Any:
        assert self.go_on.wait(20.0)
        raise RuntimeError("the fit broke")


@pytest.fixture
def live(config, quick_station, session_dir) -> Iterator[LiveRun]:
    """A run whose worker may be silent for 0.3 s."""
    alarms = quick_station.alarms.model_copy(update={"worker_silent_s": 0.3})
    station = quick_station.model_copy(update={"alarms": alarms})
    controllers = Controllers(station)
    try:
        yield LiveRun(config, "bottom", station, RunRequest(session_dir))
    finally:
        controllers.close()


def test_how_a_procedure_ended_is_not_lost_while_another_thread_publishes(live) -> None:
    fit = BrokenFit()
    watching, told = threading.Event(), threading.Event()
    parts = live.components

    def links() -> tuple[LinkState, ...]:
        """Those of the run; who watches looks at them until the drop was told of."""
        if threading.current_thread().name == "watch":
            watching.set()
            assert told.wait(20.0)
        return parts.links()

    engine = Engine(replace(parts, links=links, estimator=fit, observe=lambda record: told.set()))
    with zmq.Context() as context, running(engine, live.close):
        drivers = [Driver(context, parts.station, view) for view in ("x", "y")]
        for driver in drivers:
            driver.hello()
        until(engine, lambda now: now.actuators, "the controllers are known")
        engine.submit(StartProcedure("poke", {}))
        until(engine, lambda now: now.procedure is not None, "the procedure runs")
        for driver in drivers:
            driver.frame(photographed(Scene(), 1).frames[driver.view].counts, 1)
        assert watching.wait(20.0)
        fit.go_on.set()
        shown = until(engine, lambda now: now.latest, "the drop")
        for driver in drivers:
            driver.close()
    assert "cancelled: fault: working: the fit broke" in shown.note


def test_a_run_that_has_ended_stays_as_it_ended(live) -> None:
    parts = live.components
    loop, history, alarms = Loop(parts.station), RunHistory(), AlarmList()
    handler = CommandHandler(parts, loop, history, alarms, lambda record: None)
    receiver = Receiver(parts, Pairing(1.0), BoundedQueue(1_000_000), None)
    builder = SnapshotBuilder(parts, alarms, loop)
    publisher = SnapshotPublisher(builder, handler, history, receiver, None)
    publisher.publish(answer=Answer("the last words"))
    publisher.end()
    ended = publisher.snapshot
    publisher.publish(answer=Answer("too late"))
    with running(live.engine, live.close):
        pass
    assert publisher.snapshot is ended
    assert (ended.note, ended.loop, ended.finished) == ("the last words", "stopped", True)


def test_who_knows_of_an_alarm_is_not_forgotten_by_who_publishes() -> None:
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    alarms = AlarmList()
    wrong = {"link": Trouble("act", "gone", "start it")}
    alarms.update(wrong)
    done = threading.Event()

    def publish() -> None:
        while not done.is_set():
            alarms.update(wrong)

    publishing = threading.Thread(target=publish)
    publishing.start()
    try:
        for _ in range(300):
            alarms.update({})
            alarms.update(wrong)
            alarms.acknowledge("link", "ada")
            assert alarms.alarms[0].acknowledged_by == "ada"
    finally:
        sys.setswitchinterval(usual_s)
        done.set()
        publishing.join()
