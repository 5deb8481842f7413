"""The simulated station: one hidden truth behind two cameras, a laser and a drop system."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

import zmq

from magis_calib.auth.sockets import open_lock
from magis_calib.domain.camera import VIEWS, SequenceType, View
from magis_calib.domain.errors import ConfigError
from magis_calib.link.control_messages import DropMessage
from simulators.cameras.buffer import FrameBuffer
from simulators.cameras.delivery import FrameDelivery
from simulators.cameras.driver import CameraDriver, CameraIdentity
from simulators.cameras.exposure import ImageMaker, Job
from simulators.cameras.group import CameraGroup
from simulators.cameras.lies import CameraLies
from simulators.controllers.command_log import CommandLog
from simulators.controllers.drop_schedule import DropSchedule
from simulators.controllers.group import ControllerGroup
from simulators.controllers.parameters import ParameterBank
from simulators.controllers.server import ControllerIdentity, ControllerServer
from simulators.faults.active import Faults
from simulators.faults.controller import Misbehaviour
from simulators.faults.file import WatchedFaults, load_faults
from simulators.hidden import put_off
from simulators.plant import Plant
from simulators.setup import StationSetup
from simulators.truth import TruthFile
from simulators.waiting import Waiting

JOBS = 8
"""Drops that may wait for their pictures."""
LOOK_AGAIN_S = 0.1
"""How soon a request to stop is noticed."""


class SimulatedStation:
    """All sockets belong to the thread that calls `run`; pictures are made by another one."""

    def __init__(self, setup: StationSetup, say: Callable[[str], None]) -> None:
        self._setup = setup
        self._say = say
        self._said_behind = False
        self._waiting = Waiting(say)
        self._prepared_for = 0
        self._session = _new_session()
        options = setup.options
        self._faults = Faults(
            load_faults(options.faults, setup.numbers), options.seed, setup.first_drop
        )
        self._fault_file = WatchedFaults(options.faults, setup.numbers, self._faults, say)
        self._plant = Plant(
            put_off(setup.numbers, options.off), options.preset, options.seed, self._faults
        )
        self._schedule = DropSchedule(options.interval_s, setup.drops, setup.first_drop)
        self._security = open_lock(setup.config, setup.keys)
        try:
            self._open()
        except (zmq.ZMQError, OSError, ConfigError):
            self._security.close()
            raise

    def _open(self) -> None:
        options = self._setup.options
        self._commands = CommandLog(options.commands)
        self._controllers = self._control()
        views = [one for one in VIEWS if self._setup.has(self._setup.config.camera(one).name)]
        self._truth = TruthFile(options.truth, self._plant, views)
        self._image_maker = ImageMaker(
            self._security.context, self._setup.numbers, options.sensor, options.seed
        )
        drivers = {view: self._camera(view) for view in views}
        self._cameras = CameraGroup(drivers, self._setup.numbers.camera, self._setup.first_drop)
        self._lies = CameraLies(self._faults)
        self._delivery = FrameDelivery(self._faults, drivers, self._settled, _new_session)

    def run(self, stopping: Callable[[], bool]) -> None:
        """Serve until told to stop. Raises what went wrong in the image maker."""
        try:
            poller = self._poller()
            peers: list[CameraDriver | ControllerServer] = [
                *self._cameras.drivers.values(),
                *self._controllers.servers,
            ]
            while not stopping():
                now_s = time.monotonic()
                for peer in peers:
                    peer.serve()
                    peer.tick(now_s)
                self._send_prints()
                self._delivery.tick(now_s)
                self._fault_file.follow(now_s)
                due = self._due(now_s)
                if due and self._prepared():
                    poller = self._poller()
                if due and not self._power_cycle():
                    self._start_drop(now_s)
                poller.poll(round(self._idle_s() * 1000))
        finally:
            self._close()

    def _idle_s(self) -> float:
        """Return for how long there is nothing to do but to listen."""
        if self._said_behind:
            return LOOK_AGAIN_S
        return min(LOOK_AGAIN_S, self._schedule.waiting_s(time.monotonic()))

    def _poller(self) -> zmq.Poller:
        poller = zmq.Poller()
        controllers = (server.socket for server in self._controllers.servers)
        for socket in (*self._cameras.sockets, *controllers, self._image_maker.wake):
            poller.register(socket, zmq.POLLIN)
        return poller

    def _prepared(self) -> bool:
        """Let happen to the camera drivers, once, what happens before the next drop.

        Say whether sockets changed.
        """
        drop_id = self._schedule.next_drop
        if drop_id == self._prepared_for:
            return False
        if self._faults.numbers_again(drop_id):
            self._schedule.count_again()
        self._prepared_for = drop_id
        return self._delivery.prepare(drop_id)

    def _due(self, now_s: float) -> bool:
        """Say whether the next drop starts now; tell who is missing where it cannot."""
        if not (self._cameras.drivers or self._controllers.announcer):
            return False
        missing = self._missing()
        held_up = bool(missing) and self._schedule.due(now_s, True)
        self._waiting.look(now_s, missing if held_up else "")
        return self._schedule.due(now_s, not missing) and not self._behind()

    def _missing(self) -> str:
        """Say whom the first drop waits for; empty where all have joined."""
        cameras = ", ".join(self._cameras.unserved)
        controllers = ", ".join(self._controllers.free)
        words = [
            f"cameras {cameras} to be welcomed at {self._setup.config.links.camera}"
            if cameras
            else "",
            f"an application that says hello to {controllers}" if controllers else "",
        ]
        told = " and for ".join(filter(None, words))
        return f"waits for {told}" if told else ""

    def _behind(self) -> bool:
        """Drops wait while pictures do not keep up; nothing may pile up without a bound."""
        behind = self._image_maker.waiting >= JOBS
        if behind and not self._said_behind:
            self._say("pictures take longer than the interval: drops are left out")
        self._said_behind = behind
        return behind

    def _power_cycle(self) -> bool:
        """Restart the controllers that a fault restarts just before the next drop, once.

        Say whether there were any.
        """
        restarted = self._controllers.power_cycle(self._schedule.next_drop, _new_session)
        if self._controllers.announcer in restarted:
            self._schedule.restarted()
        return bool(restarted)

    def _start_drop(self, now_s: float) -> None:
        if not self._schedule.begun:
            self._say("first drop")
        drop_id = self._schedule.start(now_s, self._controllers.told)
        sequence_type = self._schedule.sequence_type
        truth = self._plant.drop(drop_id, self._controllers.latch(drop_id), sequence_type)
        trigger_time_ns = time.time_ns() + self._faults.clock_ns(drop_id)
        self._truth.add(truth)
        if self._cameras.drivers:
            flaws = self._faults.flaws(drop_id)
            self._image_maker.enqueue(Job(truth.scene, trigger_time_ns, flaws))
        self._announce(drop_id, sequence_type, trigger_time_ns)
        if self._schedule.over:
            self._say(f"all {drop_id} drops are started")

    def _announce(self, drop_id: int, sequence_type: SequenceType, time_ns: int) -> None:
        drop = DropMessage(drop_id=drop_id, sequence_type=sequence_type, planned_time_ns=time_ns)
        self._controllers.announce(drop)

    def _send_prints(self) -> None:
        for one in self._image_maker.ready():
            if one.view not in self._cameras.drivers:
                continue
            header, counts = self._lies.told(self._cameras.header(one), one.counts)
            self._truth.taken(one.drop_id, one.view, header.checksum)
            self._delivery.bring(header, counts.data.cast("B"), time.monotonic())
        if self._image_maker.error is not None:
            raise self._image_maker.error

    def _control(self) -> ControllerGroup:
        """Open every controller of the configuration. Raises `ConfigError` where one is missing."""
        config = self._setup.config
        missing = sorted(self._setup.numbers.controllers - config.controllers.keys())
        if missing:
            raise ConfigError(f"controllers: the simulated station needs {missing}, too")
        servers = {
            name: self._controller(name, one.endpoint)
            for name, one in config.controllers.items()
            if self._setup.has(name)
        }
        group = ControllerGroup(servers, config.announcer, self._plant.nominal)
        if group.announcer is not None:
            group.announcer.on_done = self._schedule.done
            group.announcer.on_left = self._left
            group.announcer.requests.on_sequence = self._schedule.make
        return group

    def _controller(self, name: str, endpoint: str) -> ControllerServer:
        actuators = self._setup.numbers.actuators
        numbers = {key: one for key, one in actuators.items() if one.controller == name}
        bank = ParameterBank(numbers, self._plant.nominal)
        server = ControllerServer(self._security, self._identity(name, endpoint), bank, self._say)
        server.requests.misbehaviour = Misbehaviour(
            self._faults, name, lambda: self._schedule.next_drop - 1
        )
        if self._setup.has(self._setup.config.announcer):
            delay = self._setup.options.delay
            server.requests.next_effective_drop = lambda: self._schedule.next_drop + delay
        server.requests.status = lambda: self._status(server)
        server.commands = self._commands
        return server

    def _identity(self, name: str, endpoint: str) -> ControllerIdentity:
        setup, session = self._setup, self._session
        links = setup.config.links
        return ControllerIdentity(
            setup.name, name, endpoint, session, links.heartbeat_s, links.silent_after_s
        )

    def _status(self, server: ControllerServer) -> dict[str, str | int | float | bool]:
        lease = server.lease.in_words()
        told: dict[str, str | int | float | bool] = {"lease": lease}
        if server.place.controller in self._setup.numbers.locks:
            told["locked"] = server.requests.misbehaviour.locked
        return {"next_drop": self._schedule.next_drop, **told}

    def _camera(self, view: View) -> CameraDriver:
        setup = self._setup
        links = self._setup.config.links
        place = CameraIdentity(
            station=setup.name,
            camera=setup.config.camera(view).name,
            view=view,
            endpoint=links.camera,
            session=f"{self._session}-{view}",
            heartbeat_s=links.heartbeat_s,
            silent_after_s=links.silent_after_s,
        )
        facts = self._image_maker.sensors[view].facts
        driver = CameraDriver(
            self._security, place, facts, FrameBuffer(setup.spool_bytes), self._settled, self._say
        )
        driver.cut = lambda: self._faults.cut(f"camera {view}", self._schedule.next_drop - 1)
        return driver

    def _left(self, identity: bytes) -> None:
        """Take note that the application is gone; what it asked for ends with it."""
        self._schedule.left(identity)
        self._schedule.make("interferometer")

    def _settled(self, drop_id: int, view: View, stored: bool) -> None:
        self._truth.settled(drop_id, view, stored=stored)

    def _close(self) -> None:
        self._image_maker.close()
        self._cameras.close()
        self._controllers.close()
        self._commands.close()
        self._truth.close(self._controllers.banks() if self._setup.options.faults else {})
        self._security.close()


def _new_session() -> str:
    return f"sim-{secrets.token_hex(4)}"
