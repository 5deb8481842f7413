"""The loop: what it does, the buttons that change that, the newest numbers and the actuators."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QWidget,
)

from magis_calib.state.commands import CloseLoop, Command, HoldLoop, OpenLoop, ShadowLoop, StopRun
from magis_calib.state.procedure import ProcedureState
from magis_calib.state.snapshot import LoopWord, Snapshot
from ui.panels.loop.actuators import ActuatorsPanel
from ui.panels.loop.observables import ObservablesPanel
from ui.panels.loop.replay_bar import ReplayBar
from ui.style.colours import ACT, DIM, LINE, LOOK, PROCEDURE
from ui.widgets.boxes import STRETCH, in_column, scroll
from ui.widgets.or_words import write

ARMED_MS = 3000


class StopButton(QPushButton):
    """Emits `confirmed` at the second press."""

    confirmed = Signal()

    def __init__(self) -> None:
        super().__init__("Stop")
        self.setProperty("hardware", True)
        self.setToolTip(
            "end the run: stop accepting, drain the recorder, write the final state\n"
            "asks once more here"
        )
        self.setMinimumWidth(self.fontMetrics().horizontalAdvance("Confirm stop") + 22)
        self._patience = QTimer(self, interval=ARMED_MS, singleShot=True)
        self._patience.timeout.connect(lambda: self._arm(False))
        self.clicked.connect(self._press)

    def _press(self) -> None:
        was_armed = self._patience.isActive()
        self._arm(not was_armed)
        if was_armed:
            self._patience.stop()
            self.confirmed.emit()
        else:
            self._patience.start()

    def _arm(self, armed: bool) -> None:
        self.setText("Confirm stop" if armed else "Stop")
        self.setProperty("armed", armed)
        self.style().unpolish(self)
        self.style().polish(self)


BUTTONS: dict[LoopWord, tuple[str, Command, str]] = {
    "closed": (
        "Close",
        CloseLoop(),
        "send corrections from now on; clears a latched fault (Ctrl+Return)",
    ),
    "shadow": ("Shadow", ShadowLoop(), "decide and log as if closed, send nothing (Ctrl+T)"),
    "held": ("Hold", HoldLoop(), "keep measuring, send nothing, keep the setpoints (Ctrl+H)"),
    "open": ("Open", OpenLoop(), "keep measuring, move setpoints by hand (Ctrl+O)"),
}


class LoopPanel(QScrollArea):
    """Everything that moves hardware is here; it scrolls when the window is low."""

    def __init__(self, submit: Callable[[Command], None]) -> None:
        """`submit` hands a command to the run."""
        super().__init__()
        self.setAccessibleName("loop, numbers and setpoints")
        self._buttons: dict[LoopWord, QPushButton] = {}
        self.stop = StopButton()
        self.stop.confirmed.connect(lambda: submit(StopRun()))
        self._detail = QLabel()
        self._detail.setWordWrap(True)
        self.replay_bar = ReplayBar(submit)
        self.observables = ObservablesPanel()
        self.actuators = ActuatorsPanel(submit)
        self.actuators.question_shown.connect(self._bring_into_sight)
        self._inside = QWidget()
        self._lay_out(self._button_row(submit))
        scroll(self, self._inside, sideways=False)
        self.setMinimumWidth(self._least_width())

    def _lay_out(self, buttons: QHBoxLayout) -> None:
        numbers = (_rule(), self.observables, _rule(), self.actuators)
        parts = (buttons, self.replay_bar, self._detail, *numbers, STRETCH)
        in_column(*parts, on=self._inside, margins_px=(8, 6, 8, 6), spacing_px=5)

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Show the loop's state and the newest numbers."""
        self._offer(snapshot)
        self.replay_bar.setVisible(snapshot.mode != "live")
        self.replay_bar.setEnabled(not snapshot.finished)
        self.replay_bar.refresh(snapshot)
        self._say_detail(snapshot)
        self.observables.refresh(snapshot, now_s)
        self.actuators.refresh(snapshot, now_s)
        wanted = self._least_width()
        if wanted > self.minimumWidth():
            self.setMinimumWidth(wanted)

    def _offer(self, snapshot: Snapshot) -> None:
        """Show the buttons of a live run, and let those be pressed that can be obeyed."""
        live = snapshot.mode == "live"
        for word, button in self._buttons.items():
            button.setVisible(live)
            button.setEnabled(live and not snapshot.finished and snapshot.loop != "stopped")
            button.setChecked(word == snapshot.loop)
        self.stop.setEnabled(not snapshot.finished)

    def _least_width(self) -> int:
        """Return the width at which nothing is cut, also beside the scroll bar of a low window."""
        return (
            self._inside.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width() + 2
        )

    def _bring_into_sight(self, question: QWidget) -> None:
        """Scroll to the question once it has its place."""
        QTimer.singleShot(
            0,
            question,
            lambda: self.ensureWidgetVisible(question, 0, 2 * self.fontMetrics().height()),
        )

    def _say_detail(self, snapshot: Snapshot) -> None:
        text, colour = detail(snapshot)
        write(self._detail, text, colour)
        self._detail.setVisible(bool(text))

    def _button_row(self, submit: Callable[[Command], None]) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(5)
        for word, (text, command, hover) in BUTTONS.items():
            button = self._buttons[word] = QPushButton(text)
            button.setProperty("hardware", True)
            button.setCheckable(True)
            button.setToolTip(hover)
            button.clicked.connect(lambda _checked=False, command=command: submit(command))
            row.addWidget(button, 1)
        row.addWidget(self.stop, 1)
        return row


def detail(snapshot: Snapshot) -> tuple[str, str]:
    """Return what is to be said of the loop beside its state, and the colour."""
    text = snapshot.loop_detail.replace("_", " ")
    absent = any(not link.connected for link in snapshot.links)
    if snapshot.loop == "fault":
        what = text or "fault"
        close = "Close the loop again when the cause is gone."
        return f"✖ {what}: corrections stopped. {close}", ACT
    if snapshot.loop == "procedure":
        return _procedure_words(snapshot.procedure) or text, LOOK if absent else PROCEDURE
    return text, LOOK if absent else DIM


def _procedure_words(procedure: ProcedureState | None) -> str:
    if procedure is None:
        return ""
    shows = "(Ctrl+P shows, Ctrl+K cancels)"
    return f"◆ {procedure.name} moves the setpoints; the loop waits {shows}"


def _rule() -> QFrame:
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    line.setStyleSheet(f"color: {LINE};")
    return line
