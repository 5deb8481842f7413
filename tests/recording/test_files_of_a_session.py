"""What leaves a session for other programs, and what is removed of old ones."""

from __future__ import annotations

import csv
import json
import os
import time
from pathlib import Path

import numpy as np
import pandas
import pytest
from PIL import Image

import magis_calib
from magis_calib.cli.main import main
from magis_calib.domain.errors import SessionError
from magis_calib.domain.serial import to_json
from magis_calib.recording.check import check_session
from magis_calib.recording.reader import Session
from magis_calib.recording.recall import recall
from tests.recording.test_durable import recorded
from tests.recording.test_session import drops, write

__all__ = ["drops"]
DAY_S = 86_400.0


@pytest.fixture
def session(tmp_path, drops) -> Path:
    """Three drops: two with a fringe, one without."""
    path = tmp_path / "sessions" / "20261120T000000Z_bottom_abcdef"
    path.parent.mkdir()
    write(path, drops)
    return path


def table(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as open_file:
        return list(csv.DictReader(open_file))


def aged(path: Path, days: float) -> None:
    for one in path.glob("segment-*.h5"):
        os.utime(one, (time.time() - days * DAY_S,) * 2)


def test_tables_leave_as_csv_to_the_last_bit(session, drops, tmp_path, capsys) -> None:
    assert main(["session", "export", str(session), "--to", str(tmp_path / "out")]) == 0
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == [
        "announcements.csv",
        "decisions.csv",
        "estimates.csv",
        "frames.csv",
    ]
    rows = table(tmp_path / "out" / "estimates.csv")
    for row, (record, _) in zip(rows, drops, strict=True):
        assert int(row["drop_id"]) == record.drop_id
        for name, value in record.estimate.values.items():
            assert row[name] == ("" if np.isnan(value) else repr(value))
        covariance = record.estimate.covariance[0, 2]
        assert row["x_m_cov_z_m"] == ("" if np.isnan(covariance) else repr(float(covariance)))
    decided = table(tmp_path / "out" / "decisions.csv")
    assert [row["outcome"] for row in decided] == ["held"] * 3
    assert decided[0]["trap_x_m_in_force"] == repr(0.1 + 0.2)
    assert main(["session", "export", str(session), "--to", str(tmp_path / "out")]) == 2
    assert "wanted a new or empty folder" in capsys.readouterr().err


def test_images_leave_as_tiff_with_their_headers(session, drops, tmp_path) -> None:
    words = ["--images", "2-3", "--view", "y", "--tables", "frames"]
    assert main(["session", "export", str(session), "--to", str(tmp_path / "out"), *words]) == 0
    assert sorted(one.name for one in (tmp_path / "out").glob("*.tif")) == [
        "drop-000002-y.tif",
        "drop-000003-y.tif",
    ]
    with Image.open(tmp_path / "out" / "drop-000002-y.tif") as image:
        assert np.array_equal(np.array(image), drops[1][1]["y"].counts)
        told = json.loads(image.tag_v2[270])
    assert told["header"]["checksum"] == drops[1][1]["y"].header.checksum
    assert told["facts"]["object_pixel_m"] == drops[1][1]["y"].facts.object_pixel_m


def test_parquet_and_pandas_and_xarray_have_the_same_numbers(session, drops, tmp_path) -> None:
    words = ["--format", "parquet", "--tables", "estimates"]
    assert main(["session", "export", str(session), "--to", str(tmp_path / "out"), *words]) == 0
    stored = pandas.read_parquet(tmp_path / "out" / "estimates.parquet")
    with magis_calib.open_session(session) as opened:
        frame, labelled = opened.dataframe("estimates"), opened.dataset()
    pandas.testing.assert_frame_equal(stored, frame)
    wanted = [record.estimate.values["z_m"] for record, _ in drops]
    assert frame.loc[[1, 2, 3], "z_m"].tolist() == pytest.approx(wanted, rel=0, nan_ok=True)
    assert labelled["values"].sel(
        drop_id=[1, 2, 3], quantity="z_m"
    ).values.tolist() == pytest.approx(wanted, rel=0, nan_ok=True)
    assert float(labelled["in_force"].sel(drop_id=1, actuator="trap_x_m")) == 0.1 + 0.2


def test_show_says_what_a_session_is(session, capsys) -> None:
    text = '{"stations": {"bottom": {"loop": {"matrix": "nominal"}}}}'
    told = main(["session", "show", str(session)])
    assert told == 2, "its configuration names no matrix"
    capsys.readouterr()
    path = session.parent / "other"
    recorded(path, 2, configuration=text)
    assert main(["session", "show", str(path)]) == 0
    said = capsys.readouterr().out
    assert "frames: 4 sent, 4 received, 4 stored" in said
    assert "matrix in force: nominal" in said
    assert " MB, 0.0 days old" in said


def test_only_old_closed_sessions_are_pruned_and_only_on_a_yes(session, drops, capsys) -> None:
    new, left = (
        session.parent / "20261125T000000Z_bottom_new",
        session.parent / "20261101T000000Z_bottom_left",
    )
    recorded(new, 1)
    recorded(left, 1, close=False)
    aged(session, 40.0)
    aged(left, 40.0)
    size = (session / "segment-0001.h5").stat().st_size
    words = ["session", "prune", str(session.parent), "--older-than", "30"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert f"{session.name}  40.0 days old  " in said
    assert "dry run: " in said
    assert f"{left.name}  40.0 days old  left alone: not closed" in said
    assert new.name not in said
    assert (session / "segment-0001.h5").stat().st_size == size
    assert main([*words, "--yes"]) == 0
    assert (session / "segment-0001.h5").stat().st_size < size / 3
    with Session(session) as opened:
        assert opened.frame(1, "x") is None
        assert [one.drop_id for one in opened.records] == [1, 2, 3]
        assert opened.records[0].estimate.values == drops[0][0].estimate.values
        assert opened.attribute("raw") == "pruned"
        assert opened.segments[0].header("x", 0) == drops[0][1]["x"].header
    found = check_session(session)
    assert found.frames_by_checksum["y/2"] == drops[1][1]["y"].header.checksum
    assert (found.checksum_errors, found.gaps) == (0, ())
    capsys.readouterr()
    assert main([*words, "--yes"]) == 0
    assert "40.0 days old  has no images any more" in capsys.readouterr().out
    assert main(["session", "check", str(left)]) == 0


def test_one_drop_is_recalled_bit_by_bit(session, drops) -> None:
    record, frames = drops[1]
    found = recall(session, record.drop_id)
    assert to_json(found.record) == to_json(record)
    for frame in frames.values():
        again = found.frames[frame.header.view]
        assert np.array_equal(again.counts, frame.counts)
        assert (again.header, again.facts) == (frame.header, frame.facts)


def test_recalling_what_is_not_there_says_so(session, tmp_path) -> None:
    with pytest.raises(SessionError, match="no drop 4711 is recorded"):
        recall(session, 4711)
    with pytest.raises(SessionError, match="not a session"):
        recall(tmp_path / "nothing", 1)
