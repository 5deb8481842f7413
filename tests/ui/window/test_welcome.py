"""Somebody who said nothing is asked what to run; the simulated station is offered first."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from magis_calib.cli import run
from magis_calib.cli.main import parser_of
from ui.window.welcome import Welcome


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Space])
def test_the_first_button_starts_the_simulated_station(qtbot: QtBot, key: Qt.Key) -> None:
    welcome = Welcome("tcp://127.0.0.1:1", ".")
    qtbot.addWidget(welcome)
    welcome.show()
    with qtbot.waitSignal(welcome.chosen) as answered:
        qtbot.keyClick(welcome.simulate, key)
    assert parser_of("run", run).parse_args(answered.args[0]).simulate


def test_leaving_runs_nothing(qtbot: QtBot) -> None:
    welcome = Welcome("tcp://127.0.0.1:1", ".")
    qtbot.addWidget(welcome)
    welcome.show()
    with qtbot.waitSignal(welcome.chosen) as answered:
        welcome.close()
    assert answered.args[0] is None


def test_only_a_recording_can_be_replayed(qtbot: QtBot, tmp_path: Path) -> None:
    welcome = Welcome("tcp://127.0.0.1:1", str(tmp_path))
    qtbot.addWidget(welcome)
    welcome.show()
    welcome.open_recording(str(tmp_path))
    assert f"{tmp_path}: not a recording" in welcome._problem.text()
    (tmp_path / "segment-00000.h5").touch()
    with qtbot.waitSignal(welcome.chosen) as answered:
        welcome.open_recording(str(tmp_path))
    assert answered.args[0] == ["replay", str(tmp_path)]
