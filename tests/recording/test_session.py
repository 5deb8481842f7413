from __future__ import annotations

import os
import signal
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pytest

from magis_calib.config.recording import Recording
from magis_calib.domain.control import Decision
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import SessionError
from magis_calib.domain.serial import record_from_json, to_json
from magis_calib.estimation.station import combine
from magis_calib.estimation.view import estimate_view
from magis_calib.recording.reader import Session
from magis_calib.recording.writer import SessionWriter, new_session_path
from tests.pictures import SMALL, Scene, frame, pair

assert hdf5plugin.Bitshuffle


@pytest.fixture(scope="module")
def drops():
    """Three drops with their fits."""
    from magis_calib.config.loading import load_config, select_station

    station = select_station(load_config(None), None)[1]
    made = []
    for drop in (1, 2, 3):
        frames = pair(
            np.random.default_rng(drop), Scene(contrast=0.7 if drop < 3 else 0.0), drop
        ).frames
        estimate = combine(
            {view: estimate_view(one, station.camera(view)) for view, one in frames.items()}
        )
        decision = Decision(drop, 5, "held", "a test", effective_drop=None)
        in_force = {"trap_x_m": 0.1 + 0.2, "mirror_tilt_x_rad": 388.27e-6}
        made.append(
            (
                DropRecord(drop, drop, "interferometer", True, estimate, decision, in_force, {}),
                frames,
            )
        )
    return made


def write(path: Path, drops) -> None:
    writer = SessionWriter(path, "bottom", '{"some": "configuration"}', {"seed": 7}, Recording())
    for view in ("x", "y"):
        writer.camera(view, SMALL)
    for record, frames in drops:
        for one in frames.values():
            writer.frame(one)
        writer.record(record)
    writer.close({"stopped": True})


def test_what_was_written_is_read_back_to_the_last_bit(tmp_path, drops) -> None:
    path = new_session_path(tmp_path, "bottom")
    write(path, drops)
    with Session(path) as session:
        assert session.configuration == '{"some": "configuration"}'
        assert session.attribute("seed") == 7
        for (record, frames), (again, frames_again) in zip(drops, session.drops(), strict=True):
            assert to_json(again) == to_json(record)
            assert np.array_equal(
                again.estimate.covariance, record.estimate.covariance, equal_nan=True
            )
            for view, one in frames.items():
                assert np.array_equal(frames_again[view].counts, one.counts)
                assert frames_again[view].header == one.header
                assert frames_again[view].facts == one.facts
                assert (
                    f"{zlib.crc32(frames_again[view].counts.tobytes()):08x}" == one.header.checksum
                )
    assert (path / "final.json").exists()


def test_a_record_without_numbers_keeps_its_gaps(drops) -> None:
    record = drops[2][0]
    assert np.isnan(record.estimate.values["phase_rad"])
    assert "NaN" not in to_json(record)
    assert np.isnan(record_from_json(to_json(record)).estimate.values["phase_rad"])


def test_tables_are_numbers_for_whoever_reads_without_this_program(tmp_path, drops) -> None:
    path = new_session_path(tmp_path, "bottom")
    write(path, drops)
    with h5py.File(path / "segment-0001.h5", "r") as file:
        table = file["entry/estimates"]
        names = list(table.attrs["names"])
        assert table["drop_id"].tolist() == [1, 2, 3]
        for row, (record, _) in zip(table[:], drops, strict=True):
            assert row["values"][names.index("x_m")] == record.estimate.values["x_m"]
        places = list(file["entry/decisions"].attrs["names"])
        assert file["entry/decisions"]["in_force"][0][places.index("trap_x_m")] == 0.1 + 0.2


def test_the_default_plot_leads_to_the_images_by_the_nexus_rules(tmp_path, drops) -> None:
    path = new_session_path(tmp_path, "bottom")
    write(path, drops)
    with h5py.File(path / "segment-0001.h5", "r") as file:
        entry = file[file.attrs["default"]]
        data = entry[entry.attrs["default"]]
        assert [entry.attrs["NX_class"], data.attrs["NX_class"]] == ["NXentry", "NXdata"]
        signal = data[data.attrs["signal"]]
        assert signal.shape == (3, SMALL.rows, SMALL.columns)
        for axis, size in zip(data.attrs["axes"][1:], signal.shape[1:], strict=True):
            assert data[axis].shape == (size,)
            assert data[axis].attrs["units"] == "µm"


