"""Files of a session that somebody else touches, and files of somebody else in its folder."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from magis_calib.config.recording import Recording
from magis_calib.domain.camera import DropAnnouncement
from magis_calib.domain.control import Decision
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.estimate import unusable_station
from magis_calib.recording.certificate import certify
from magis_calib.recording.check import check_session
from magis_calib.recording.continuation import left_unfinished
from magis_calib.recording.reader import Session
from magis_calib.recording.recorder import CameraNews, Recorder
from magis_calib.recording.writer import SessionWriter, new_session_path
from magis_calib.run.alarms import recording_troubles
from tests.pictures import SMALL, frame
from tests.recording.test_durable import recorded, session_command

SEGMENT = "segment-0001.h5"


class Bench:
    """A recorder with drivers that remember what they were told."""

    def __init__(self, parent: Path, **recording: object) -> None:
        self.parent = parent
        self.stored: list[str] = []
        self.refused: dict[str, str] = {}
        self.recorder = Recorder(
            lambda: SessionWriter(
                new_session_path(parent, "bottom"), "bottom", "{}", {}, Recording(**recording)
            ),
            lambda one: self.stored.append(f"{one.header.view}/{one.header.drop_id}"),
            lambda one, reason: self.refused.update({_name(one): reason}),
            lambda one, error: self.refused.update({_name(one): error.code}),
        )
        for view in "xy":
            self.recorder.take(CameraNews(view, SMALL))

    @property
    def path(self) -> Path:
        return Path(self.recorder.path)

    def drop(self, number: int, seed: int | None = None) -> None:
        rng = np.random.default_rng(number if seed is None else seed)
        self.recorder.take(DropAnnouncement(number, "interferometer", 7))
        for view in "xy":
            counts = rng.integers(0, 60_000, (SMALL.rows, SMALL.columns), np.uint16)
            self.recorder.take(frame(counts, view, number))
        self.recorder.settle()

    def alarms(self) -> str:
        troubles = recording_troubles(self.recorder.state, 0.0)
        assert all(one.severity == "act" for one in troubles.values())
        return "; ".join(one.text for one in troubles.values())


def _name(one) -> str:
    return f"{one.header.view}/{one.header.drop_id}"


def cut(path: Path) -> None:
    os.truncate(path, 5000)


def replace(path: Path) -> None:
    other = path.with_name("other")
    shutil.copy(path, other)
    os.replace(other, path)


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(6000)
        file.write(b"scribble")


TOUCHES: dict[str, Callable[[Path], object]] = {
    "was deleted": Path.unlink,
    "was moved to": lambda path: path.rename(path.parent.parent / "elsewhere.h5"),
    "was replaced by another file": replace,
    "was cut from": cut,
    "was written to by somebody else": overwrite,
}


@pytest.mark.parametrize("words", TOUCHES)
def test_what_happens_to_the_open_segment_is_seen_within_a_drop(tmp_path, words) -> None:
    bench = Bench(tmp_path)
    for number in (1, 2):
        bench.drop(number)
    path = bench.path
    TOUCHES[words](path / SEGMENT)
    bench.drop(3)
    assert words in bench.alarms()
    assert "4 frames were told to be stored in it: x/1 to x/2, y/1 to y/2" in bench.alarms()
    bench.drop(4)
    told = bench.stored[4:]
    assert {"x/4", "y/4"} <= set(told)
    bench.recorder.close({"counters": {}})
    assert words in bench.alarms(), "it stands to the end"
    assert words in (path / "final.json").read_text()
    if words in ("was deleted", "was moved to"):
        found = check_session(path)
        assert found.missing_segments == (SEGMENT,)
        assert set(told) <= set(found.frames_by_checksum)
        assert session_command("check", str(path)).returncode == 1


@pytest.mark.parametrize("words", ["is not there any more", "was cut from"])
def test_a_segment_that_was_closed_before_is_watched_too(tmp_path, words) -> None:
    bench = Bench(tmp_path, segment_bytes=1_000_000)
    for number in (1, 2, 3):
        bench.drop(number)
    (Path.unlink if words.startswith("is") else cut)(bench.path / SEGMENT)
    bench.drop(4)
    assert f"{SEGMENT} {words}" in bench.alarms()
    assert {"x/4", "y/4"} <= set(bench.stored)
    bench.recorder.close({"counters": {}})
    assert not check_session(bench.path).whole


@pytest.mark.parametrize("gone", ["deleted", "renamed"])
def test_a_session_whose_folder_is_gone_goes_on_in_another(tmp_path, gone) -> None:
    bench = Bench(tmp_path / "sessions")
    bench.drop(1)
    first = bench.path
    shutil.rmtree(first) if gone == "deleted" else first.rename(tmp_path / "archive")
    for number in (2, 3):
        bench.drop(number)
    assert bench.path != first
    assert "was moved or deleted; 2 frames were told to be stored in it" in bench.alarms()
    bench.recorder.close({"counters": {}})
    assert "was moved or deleted" in bench.alarms()
    assert not first.exists()
    found = check_session(bench.path)
    assert set(found.frames_by_checksum) == set(bench.stored) - {"x/1", "y/1"}


def test_a_clean_stop_deletes_nothing_that_it_did_not_make(tmp_path) -> None:
    bench = Bench(tmp_path)
    bench.drop(1)
    path = bench.path
    (path / "archive").mkdir()
    (path / "notes.txt").write_text("mine")
    (path / SEGMENT).rename(path / "archive" / SEGMENT)
    bench.recorder.close({"counters": {}})
    assert "was moved to" in bench.alarms()
    assert (path / "archive" / SEGMENT).exists()
    assert (path / "notes.txt").read_text() == "mine"


def test_a_run_that_recorded_nothing_leaves_what_others_put_into_its_folder(tmp_path) -> None:
    writer = SessionWriter(tmp_path / "s", "bottom", "{}", {}, Recording())
    (tmp_path / "s" / "film.mkv.part").write_text("mine")
    writer.close({"counters": {}})
    assert [one.name for one in (tmp_path / "s").iterdir()] == ["film.mkv.part"]


def test_a_start_clears_away_only_what_a_run_left(tmp_path) -> None:
    mine, empty, link = (new_session_path(tmp_path, "bottom") for _ in range(3))
    for one in (mine, empty):
        one.mkdir()
        (one / "lock").write_text("")
        (one / "segment-0001.h5.part").write_text("begun")
    (mine / "film.mkv.part").write_text("mine")
    link.symlink_to(mine)
    other = tmp_path / "bottom_shelf_bottom_things"
    other.mkdir()
    assert left_unfinished(tmp_path, "bottom") is None
    assert not empty.exists()
    assert (mine / "film.mkv.part").exists()
    assert link.is_symlink()
    assert other.is_dir()


def test_a_session_is_gone_on_with_by_what_stands_in_it(tmp_path) -> None:
    mine, others = new_session_path(tmp_path, "bottom"), new_session_path(tmp_path, "east_bottom")
    recorded(mine, 1, close=False)
    shutil.copytree(mine, tmp_path / "backup_bottom_monday")
    shutil.copytree(mine, tmp_path / "20991231T000000Z_bottom_c0b1e5")
    _recorded_by("east_bottom", others)
    path, lock = left_unfinished(tmp_path, "bottom")
    lock.release()
    assert path == mine
    path, lock = left_unfinished(tmp_path, "east_bottom")
    lock.release()
    assert path == others


def _recorded_by(station: str, path: Path) -> None:
    writer = SessionWriter(path, station, "{}", {}, Recording())
    writer.announcement(DropAnnouncement(1, "interferometer", 7))
    writer.commit()


def test_a_copy_that_a_file_manager_made_is_left_out_and_said(tmp_path) -> None:
    path = tmp_path / "s"
    recorded(path, 2)
    for name in ("segment-0001 (copy).h5", "segment-1.h5"):
        shutil.copy(path / SEGMENT, path / name)
    said = session_command("check", str(path))
    assert said.returncode == 0
    assert "left out, not of this session: segment-0001 (copy).h5, segment-1.h5" in said.stdout
    recorded(path, 1)
    assert (path / "segment-0002.h5").exists()


def test_the_newest_segments_are_missed(tmp_path) -> None:
    path = tmp_path / "s"
    recorded(path, 4, segment_bytes=1_000_000)
    last = max(path.glob("segment-*.h5"))
    last.unlink()
    said = session_command("check", str(path))
    assert said.returncode == 1
    assert f"missing: {last.name}" in said.stdout
    assert session_command("certificate", str(path)).returncode == 1
    (path / "session.json").unlink()
    assert "session.json is not there" in session_command("check", str(path)).stdout


def test_the_number_of_a_segment_never_comes_again(tmp_path) -> None:
    path = tmp_path / "s"
    recorded(path, 1)
    (path / SEGMENT).unlink()
    recorded(path, 1)
    assert (path / "segment-0002.h5").exists()
    assert check_session(path).missing_segments == (SEGMENT,)


def test_what_was_stored_is_there_for_ever_under_its_number(tmp_path) -> None:
    bench = Bench(tmp_path)
    for number in (1, 2, 3):
        bench.drop(number)
    first = check_session(bench.path).frames_by_checksum
    bench.drop(2, seed=99)
    assert bench.refused == {"x/2": "conflict", "y/2": "conflict"}
    bench.drop(1)
    bench.recorder.close({"counters": {}})
    assert bench.stored.count("x/1") == 2, "told again"
    assert (bench.recorder.state.stored, bench.recorder.state.refused) == (6, 2)
    assert bench.recorder.state.duplicate == 2
    assert check_session(bench.path).frames_by_checksum == first


@pytest.mark.parametrize("letter", ["a", "µ", '"', "\n"])
def test_a_remark_that_does_not_fit_is_cut_with_a_mark(tmp_path, letter) -> None:
    bench = Bench(tmp_path)
    bench.drop(1)
    decision = Decision(1, 5, "held", "a test", effective_drop=None)
    record = DropRecord(
        1, 1, "interferometer", True, unusable_station(1, "a test"), decision, {}, {}
    )
    bench.recorder.take(dataclasses.replace(record, note=70_000 * letter))
    bench.recorder.close({"counters": {}})
    with Session(bench.path) as session:
        note = session.records[0].note
    assert note.startswith(500 * letter)
    assert note.endswith(" … (cut: 70000 letters)")
    assert check_session(bench.path).whole


def test_the_counts_of_a_certificate_add_up(tmp_path) -> None:
    bench = Bench(tmp_path)
    for number in (1, 2, 3):
        bench.drop(number)
    bench.drop(2, seed=99)
    bench.drop(1)
    state = bench.recorder.state
    counters = {"duplicate": state.duplicate, "malformed": {"conflict": state.refused}}
    bench.recorder.close({"counters": counters})
    with Session(bench.path) as session:
        found = certify(session)
    assert (found.stored, found.refused, found.duplicate, found.received) == (6, 2, 2, 10)
    assert found.sent == found.received + found.lost


def test_a_driver_that_was_restarted_has_not_lost_what_it_sent(tmp_path) -> None:
    writer = SessionWriter(tmp_path / "s", "bottom", "{}", {}, Recording())
    for drop, (driver, sequence) in enumerate(
        [("one", 0), ("one", 1), ("two", 0), ("two", 1), ("two", 3)], 1
    ):
        one = frame(np.zeros((SMALL.rows, SMALL.columns), np.uint16), "x", drop)
        header = dataclasses.replace(one.header, session=driver, sequence=sequence)
        writer.frame(dataclasses.replace(one, header=header))
    writer.close({"counters": {}})
    with Session(tmp_path / "s") as session:
        found = certify(session)
    assert (found.sent, found.received, found.stored, found.lost) == (6, 5, 5, 1)
