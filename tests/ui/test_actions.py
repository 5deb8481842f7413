"""Every action of the menus has a shortcut and says what it does; nothing that the keyboard reaches is nameless."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QSlider
from window_bench import StationBench, kept_in, wait_until

pytestmark = pytest.mark.station


@pytest.fixture(scope="module")
def bench(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StationBench]:
    folder: Path = tmp_path_factory.mktemp("actions")
    with StationBench(folder, kept_in(folder)) as bench:
        wait_until(lambda: len(bench.snapshot.records) >= 3, "three drops")
        yield bench


def test_every_action_has_a_shortcut_of_its_own_and_a_tooltip(bench: StationBench) -> None:
    actions = bench.window.menus.all_actions
    keys = [one.shortcut().toString() for one in actions]
    assert all(keys)
    assert len(set(keys)) == len(keys)
    assert all(one.toolTip() != one.text().replace("&", "") for one in actions)


def test_what_the_keyboard_reaches_has_a_name(bench: StationBench) -> None:
    bench.drawn()
    for kind in (QLineEdit, QSlider):
        assert all(one.accessibleName() for one in bench.window.findChildren(kind) if one.isVisible())
    buttons = [one for one in bench.window.findChildren(QAbstractButton) if one.isVisible()]
    nameless = [
        one for one in buttons if not (one.text() or one.accessibleName() or one.objectName().startswith("qt_"))
    ]
    assert nameless == []
