"""What is kept, in what files, and what can be saved when they are damaged."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import magis_calib
from magis_calib.config.recording import COMPRESSIONS, Recording, Region
from magis_calib.domain.camera import DropAnnouncement
from magis_calib.domain.errors import SessionError
from magis_calib.recording.certificate import certify
from magis_calib.recording.check import check_session
from magis_calib.recording.continuation import SessionLock, earlier, left_unfinished
from magis_calib.recording.reader import Session
from magis_calib.recording.segments.segment import Segment
from magis_calib.recording.writer import SessionWriter, new_session_path
from tests.pictures import SMALL, frame

EXAMPLES = Path(__file__).parent / "examples"


def pictures(drops: int):
    rng = np.random.default_rng(1)
    return [
        frame(rng.integers(0, 60_000, (SMALL.rows, SMALL.columns), np.uint16), view, drop)
        for drop in range(1, drops + 1)
        for view in "xy"
    ]


def recorded(
    path: Path, drops: int = 3, close: bool = True, configuration: str = "{}", **recording
) -> list:
    made = pictures(drops)
    writer = SessionWriter(path, "bottom", configuration, {}, Recording(**recording))
    for view in "xy":
        writer.camera(view, SMALL)
    for one in made:
        if one.header.view == "x":
            writer.announcement(DropAnnouncement(one.header.drop_id, "interferometer", 7))
        writer.frame(one)
        writer.commit()
    if close:
        writer.close({"counters": {}})
    return made


def session_command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "magis_calib", "session", *words],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("schema", ["schema-1"])
def test_sessions_of_every_schema_stay_readable(schema) -> None:
    with Session(EXAMPLES / schema) as session:
        assert [one.drop_id for one in session.records] == [1, 2, 3]
        assert session.table("estimates")["drop_id"].tolist() == [1, 2, 3]
        assert session.frame(2, "y").counts.shape == (32, 48)
    found = check_session(EXAMPLES / schema)
    assert found.whole, found


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_every_compression_gives_back_the_same_pixels(tmp_path, compression) -> None:
    made = recorded(tmp_path / "s", 1, compression=compression)
    with Session(tmp_path / "s") as session:
        for one in made:
            assert np.array_equal(session.frame(1, one.header.view).counts, one.counts)


def test_a_region_is_kept_with_a_checksum_of_its_own(tmp_path) -> None:
    part = Region(rows=(100, 200), columns=(50, 60))
    made = recorded(tmp_path / "s", 2, raw="region", region={"x": part, "y": part})
    with Session(tmp_path / "s") as session:
        assert session.frame(1, "x") is None
        place = session.places[1, "x"]
        assert np.array_equal(
            session.segments[0].counts("x", place.place), made[0].counts[100:200, 50:60]
        )
    assert check_session(tmp_path / "s").whole


def test_without_raw_images_headers_are_kept(tmp_path) -> None:
    made = recorded(tmp_path / "s", 2, raw="none")
    assert sum(one.stat().st_size for one in (tmp_path / "s").iterdir()) < made[0].counts.nbytes
    found = check_session(tmp_path / "s")
    assert found.whole
    assert found.frames_by_checksum["y/2"] == made[3].header.checksum


def test_segments_are_bounded_and_read_as_one(tmp_path) -> None:
    made = recorded(tmp_path / "s", 3, segment_bytes=1_000_000)
    assert len(list((tmp_path / "s").glob("segment-*.h5"))) >= 3
    with Session(tmp_path / "s") as session:
        assert np.array_equal(session.frame(3, "y").counts, made[-1].counts)
        assert not session.restarts
    assert check_session(tmp_path / "s").frames == 6


def test_a_drop_that_nobody_heard_of_is_named(tmp_path) -> None:
    writer = SessionWriter(tmp_path / "s", "bottom", "{}", {}, Recording())
    for one in pictures(3):
        if one.header.drop_id != 2:
            writer.frame(one)
    writer.announcement(DropAnnouncement(5, "interferometer", 7))
    writer.close({"counters": {}})
    assert check_session(tmp_path / "s").gaps == ("x/2", "y/2", "x/4", "y/4", "x/5", "y/5")
    with Session(tmp_path / "s") as session:
        found = certify(session)
    assert (found.announced, found.received, found.stored, found.paired) == (1, 4, 4, 2)
    assert found.without_outcome == (1, 3, 5)


def test_a_session_left_unfinished_is_found_with_what_it_owes(tmp_path) -> None:
    path = new_session_path(tmp_path, "bottom")
    made = recorded(path, 2, close=False)
    found, lock = left_unfinished(tmp_path, "bottom")
    assert found == path
    assert left_unfinished(tmp_path, "bottom") is None, "somebody holds it now"
    lock.release()
    assert left_unfinished(tmp_path, "other") is None
    held = earlier(path)
    assert [drop.drop_id for drop in held.owed] == [1, 2]
    assert held.checksums[2, "y"] == made[3].header.checksum
    assert len(held.frames) == 4
    SessionWriter(path, "bottom", "{}", {}, Recording()).close({"counters": {}})
    assert left_unfinished(tmp_path, "bottom") is None, "it is closed"


def begin_many(path: Path, segments: int) -> None:
    """Begin segment after segment and leave each open: run as a child, it is another process that
    writes.
    """
    for number in range(segments):
        writer = SessionWriter(path, "bottom", "{}", {}, Recording())
        writer.camera("x", SMALL)
        writer.announcement(DropAnnouncement(number, "interferometer", 7))


def test_a_segment_that_bears_its_name_can_be_read_whenever_its_writer_dies(tmp_path) -> None:
    writing = multiprocessing.get_context("spawn").Process(target=begin_many, args=(tmp_path, 60))
    writing.start()
    read: set[Path] = set()
    while writing.is_alive():
        for path in set(tmp_path.glob("segment-*.h5")) - read:
            Segment(path).close()
            read.add(path)
    writing.join()
    assert writing.exitcode == 0
    assert len(read) > 10


def test_what_was_begun_of_a_segment_goes_when_the_next_one_is_begun(tmp_path) -> None:
    (tmp_path / "segment-0001.h5.part").write_bytes(b"left by a killed writer")
    recorded(tmp_path, 1)
    assert [one.name for one in tmp_path.glob("segment-*")] == ["segment-0001.h5"]


def test_the_folder_of_a_run_that_recorded_nothing_is_cleared_away(tmp_path) -> None:
    empty, written = new_session_path(tmp_path, "bottom"), new_session_path(tmp_path, "bottom")
    lock = SessionLock(empty)
    (empty / "segment-0001.h5.part").write_bytes(b"hardly begun")
    SessionLock(written).release()
    (written / "notes.txt").write_text("mine")
    assert left_unfinished(tmp_path, "bottom") is None
    assert empty.exists(), "somebody is about to write it"
    lock.release()
    assert left_unfinished(tmp_path, "bottom") is None
    assert not empty.exists()
    assert written.exists(), "there is something in it"


def test_a_cut_session_is_repaired_and_says_what_is_lost(tmp_path) -> None:
    path = tmp_path / "s"
    made = recorded(path, 4)
    segment = path / "segment-0001.h5"
    os.truncate(segment, segment.stat().st_size // 2)
    assert session_command("check", str(path)).returncode == 1
    said = session_command("repair", str(path))
    assert said.returncode == 1
    assert "frames lost: " in said.stdout
    after = json.loads(session_command("check", "--json", str(path)).stdout)
    assert after["readable"]
    assert not after["checksum_errors"]
    assert 0 < after["frames"] < len(made)
    for name, crc in after["frames_by_checksum"].items():
        view, drop = name.split("/")
        assert crc == next(
            o.header.checksum
            for o in made
            if (o.header.view, o.header.drop_id) == (view, int(drop))
        )
    assert (path / "originals" / "segment-0001.h5").exists()


def test_what_is_no_session_gets_a_verdict(tmp_path) -> None:
    path = tmp_path / "s"
    path.mkdir()
    (path / "segment-0001.h5").write_bytes(b"not HDF5" * 1000)
    assert session_command("check", str(path)).stdout.startswith("not readable: ")
    said = session_command("repair", str(path))
    assert "nothing could be recovered" in said.stdout
    assert (path / "originals" / "segment-0001.h5").read_bytes() == b"not HDF5" * 1000
    assert session_command("certificate", str(tmp_path / "nowhere")).returncode == 2


def test_a_notebook_opens_a_session_by_its_path(tmp_path) -> None:
    made = recorded(tmp_path / "s", 2)
    with magis_calib.open_session(str(tmp_path / "s")) as session:
        assert session.table("frames")["drop_id"].tolist() == [1, 1, 2, 2]
        assert np.array_equal(session.frame(2, "x").counts, made[2].counts)
    (tmp_path / "s" / "segment-0001.h5").write_bytes(b"gone")
    with pytest.raises(SessionError, match="cannot be read"):
        magis_calib.open_session(tmp_path / "s")


def test_a_session_whose_writer_was_killed_and_that_was_cut_is_repaired(tmp_path) -> None:
    written, path = tmp_path / "written", tmp_path / "s"
    made = recorded(written, 6, close=False)
    path.mkdir()
    data = (written / "segment-0001.h5").read_bytes()
    (path / "segment-0001.h5").write_bytes(data[: 2 * len(data) // 3])
    said = session_command("repair", str(path))
    assert said.returncode == 1
    assert "frames lost: " in said.stdout
    found = check_session(path)
    assert found.readable
    assert 4 <= found.frames < 12
    sent = {f"{one.header.view}/{one.header.drop_id}": one.header.checksum for one in made}
    assert found.frames_by_checksum.items() <= sent.items()


def test_a_whole_session_is_left_as_it_is(tmp_path) -> None:
    path = tmp_path / "s"
    recorded(path, 2)
    before = (path / "segment-0001.h5").read_bytes()
    said = session_command("repair", str(path))
    assert said.returncode == 0
    assert "left as it is" in said.stdout
    assert (path / "segment-0001.h5").read_bytes() == before
    lock = SessionLock(path)
    assert "is being written by process" in session_command("repair", str(path)).stderr
    lock.release()
    shutil.rmtree(path)