def test_a_camera_that_changes_what_it_sends_begins_a_segment(tmp_path, drops) -> None:
    path = new_session_path(tmp_path, "bottom")
    writer = SessionWriter(path, "bottom", "{}", {}, Recording())
    smaller = replace(SMALL, rows=4, columns=6)
    for drop, facts in ((1, SMALL), (2, smaller), (3, smaller)):
        counts = np.full((facts.rows, facts.columns), drop, np.uint16)
        writer.frame(frame(counts, "x", drop, facts))
    writer.close()
    with Session(path) as session:
        assert session.frames == [(1, "x"), (2, "x"), (3, "x")]
        assert session.frame(3, "x").counts.tolist() == np.full((4, 6), 3).tolist()
        assert session.frame(3, "x").facts == smaller
        assert session.frame(1, "y") is None
    assert len(list(path.glob("segment-*.h5"))) == 2


def test_a_remark_replaces_the_record_of_its_drop(tmp_path, drops) -> None:
    path = new_session_path(tmp_path, "bottom")
    write(path, [*drops, (replace(drops[0][0], note="laser unlocked"), {})])
    with Session(path) as session:
        assert [(one.drop_id, one.note) for one in session.records] == [
            (1, "laser unlocked"),
            (2, ""),
            (3, ""),
        ]


KILLED = """
import sys, numpy as np
from pathlib import Path
from magis_calib.config.recording import Recording
from magis_calib.recording.writer import SessionWriter
from tests.pictures import SMALL, frame
from dataclasses import replace
facts = replace(SMALL, rows=64, columns=96)
writer = SessionWriter(Path(sys.argv[1]), "bottom", "{}", {}, Recording())
rng = np.random.default_rng(1)
for drop in range(1, 100000):
    for view in ("x", "y"):
        writer.frame(frame(rng.integers(0, 65536, (64, 96), np.uint16), view, drop, facts))
    writer.commit()
    for view in ("x", "y"):
        print(drop, view, flush=True)
"""


def test_a_killed_writer_loses_nothing_that_it_said_was_written(tmp_path) -> None:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    for attempt in range(4):
        path = tmp_path / f"session-{attempt}"
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(path)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        said = [process.stdout.readline().split() for _ in range(20 + 37 * attempt)]
        process.send_signal(signal.SIGKILL)
        said += [
            line.split() for line in process.stdout.read().splitlines() if len(line.split()) == 2
        ]
        process.wait()
        process.stdout.close()
        with Session(path) as session:
            found = set(session.frames)
            assert {(int(drop), view) for drop, view in said} <= found
            for drop, view in found:
                one = session.frame(drop, view)
                assert f"{zlib.crc32(one.counts.tobytes()):08x}" == one.header.checksum


def test_a_run_without_anything_to_record_leaves_no_folder(tmp_path) -> None:
    SessionWriter(tmp_path / "sessions" / "one", "bottom", "{}", {}, Recording()).close(
        {"stopped": True}
    )
    assert list((tmp_path / "sessions").iterdir()) == []


def test_what_is_not_a_session_is_said_to_be_none(tmp_path) -> None:
    with pytest.raises(SessionError, match="no folder"):
        Session(tmp_path / "nowhere")
    with pytest.raises(SessionError, match="no segment"):
        Session(tmp_path)
    (tmp_path / "segment-0001.h5").write_bytes(b"not HDF5 at all")
    with pytest.raises(SessionError, match=r"segment-0001\.h5: cannot be read"):
        Session(tmp_path)


def test_a_session_can_be_read_while_it_is_written(tmp_path, drops) -> None:
    path = new_session_path(tmp_path, "bottom")
    writer = SessionWriter(path, "bottom", "{}", {}, Recording())
    record, frames = drops[0]
    for one in frames.values():
        writer.frame(one)
    writer.record(record)
    writer.commit()
    reader = (
        "import sys; from pathlib import Path; from magis_calib.recording.reader import Session\n"
        "s = Session(Path(sys.argv[1])); print(len(s.frames), s.records[0].drop_id)"
    )
    said = subprocess.run(
        [sys.executable, "-c", reader, str(path)], capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["2", "1"]
    writer.close()
