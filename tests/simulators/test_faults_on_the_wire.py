"""Faults of frames, camera drivers, networks and clocks, as an application sees them."""

from __future__ import annotations

import time

import numpy as np
import pytest
from test_faults import table
from test_faulty_station import next_drop, post

pytestmark = pytest.mark.station


@pytest.fixture
def faulty(bench, tmp_path):
    """A station with these faults and an application that has joined it.

    `write` puts others into its file.
    """

    def write(*tables: str) -> None:
        (tmp_path / "new.toml").write_text("\n".join(tables))
        (tmp_path / "new.toml").replace(tmp_path / "faults.toml")

    def start(*tables: str, **options):
        write(*tables)
        bench.station(faults=tmp_path / "faults.toml", **options)
        return bench.application()

    start.write = write
    return start


def came(application, view: str) -> list[int]:
    """The drops of a view in the order of their first coming."""
    return list(
        dict.fromkeys(header.drop_id for header, _ in application.frames if header.view == view)
    )


def test_a_duplicated_frame_comes_twice_with_one_sequence_number(faulty):
    application = faulty(table("frame_duplicated", view="x", until_drop=1))
    application.until(lambda: len(application.frames) == 3)
    next_drop(application, 2)
    sequences = [header.sequence for header, _ in application.frames if header.view == "x"]
    assert sequences == [0, 0, 1]
    assert [header.sequence for header, _ in application.frames if header.view == "y"] == [0, 1]


def test_a_late_frame_comes_after_the_next_drop(faulty):
    application = faulty(table("frame_late", view="x", delay_s=0.6, until_drop=1))
    application.until(lambda: came(application, "y") == [1])
    application.done(1)
    application.until(lambda: len(came(application, "x")) == 2)
    assert came(application, "x") == [2, 1]


def test_shuffled_frames_come_in_another_order(faulty):
    application = faulty(table("frames_shuffled", view="y", until_drop=1))
    application.until(lambda: came(application, "x") == [1])
    application.done(1)
    application.until(lambda: len(came(application, "y")) == 2)
    assert came(application, "y") == [2, 1]


@pytest.mark.parametrize(
    ("kind", "code"), [("frame_truncated", "truncated"), ("bit_flipped", "checksum")]
)
def test_a_spoilt_frame_is_as_it_should_be_when_it_is_sent_again(faulty, kind, code):
    application = faulty(table(kind, view="x", until_drop=1))
    application.until(lambda: application.seen(1))
    assert [error.code for error in application.errors] == [code]
    next_drop(application, 2)
    assert len(application.errors) == 1


def test_a_frame_of_a_wrong_shape_never_fits(faulty):
    application = faulty(table("wrong_shape", view="y", until_drop=1))
    application.until(lambda: application.errors and came(application, "x") == [1])
    assert "rows, columns: wanted (128, 192), got (129, 192)" in str(application.errors[0])
    assert came(application, "y") == []


def test_swapped_views_show_each_other(faulty, bench):
    honest = faulty(seed=9)
    honest.until(lambda: honest.seen(1))
    bench.stop_stations()
    honest.close()
    swapped = faulty(table("views_swapped", until_drop=1), seed=9)
    swapped.until(lambda: swapped.seen(1))
    for view, other in (("x", "y"), ("y", "x")):
        assert np.array_equal(swapped.counts(view, 1), honest.counts(other, 1))


def sessions(application, view: str) -> list[str]:
    return list(
        dict.fromkeys(header.session for header, _ in application.frames if header.view == view)
    )


@pytest.mark.parametrize("kind", ["camera_restarts", "camera_new_session"])
def test_a_camera_that_begins_anew_says_hello_with_another_session(faulty, kind):
    application = faulty(table(kind, view="x", from_drop=2))
    application.until(lambda: application.seen(1))
    next_drop(application, 2)
    next_drop(application, 3)
    assert len(sessions(application, "x")) == 2
    assert len(sessions(application, "y")) == 1
    hellos = [hello.session for hello in application.hellos.values() if hello.view == "x"]
    assert sessions(application, "x")[-1] in hellos
    first = next(
        header for header, _ in application.frames if (header.view, header.drop_id) == ("x", 2)
    )
    assert first.session == sessions(application, "x")[-1]


def test_a_dead_camera_sends_nothing_until_it_is_started_again(faulty):
    application = faulty(table("camera_dies", view="x", from_drop=2, until_drop=3))
    application.until(lambda: application.seen(1))
    for drop_id in (1, 2):
        application.done(drop_id)
        application.until(lambda drop_id=drop_id: drop_id + 1 in came(application, "y"))
    next_drop(application, 4)
    assert came(application, "x") == [1, 4]
    assert len(sessions(application, "x")) == 2


