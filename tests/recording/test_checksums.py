"""A byte that changes in a closed session is told, or nobody reads it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import h5py
import pytest

from magis_calib.domain.errors import SessionError
from magis_calib.recording.check import check_session
from magis_calib.recording.files import read_sealed, write_sealed
from tests.benchmarks.flips import PAPERS, content, places, record, series
from tests.recording.test_durable import session_command

NAME = "20261201T000000Z_bottom_f11b00"


@pytest.fixture(scope="module")
def session(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("flips") / NAME
    record(path, 3)
    return path


def test_no_changed_byte_is_silent(session) -> None:
    rng = random.Random(2)
    flips = [(place, 1 << rng.randrange(8)) for place in places(session, 120, rng)]
    told = series(session, flips, content(session))
    assert set(told) <= {"told", "harmless"}
    assert told["told"] > 60


@pytest.mark.parametrize("name", PAPERS)
def test_no_changed_byte_of_a_paper_is_silent(session, name) -> None:
    rng = random.Random(3)
    size = (session / name).stat().st_size
    flips = [((name, rng.randrange(size)), 1 << rng.randrange(8)) for _ in range(40)]
    assert set(series(session, flips, content(session))) <= {"told", "harmless"}


@pytest.mark.parametrize("name", ["estimates", "decisions", "announcements", "frames"])
def test_a_row_that_was_changed_is_named_and_repaired(session, tmp_path, name) -> None:
    path = tmp_path / NAME
    _copy(session, path)
    with h5py.File(path / "segment-0001.h5", "r+") as file:
        row = file[f"entry/{name}"][0]
        row[row.dtype.names[1]] = b"y" if name == "frames" else 12345
        file[f"entry/{name}"][0] = row
    assert f"row 0 of {name}" in session_command("check", str(path)).stdout
    assert session_command("repair", str(path)).returncode == int(name == "announcements")
    found = check_session(path)
    assert found.whole
    assert found.frames == 6


def test_a_changed_configuration_stays_doubted_after_a_repair(session, tmp_path) -> None:
    path = tmp_path / NAME
    _copy(session, path)
    with h5py.File(path / "segment-0001.h5", "r+") as file:
        file["entry/configuration"][()] = bytes(file["entry/configuration"][()]).replace(b"1", b"2")
    for command in ("check", "repair", "check"):
        done = session_command(command, str(path))
        assert "attributes, configuration or axes" in done.stdout
        assert done.returncode == 1


def test_older_sessions_say_that_they_prove_less() -> None:
    examples = Path(__file__).parent / "examples"
    for schema in ("schema-1", "schema-2"):
        done = session_command("check", str(examples / schema))
        assert done.stdout.startswith("whole: 3 drops, 6 frames")
        assert "not proven" in done.stdout
        told = json.loads(session_command("check", "--json", str(examples / schema)).stdout)
        assert "proven" not in told


def test_a_sealed_table_is_read_only_as_it_was_written(tmp_path) -> None:
    path = tmp_path / "told.json"
    write_sealed(path, {"a": 1, "text": "µ"})
    assert read_sealed(path, sealed=True) == {"a": 1, "text": "µ"}
    path.write_text(path.read_text().replace("1", "2", 1))
    with pytest.raises(SessionError, match="not as it was written"):
        read_sealed(path, sealed=False)
    path.write_text('{"a": 1}')
    assert read_sealed(path, sealed=False) == {"a": 1}
    with pytest.raises(SessionError, match="not as it was written"):
        read_sealed(path, sealed=True)


def _copy(session: Path, path: Path) -> None:
    path.mkdir()
    for one in session.iterdir():
        (path / one.name).write_bytes(one.read_bytes())


def test_an_export_hands_out_no_changed_pixels(session, tmp_path) -> None:
    path = tmp_path / NAME
    _copy(session, path)
    with h5py.File(path / "segment-0001.h5", "r+") as file:
        file["entry/view_y/counts"][1, 3, 4] += 16
    done = session_command("export", str(path), "--to", str(tmp_path / "out"), "--images", "all")
    assert done.returncode == 2
    assert "drop 2, view y: its pixels were changed" in done.stderr
    done = session_command("export", str(path), "--to", str(tmp_path / "out"), "--images", "1")
    assert done.returncode == 0, "what was begun is gone on with"
