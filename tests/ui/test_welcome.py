"""Somebody who said nothing is asked what to run; the simulated station is offered first."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from magis_calib.cli.run import run_parser
from ui.welcome import Welcome


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Space])
def test_the_first_button_starts_the_simulated_station(qtbot: QtBot, key: Qt.Key) -> None:
    welcome = Welcome("tcp://127.0.0.1:1")
    qtbot.addWidget(welcome)
    welcome.show()
    with qtbot.waitSignal(welcome.chosen) as answered:
        qtbot.keyClick(welcome.simulate, key)
    assert run_parser().parse_args(answered.args[0]).simulate


def test_leaving_runs_nothing(qtbot: QtBot) -> None:
    welcome = Welcome("tcp://127.0.0.1:1")
    qtbot.addWidget(welcome)
    welcome.show()
    with qtbot.waitSignal(welcome.chosen) as answered:
        welcome.close()
    assert answered.args[0] is None
