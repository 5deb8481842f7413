"""What lies in the folder that somebody works in is never taken for a part of the program."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from magis_calib.domain.errors import SessionError
from magis_calib.host.child import HOME, python_module
from magis_calib.recording.probe import ask_child, look_into
from magis_calib.recording.recall import recall
from tests.recording.test_durable import recorded

NAMES = ("random", "copy", "select", "queue", "token", "numpy", "h5py", "secrets", "bisect")
PROGRAM = "import sys; del sys.path[0]; from magis_calib.cli.main import main; sys.exit(main())"
"""As the installed program starts: from its own folder."""


@pytest.fixture
def laboratory(tmp_path: Path) -> Path:
    """A folder of scripts that write down that they were executed."""
    folder = tmp_path / "laboratory"
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write('{name} ')")
    return folder


def done(folder: Path, *words: str, path: str = "") -> subprocess.CompletedProcess[str]:
    """Run the program in this folder."""
    found = {**os.environ, "PYTHONPATH": f"{path}{os.pathsep}{HOME}" if path else str(HOME)}
    command = [sys.executable, "-c", PROGRAM, *words]
    return subprocess.run(
        command, cwd=folder, env=found, capture_output=True, text=True, check=False
    )


def test_scripts_of_a_laboratory_are_not_executed(laboratory: Path, tmp_path: Path) -> None:
    session = tmp_path / "s"
    recorded(session, 2)
    for words in (["check"], ["repair"], ["certificate"], ["export", "--to", str(tmp_path / "e")]):
        said = done(laboratory, "session", words[0], str(session), *words[1:])
        assert said.stdout
        assert not said.stderr
        assert "damaged" not in said.stdout
    assert done(laboratory, "check", "--session-dir", str(tmp_path)).stdout
    assert not (tmp_path / "ran").exists()
    assert not (session / "originals").exists()


@pytest.mark.station
def test_a_simulated_station_starts_beside_them(laboratory: Path, tmp_path: Path) -> None:
    words = ["--simulate", "--auto", "--sensor", "small", "--interval", "0", "--drops", "2"]
    said = done(laboratory, *words, "--session-dir", str(tmp_path / "sessions"))
    assert said.returncode == 0, said
    assert not (tmp_path / "ran").exists()


def test_every_child_leaves_them_out(laboratory: Path, tmp_path: Path) -> None:
    for module in ("magis_calib", "simulators"):
        command = [*python_module(module), "--help"]
        environment = {**os.environ, "PYTHONPATH": str(HOME)}
        assert not subprocess.run(
            command, cwd=laboratory, env=environment, capture_output=True, check=True
        ).stderr
    assert not (tmp_path / "ran").exists()


def test_a_child_that_does_not_start_says_nothing_of_a_session(tmp_path: Path, monkeypatch) -> None:
    session = tmp_path / "s"
    recorded(session, 2)
    shutil.copytree(session, tmp_path / "before")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "h5py.py").write_text("raise ImportError('libhdf5.so is not there')")
    monkeypatch.setenv("PYTHONPATH", f"{broken}{os.pathsep}{HOME}")
    words = "did not start: ImportError: libhdf5.so is not there"
    assert words in look_into(session).problem
    for asked in (
        lambda: ask_child("magis_calib.recording.salvage", [str(session), "new"], 30.0),
        lambda: recall(session, 1),
    ):
        with pytest.raises(SessionError, match=words):
            asked()


def test_packages_with_our_names_are_told_apart(tmp_path: Path) -> None:
    for name in ("hardware", "simulators", "ui"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
        said = done(HOME, "session", "list", str(tmp_path), path=str(tmp_path))
        assert said.returncode == 2
        assert f"another package called {name!r}" in said.stderr
        assert str(HOME / name) in said.stderr
        assert str(tmp_path / name) in said.stderr
        shutil.rmtree(tmp_path / name)
