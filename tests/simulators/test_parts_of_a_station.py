"""Some of the station is simulated, the rest is left to somebody else; nobody waits in silence."""

from __future__ import annotations

import json

import pytest
import zmq

from simulators import main as simulator
from simulators import waiting

pytestmark = pytest.mark.station

BOTH = frozenset({"laser", "drop_system"})


def test_controllers_alone_announce_drops_and_take_no_pictures(bench, tmp_path):
    bench.station(only=BOTH, truth=tmp_path / "truth.jsonl")
    application = bench.application()
    for drop_id in (1, 2, 3):
        application.until(lambda wanted=drop_id: len(application.drops) >= wanted)
        application.done(drop_id)
    application.until(lambda: len(application.drops) == 4)
    assert application.hellos == {}
    bench.stop_stations()
    lines = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text().splitlines()]
    assert [line["drop_id"] for line in lines[1:]] == [1, 2, 3, 4]
    assert all(line["frames"] == {} for line in lines[1:])


def test_one_camera_alone_is_photographed_with(bench):
    bench.station(only=BOTH | {"LM2"})
    application = bench.application()
    for drop_id in (1, 2):
        application.until(lambda wanted=drop_id: len(application.frames) >= wanted)
        application.done(drop_id)
    assert {hello.camera for hello in application.hellos.values()} == {"LM2"}
    assert {header.view for header, _ in application.frames} == {"y"}


def test_what_is_not_simulated_is_not_listened_for(bench):
    """Somebody else has the laser's address; drops begin without it."""
    somebody = bench.context.socket(zmq.ROUTER)
    somebody.linger = 0
    somebody.bind(bench.endpoints["laser"])
    bench.station(only=frozenset({"drop_system"}))
    application = bench.application()
    application.until(lambda: len(application.drops) == 1)
    somebody.close()


def test_a_laser_alone_hears_of_no_drops(bench):
    bench.station(only=frozenset({"laser"}))
    application = bench.application()
    told = application.ask("laser", "write", setpoints={"mirror_tilt_x_rad": 388e-6})
    assert told.ok
    assert not told.effective_drop
    assert application.drops == []


def test_cameras_alone_go_by_the_interval(bench):
    bench.station(only=frozenset({"LM1", "LM2"}), interval_s=0.05)
    application = bench.application()
    application.until(lambda: application.seen(3))
    assert application.drops == []


def test_it_says_whom_it_waits_for_once_and_again(bench, monkeypatch):
    monkeypatch.setattr(waiting, "GRACE_S", 0.05)
    monkeypatch.setattr(waiting, "AGAIN_S", 0.4)
    bench.endpoints["camera"] = f"{bench.endpoints['camera']}-of-nobody"
    bench.station()
    bench.endpoints["camera"] = bench.endpoints["camera"].removesuffix("-of-nobody")
    application = bench.application()
    cameras = "waits for cameras LM1, LM2 to be welcomed at"
    application.until(lambda: sum(one.startswith(cameras) for one in bench.said) == 2)
    assert application.drops == []


def test_the_same_is_not_said_again_within_a_minute():
    said = []
    waits = waiting.Waiting(said.append)
    for now_s in range(120):
        waits.look(now_s, "waits for X")
    assert said == ["waits for X"] * 2
    waits.look(121.0, "")
    waits.look(122.0, "waits for Y")
    waits.look(122.0 + waiting.GRACE_S, "waits for Y")
    assert said[2:] == ["waits for Y"]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--only=lazer"], "LM1, LM2, drop_system, laser"),
        (["--only=laser,LM3"], "['LM3']"),
        (["--only=,"], "wanted some of"),
        (["--only=LM1,laser", "--interval=0"], "wanted drop_system among the names"),
    ],
)
def test_names_that_are_none_end_it_with_those_there_are(words, named, capsys):
    assert simulator.main(words) == 2
    assert named in capsys.readouterr().err
