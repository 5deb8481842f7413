"""The thread that turns drops into frames, so that the wire stays answered meanwhile."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

import zmq

from magis_calib.domain.camera import VIEWS, Counts, SequenceType, View
from magis_calib.link.wire import checksum
from simulators.faults.active import FLAWLESS, Flaws
from simulators.instrument.atoms import Atoms, bounds_of, draw_atoms
from simulators.instrument.numbers import CloudNumbers, PlantNumbers
from simulators.instrument.optics import Bounds, Positions
from simulators.instrument.scene import Scene
from simulators.instrument.sensor import Sensor

WAKE = "inproc://images"
OTHER: Mapping[View, View] = {"x": "y", "y": "x"}
SECOND_CLOUD_M = 0.006
"""How far to the right a second cloud is seen."""


@dataclass(frozen=True, slots=True)
class Job:
    """A drop to be photographed."""

    scene: Scene
    trigger_time_ns: int
    flaws: Flaws = FLAWLESS


@dataclass(frozen=True, slots=True, eq=False)
class Print:
    """One view of a drop, ready to be sent."""

    drop_id: int
    view: View
    trigger_time_ns: int
    counts: Counts
    checksum: str
    sequence_type: SequenceType


def develop(
    job: Job, sensors: Mapping[View, Sensor], cloud: CloudNumbers, seed: int
) -> list[Print]:
    """Return both views of a drop."""
    scene = replace(job.scene, contrast=0.0) if job.flaws.no_fringe else job.scene
    atoms = _atoms(scene, job.flaws, cloud, seed)
    prints = []
    for view in VIEWS:
        bounds = _bounds(scene, job.flaws, cloud, view)
        dark = job.flaws.dark or view in job.flaws.dark_views
        places = None if dark else atoms.seen_by(view, scene, seed)
        counts = _exposed(sensors[view], scene.drop_id, places, bounds, job.flaws)
        crc = checksum(counts.data)
        name = OTHER[view] if job.flaws.swapped else view
        prints.append(
            Print(scene.drop_id, name, job.trigger_time_ns, counts, crc, scene.sequence_type)
        )
    return prints


def _atoms(scene: Scene, flaws: Flaws, cloud: CloudNumbers, seed: int) -> Atoms:
    atoms = draw_atoms(scene, cloud, seed, flaws.atoms_fraction)
    if flaws.two_clouds:
        for places in (atoms.x, atoms.y):
            places[::2] += SECOND_CLOUD_M
    return atoms


def _bounds(scene: Scene, flaws: Flaws, cloud: CloudNumbers, view: View) -> Bounds:
    left, right, low, high = bounds_of(scene, cloud, view)
    return (left, right + (SECOND_CLOUD_M if flaws.two_clouds else 0.0), low, high)


def _exposed(
    sensor: Sensor,
    drop_id: int,
    places: tuple[Positions, Positions] | None,
    bounds: Bounds,
    flaws: Flaws,
) -> Counts:
    """Return the counts of atoms at these places; None: no light at all."""
    if places is None:
        counts = sensor.without_light(drop_id)
    else:
        counts = sensor.expose(drop_id, *places, bounds)
    if flaws.saturated:
        sensor.saturate(counts, bounds)
    if flaws.half_exposed:
        lower = len(counts) // 2
        counts[lower:] = sensor.without_light(drop_id)[lower:]
    return counts


class ImageMaker:
    """Takes jobs, gives prints. `wake` becomes readable when prints are ready."""

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], numbers: PlantNumbers, sensor: str, seed: int
    ) -> None:
        size = numbers.sensors[sensor]
        self.sensors = {view: Sensor(numbers.camera, size, view, seed) for view in VIEWS}
        self.wake = context.socket(zmq.PULL)
        self.wake.bind(WAKE)
        self.error: BaseException | None = None
        self._context = context
        self._cloud = numbers.cloud
        self._seed = seed
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._prints: queue.SimpleQueue[Print] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="images")
        self._thread.start()

    def enqueue(self, job: Job) -> None:
        """Photograph this drop as soon as possible."""
        self._jobs.put(job)

    @property
    def waiting(self) -> int:
        """How many drops wait for their pictures."""
        return self._jobs.qsize()

    def ready(self) -> list[Print]:
        """Return the prints made since the last call."""
        while self.wake.poll(0):
            self.wake.recv()
        prints = []
        while not self._prints.empty():
            prints.append(self._prints.get())
        return prints

    def close(self) -> None:
        """Finish the job at hand, forget the others, end the thread."""
        while not self._jobs.empty():
            self._jobs.get()
        self._jobs.put(None)
        self._thread.join()
        self.wake.close()

    def _work(self) -> None:
        bell = self._context.socket(zmq.PUSH)
        bell.setsockopt(zmq.LINGER, 0)
        bell.connect(WAKE)
        try:
            while (job := self._jobs.get()) is not None:
                for one in develop(job, self.sensors, self._cloud, self._seed):
                    self._prints.put(one)
                bell.send(b"")
        except Exception as error:  # noqa: BLE001 - top of a thread
            self.error = error
            bell.send(b"")
        finally:
            bell.close()