def test_a_stuttering_camera_sends_all_of_it_afterwards(faulty):
    application = faulty(table("camera_stutters", view="x", until_drop=2))
    for drop_id in (1, 2):
        application.until(lambda drop_id=drop_id: drop_id in came(application, "y"))
        application.done(drop_id)
    application.until(lambda: len(came(application, "x")) == 3)
    assert sorted(came(application, "x")) == [1, 2, 3]
    assert came(application, "x")[0] == 3


def test_frames_of_a_camera_that_was_cut_off_come_when_it_is_connected_again(faulty):
    application = faulty(table("network_cut", peer="camera x", until_drop=1))
    application.until(lambda: came(application, "y") == [1])
    assert came(application, "x") == []
    application.done(1)
    application.until(lambda: application.seen(1) and application.seen(2))


@pytest.mark.parametrize(
    ("way", "done"), [("both", False), ("from_application", False), ("to_application", True)]
)
def test_a_controller_may_be_cut_off_one_way(faulty, way, done):
    application = faulty(table("network_cut", peer="laser", way=way, from_drop=2, until_drop=2))
    application.until(lambda: application.seen(1))
    assert application.ask("laser", "write", setpoints={"pulse_area": 1.0}).ok
    next_drop(application, 2)
    post(application, "laser", "write", "unheard", setpoints={"pulse_area": 1.01})
    end_s = time.monotonic() + 0.5
    application.until(lambda: time.monotonic() > end_s)
    assert "unheard" not in application.answers
    next_drop(application, 3)
    if done:  # it was heard, and what it answered was not
        application.until(lambda: "unheard" in application.answers)
    assert application.ask("laser", "read").readback["pulse_area"] == pytest.approx(1.01)


@pytest.mark.parametrize("size_s", [60.0, -60.0])
def test_a_stepped_clock_is_in_the_headers_and_in_what_is_too_late(faulty, size_s):
    application = faulty(table("clock_stepped", size_s=size_s, from_drop=2, until_drop=2))
    application.until(lambda: application.seen(1))
    next_drop(application, 2)
    times = {
        header.drop_id: header.trigger_time_ns
        for header, _ in application.frames
        if header.view == "x"
    }
    assert (times[2] - times[1]) * 1e-9 == pytest.approx(size_s, abs=10.0)
    answer = application.ask("laser", "write", setpoints={"pulse_area": 1.0})
    assert answer.ok == (size_s < 0)
    assert answer.ok or answer.error.code == "stale"
    next_drop(application, 3)
    assert application.ask("laser", "write", setpoints={"pulse_area": 1.0}).ok


def test_a_slow_controller_answers_later_what_it_was_asked(faulty):
    application = faulty(table("controller_slow", controller="laser", delay_s=0.4, until_drop=1))
    application.until(lambda: application.seen(1))
    began_s = time.monotonic()
    assert (
        application.ask("laser", "write", setpoints={"pulse_area": 1.01}).readback["pulse_area"]
        == 1.01
    )
    assert time.monotonic() - began_s >= 0.4


def test_a_controller_may_describe_another_unit_after_a_power_cycle(faulty):
    changed = table("unit_changed", name="trap_x_m", unit="mm", from_drop=2, until_drop=2)
    application = faulty(changed)
    application.until(lambda: application.seen(1))
    assert application.ask("drop_system", "describe").parameters["trap_x_m"].unit == "m"
    next_drop(application, 2)
    found = application.ask("drop_system", "describe").parameters
    assert (found["trap_x_m"].unit, found["trap_y_m"].unit) == ("mm", "m")


def test_restarted_with_other_setpoints(faulty, numbers):
    text = (
        table("controller_restart", controller="drop_system", from_drop=2)
        + "setpoints = { trap_x_m = 2e-5 }\n"
    )
    application = faulty(text)
    application.until(lambda: application.seen(1))
    next_drop(application, 2)
    found = application.ask("drop_system", "read", number=0).readback
    assert found["trap_x_m"] == 2e-5
    assert found["trap_y_m"] == numbers.actuators["trap_y_m"].nominal


def test_a_file_is_followed_while_the_station_runs(faulty, bench):
    application = faulty()
    application.until(lambda: application.seen(1))
    faulty.write(table("frame_lost", view="x", from_drop=3, until_drop=3))
    application.until(lambda: any("1 faults from now on" in line for line in bench.said))
    next_drop(application, 2)
    application.done(2)
    application.until(lambda: 3 in came(application, "y"))
    next_drop(application, 4)
    assert came(application, "x") == [1, 2, 4]
    faulty.write("nonsense")
    application.until(lambda: any("faults stay as they were" in line for line in bench.said))
    next_drop(application, 5)
