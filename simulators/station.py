"""The simulated station: one hidden truth behind two cameras, a laser and a drop system."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import zmq

from magis_calib.auth.sockets import open_lock
from magis_calib.config.station import Station
from magis_calib.domain.camera import VIEWS, FrameHeader, SequenceType, View
from magis_calib.domain.errors import ConfigError
from magis_calib.link.control_messages import DropMessage
from simulators.cameras.buffer import FrameBuffer
from simulators.cameras.delivery import FrameDelivery
from simulators.cameras.driver import CameraDriver, CameraIdentity
from simulators.cameras.exposure import ImageMaker, Job, Print
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
from simulators.instrument.numbers import PlantNumbers
from simulators.options import SimulationOptions
from simulators.plant import Plant
from simulators.truth import TruthFile

SPOOL_BYTES = 400_000_000
JOBS = 8
"""Drops that may wait for their pictures."""
LOOK_AGAIN_S = 0.1
"""How soon a request to stop is noticed."""


@dataclass(frozen=True, slots=True)
class StationSetup:
    """Everything a simulated station is made from."""

    name: str
    config: Station
    options: SimulationOptions
    numbers: PlantNumbers
    drops: int | None = None
    first_drop: int = 1
    spool_bytes: int = SPOOL_BYTES
    keys: Path | None = None
    """Folder of keys; None for that of this user."""


class SimulatedStation:
    """All sockets belong to the thread that calls `run`; pictures are made by another one."""

    def __init__(self, setup: StationSetup, say: Callable[[str], None]) -> None:
        self._setup = setup
        self._say = say
        self._said_behind = False
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
        self._truth = TruthFile(options.truth, self._plant)
        self._image_maker = ImageMaker(
            self._security.context, self._setup.numbers, options.sensor, options.seed
        )
        self._cameras = {view: self._camera(view) for view in VIEWS}
        self._lies = CameraLies(self._faults)
        self._delivery = FrameDelivery(self._faults, self._cameras, self._settled, _new_session)

    def run(self, stopping: Callable[[], bool]) -> None:
        """Serve until told to stop. Raises what went wrong in the image maker."""
        try:
            poller = self._poller()
            peers: list[CameraDriver | ControllerServer] = [
                *self._cameras.values(),
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
                due = self._schedule.due(now_s, self._ready()) and not self._behind()
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
        alive = [camera.socket for camera in self._cameras.values() if not camera.dead]
        controllers = (server.socket for server in self._controllers.servers)
        for socket in (*alive, *controllers, self._image_maker.wake):
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

    def _ready(self) -> bool:
        served = all(camera.welcomed or camera.dead for camera in self._cameras.values())
        return served and self._controllers.leased

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
        holder = self._controllers.announcer.lease.holder
        drop_id = self._schedule.start(now_s, holder.identity if holder else None)
        sequence_type = self._schedule.sequence_type
        truth = self._plant.drop(drop_id, self._controllers.latch(drop_id), sequence_type)
        trigger_time_ns = time.time_ns() + self._faults.clock_ns(drop_id)
        self._truth.add(truth)
        self._image_maker.enqueue(Job(truth.scene, trigger_time_ns, self._faults.flaws(drop_id)))
        self._announce(drop_id, sequence_type, trigger_time_ns)
        if self._schedule.over:
            self._say(f"all {drop_id} drops are started")

    def _announce(self, drop_id: int, sequence_type: SequenceType, time_ns: int) -> None:
        drop = DropMessage(drop_id=drop_id, sequence_type=sequence_type, planned_time_ns=time_ns)
        self._controllers.announcer.tell(drop)

    def _send_prints(self) -> None:
        for one in self._image_maker.ready():
            header, counts = self._lies.told(self._header(one), one.counts)
            self._truth.taken(one.drop_id, one.view, header.checksum)
            self._delivery.bring(header, counts.data.cast("B"), time.monotonic())
        if self._image_maker.error is not None:
            raise self._image_maker.error

    def _header(self, one: Print) -> FrameHeader:
        camera = self._cameras[one.view].place
        rows, columns = one.counts.shape
        numbers = self._setup.numbers.camera
        return FrameHeader(
            station=camera.station,
            camera=camera.camera,
            view=one.view,
            drop_id=one.drop_id,
            sequence_type=one.sequence_type,
            session=camera.session,
            sequence=one.drop_id - self._setup.first_drop,
            trigger_time_ns=one.trigger_time_ns,
            exposure_s=numbers.exposure_s,
            rows=rows,
            columns=columns,
            pixel_format="Mono16",
            bits=numbers.bits,
            alignment="left",
            checksum=one.checksum,
        )

    def _control(self) -> ControllerGroup:
        """Open every controller of the configuration. Raises `ConfigError` where one is missing."""
        config = self._setup.config
        missing = sorted(self._setup.numbers.controllers - config.controllers.keys())
        if missing:
            raise ConfigError(f"controllers: the simulated station needs {missing}, too")
        servers = {
            name: self._controller(name, one.endpoint) for name, one in config.controllers.items()
        }
        group = ControllerGroup(servers, config.announcer)
        group.announcer.on_done = self._schedule.done
        group.announcer.on_left = self._left
        group.announcer.requests.on_sequence = self._schedule.make
        return group

    def _controller(self, name: str, endpoint: str) -> ControllerServer:
        delay = self._setup.options.delay
        actuators = self._setup.numbers.actuators
        numbers = {key: one for key, one in actuators.items() if one.controller == name}
        bank = ParameterBank(numbers, self._plant.nominal)
        server = ControllerServer(self._security, self._identity(name, endpoint), bank, self._say)
        server.requests.misbehaviour = Misbehaviour(
            self._faults, name, lambda: self._schedule.next_drop - 1
        )
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
        for camera in self._cameras.values():
            camera.serve()
            camera.close()
        self._controllers.close()
        self._commands.close()
        self._truth.close(self._controllers.banks() if self._setup.options.faults else {})
        self._security.close()


def _new_session() -> str:
    return f"sim-{secrets.token_hex(4)}"
