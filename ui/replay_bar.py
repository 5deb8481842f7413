"""How fast a recording is shown again."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QWidget

from magis_calib.domain.commands import Command, SetSpeed
from ui.theme import INFO
from ui.words import Words

SPEEDS = {"pause": 0.0, "1×": 1.0, "10×": 10.0, "max": math.inf}


class ReplayBar(QWidget):
    """The word REPLAY and one button for each speed. Nothing here moves hardware."""

    def __init__(self, submit: Callable[[Command], None]) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        title = Words(bold=True, whole=True)
        title.say("REPLAY", INFO, "a recording is shown again; no hardware is moved")
        row.addWidget(title)
        row.addStretch(1)
        self._group = QButtonGroup(self)
        for text, factor in SPEEDS.items():
            button = QToolButton()
            button.setText(text)
            button.setCheckable(True)
            button.setProperty("framed", True)
            button.setToolTip("pause" if factor == 0 else "as fast as possible" if math.isinf(factor) else
                              f"{factor:g} times the speed of the recording")  # fmt: skip
            button.clicked.connect(lambda _checked=False, factor=factor: submit(SetSpeed(factor)))
            self._group.addButton(button)
            row.addWidget(button)
