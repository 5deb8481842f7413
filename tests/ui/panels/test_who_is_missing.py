"""Before the first drop the window names every controller that is not there, however many."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from magis_calib.domain.devices import LinkState
from magis_calib.state.snapshot import Snapshot
from ui.panels.ledger.panel import LedgerPanel
from ui.panels.loop.actuators import ActuatorsPanel
from ui.panels.settings.panel import SettingsPanel
from ui.panels.trends.panel import TrendsPanel
from ui.style.format import no_drops
from ui.widgets.label import ElidedLabel
from ui.window.panel_guard import Panel
from ui.window.state_line import StateLine

CAMERA = LinkState("camera x", False, None, "no frame at tcp://127.0.0.1:15550")
LASER = LinkState("laser", True, 0.2, "tcp://127.0.0.1:15551")
DROPS = LinkState("drop_system", True, 0.2, "tcp://127.0.0.1:15552")
THIRD = LinkState("coil_driver", False, None, "no answer at tcp://127.0.0.1:15560")

Made = Callable[[ThreadPoolExecutor], Panel]
PANELS: dict[str, Made] = {
    "actuators": lambda _: ActuatorsPanel(print),
    "ledger": lambda _: LedgerPanel(print),
    "settings": lambda executor: SettingsPanel(print, executor),
    "trends": lambda _: TrendsPanel(QSettings("", QSettings.Format.IniFormat)),
    "state line": lambda _: StateLine(),
}


def before_the_first_drop(*links: LinkState) -> Snapshot:
    return Snapshot("bottom", "", "live", "", 0.0, "held", "", None, links=links)


def said(panel: QWidget) -> str:
    """Return all words of a panel."""
    labels = [*panel.findChildren(QLabel), *panel.findChildren(ElidedLabel)]
    return "\n".join(label.text() for label in labels)


@pytest.mark.parametrize("name", PANELS)
def test_a_third_controller_is_named_where_it_is_not_there(qtbot: QtBot, name: str) -> None:
    with ThreadPoolExecutor(1) as executor:
        panel = PANELS[name](executor)
        assert isinstance(panel, QWidget)
        qtbot.addWidget(panel)
        panel.refresh(before_the_first_drop(CAMERA, LASER, DROPS, THIRD), 0.0)
        assert "coil driver" in said(panel)
        assert name == "state line" or "no answer at tcp://127.0.0.1:15560" in said(panel)


def test_only_who_is_missing_is_named_and_cameras_are_not_to_blame() -> None:
    text = no_drops(before_the_first_drop(CAMERA, LASER, DROPS, THIRD))
    assert text == (
        "No drops yet\n\ncoil driver: never heard from\nno answer at tcp://127.0.0.1:15560"
    )


def test_where_all_are_there_the_first_drop_is_waited_for() -> None:
    text = no_drops(before_the_first_drop(CAMERA, LASER, DROPS))
    assert text == "No drops yet\n\nconnected: laser, drop system; waiting for the first drop"


def test_where_nothing_is_known_that_is_said() -> None:
    assert "nothing is known of any controller yet" in no_drops(before_the_first_drop())
