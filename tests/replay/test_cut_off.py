"""A replay that is stopped between the two frames of a drop."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from magis_calib.config.loading import load_config, select_station
from magis_calib.domain.camera import Frame, IncompleteDrop
from magis_calib.domain.devices import SourceEnded
from magis_calib.link.bounded_queue import BoundedQueue
from magis_calib.link.pairing import Pairing
from magis_calib.replay.recorded_actuators import RecordedActuators
from magis_calib.run.components import Components
from magis_calib.run.receiver import Receiver, Work
from tests.pictures import Scene, pair


class Played:
    """A recording of which these events are left."""

    def __init__(self, *events: object) -> None:
        self._events: Iterator[object] = iter(events)

    def receive(self, timeout_s: float) -> object:
        return next(self._events, None)


@pytest.fixture
def frames() -> dict[str, Frame]:
    return dict(pair(np.random.default_rng(1), Scene(), 1).frames)


def left(work: BoundedQueue[Work]) -> list[Work]:
    found = []
    while not work.drained:
        if (item := work.get(0.0)) is not None:
            found.append(item)
    return found


def played(*events: object) -> list[Work]:
    work: BoundedQueue[Work] = BoundedQueue(10**9)
    station = select_station(load_config(None), None)[1]
    nobody = RecordedActuators([], station)
    components = Components("bottom", station, Played(*events), nobody, lambda: (), mode="replay")
    receiver = Receiver(components, Pairing(5.0), work, None)
    for _ in events:
        receiver.step(0.0)
    receiver.finish()
    return left(work)


def test_a_replay_that_is_cut_off_says_nothing_of_the_drop_it_was_at(frames) -> None:
    assert played(frames["x"]) == []


def test_a_frame_that_lacks_its_other_view_in_the_recording_is_an_incomplete_drop(frames) -> None:
    (drop,) = played(frames["x"], SourceEnded())
    assert isinstance(drop, IncompleteDrop)
    assert drop.drop_id == 1
