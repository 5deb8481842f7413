"""What is shown where nobody said what to run: the simulated station is offered first."""

from __future__ import annotations

from PySide6.QtCore import QSettings, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QGridLayout, QLabel, QPushButton, QWidget

from magis_calib.host.stopping import on_stop
from ui.style.scheme import choose
from ui.window.open_recording import ask_for_recording, why_no_recording

LET_PYTHON_LOOK_MS = 200


WAYS = {
    "&Simulated station": "Two cameras, a laser and a drop system that are pretended; nothing real "
    "moves.\n"
    "The way to get to know the program.",
    "&Instruments as shipped": "Wait for drivers and controllers at\n{addresses}",
    "&Open a configuration…": "A file of your station: addresses, cameras, targets, limits.\n"
    "`magis-calib config --default > station.toml` writes one to begin with.",
    "&Replay a recording…": "A recorded session is shown again; nothing is sent.",
}


class Welcome(QWidget):
    """Four ways to begin. Emits `chosen` once, with the words for the command line.

    None for none of them.
    """

    chosen = Signal(object)

    def __init__(self, addresses: str, sessions: str) -> None:
        """`addresses`: of the instruments as shipped; `sessions`: the folder of recordings."""
        super().__init__()
        self.setWindowTitle("magis-calib")
        self._answered = False
        self._sessions = sessions
        grid = QGridLayout(self)
        grid.setContentsMargins(24, 20, 24, 20)
        grid.setVerticalSpacing(12)
        grid.setHorizontalSpacing(16)
        head = QLabel("No configuration was given. What shall this be a run of?")
        grid.addWidget(head, 0, 0, 1, 2)
        self.simulate, self.hardware, self.open, self.replay = (
            self._add(grid, row, text, hover.format(addresses=addresses))
            for row, (text, hover) in enumerate(WAYS.items(), start=1)
        )
        self.simulate.clicked.connect(lambda: self._answer(["--simulate", "--interval", "3"]))
        self.hardware.clicked.connect(lambda: self._answer([]))
        self.open.clicked.connect(self._ask_for_file)
        self._problem = QLabel()
        grid.addWidget(self._problem, len(WAYS) + 1, 0, 1, 2)
        self.replay.clicked.connect(
            lambda: ask_for_recording(self, self._sessions, self.open_recording)
        )
        self.simulate.setDefault(True)
        self.simulate.setFocus()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: D102
        event.accept()
        if not self._answered:
            self._answered = True
            self.chosen.emit(None)

    def open_recording(self, folder: str) -> None:
        """Answer with a replay of this session, or say why that cannot be."""
        refusal = why_no_recording(folder)
        self._problem.setText(f"▲ {refusal}" if refusal else "")
        if not refusal:
            self._answer(["replay", folder])

    def _answer(self, words: list[str]) -> None:
        self._answered = True
        self.close()
        self.chosen.emit(words)

    def _ask_for_file(self) -> None:
        dialog = QFileDialog(
            self, "Configuration of the station", filter="Configuration (*.toml);;All files (*)"
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda path: self._answer(["--config", path]))
        dialog.open()

    def _add(self, grid: QGridLayout, row: int, text: str, hover: str) -> QPushButton:
        button, words = QPushButton(text), QLabel(hover)
        button.setAutoDefault(True)
        button.setMinimumWidth(200)
        button.setMinimumHeight(40)
        button.setAccessibleDescription(hover)
        grid.addWidget(button, row, 0)
        grid.addWidget(words, row, 1)
        return button


def ask_what_to_run(addresses: str, sessions: str) -> list[str] | None:
    """Ask in a window of its own.

    Return the words for the command line, None where the user left.
    """
    found = QApplication.instance()
    app = found if isinstance(found, QApplication) else QApplication(["magis-calib"])
    kept = QSettings("magis-calib", "magis-calib")
    choose(kept.value("window/theme"), kept.value("window/font_pt"))
    from ui.style.theme import (
        dress,
    )  # takes its colours when it is imported: after they were chosen

    dress(app)
    answers: list[list[str] | None] = []
    welcome = Welcome(addresses, sessions)
    looks = QTimer(interval=LET_PYTHON_LOOK_MS)
    welcome.chosen.connect(answers.append)
    welcome.chosen.connect(app.quit)
    looks.start()
    with on_stop(welcome.close):
        welcome.show()
        app.exec()
    welcome.deleteLater()
    return answers[0] if answers else None
