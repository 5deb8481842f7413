"""The button that ends the run: the first press arms it, the second within three seconds means it."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QPushButton

ARMED_MS = 3000


class StopButton(QPushButton):
    """Emits `confirmed` at the second press."""

    confirmed = Signal()

    def __init__(self) -> None:
        super().__init__("Stop")
        self.setProperty("hardware", True)
        self.setToolTip("end the run: stop accepting, drain the recorder, write the final state\n"
                        "asks once more here")  # fmt: skip
        self.setMinimumWidth(self.fontMetrics().horizontalAdvance("Confirm stop") + 22)
        self._patience = QTimer(self, interval=ARMED_MS, singleShot=True)
        self._patience.timeout.connect(lambda: self._arm(False))
        self.clicked.connect(self._press)

    def _press(self) -> None:
        if self._patience.isActive():
            self._patience.stop()
            self._arm(False)
            self.confirmed.emit()
        else:
            self._patience.start()
            self._arm(True)

    def _arm(self, armed: bool) -> None:
        self.setText("Confirm stop" if armed else "Stop")
        self.setProperty("armed", armed)
        self.style().unpolish(self)
        self.style().polish(self)
