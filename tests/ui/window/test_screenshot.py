"""A picture of the window shows what was drawn last, and all of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from magis_calib.state.snapshot import Snapshot
from ui.widgets.boxes import in_column, in_row
from ui.widgets.label import ElidedLabel
from ui.window.screenshot import Screenshot

ENDED = Snapshot("bottom", "", "live", "", 0.0, "stopped", "", None, finished=True)
PATIENCE_MS = 20_000


@pytest.mark.parametrize("deep", [0, 3])
def test_words_that_grow_in_the_last_drawing_are_whole_in_the_picture(
    qtbot: QtBot, tmp_path: Path, deep: int
) -> None:
    window, middle, label = QMainWindow(), QWidget(), ElidedLabel()
    in_row((ElidedLabel(grows=True), 1), label, on=middle)
    for _ in range(deep):
        around = QWidget()
        in_column(middle, on=around)
        middle = around
    window.setCentralWidget(middle)
    window.resize(500, 120)
    qtbot.addWidget(window)
    words = iter(["✓ 8 %", "✓ 100 % of the drops", "✓ 100 % of the drops"])
    left: list[bool] = []
    file = tmp_path / "window.png"

    picture = Screenshot(
        window, file, 1, lambda: ENDED, lambda: label.say(next(words)), lambda: left.append(True)
    )
    window.show()
    qtbot.waitUntil(lambda: bool(left), timeout=PATIENCE_MS)

    assert picture.saved
    qtbot.waitUntil(lambda: label.width() >= label.sizeHint().width())
    assert QImage(str(file)) == window.grab().toImage().convertToFormat(QImage(str(file)).format())
