"""Procedures: begin one, see how far it is, cancel it, and read what the last one found."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from magis_calib.domain.quantities import ACTUATORS
from magis_calib.procedures.catalogue import KNOWN
from magis_calib.state.commands import CancelProcedure, Command, StartProcedure
from magis_calib.state.procedure import ProcedureState
from magis_calib.state.snapshot import Snapshot
from ui.models.plot import Origin, Plot
from ui.models.procedure_text import began, ending, progress, request, why_not_set, why_not_started
from ui.panels.procedures.live_curve import ProcedureCurve
from ui.panels.procedures.product import ProductView
from ui.style.colours import DIM, PROCEDURE
from ui.style.theme import room_px
from ui.widgets.boxes import STRETCH, fill, in_column, in_row, scroll
from ui.widgets.buttons import push_button
from ui.widgets.confirm import ConfirmBar
from ui.widgets.label import ElidedLabel


class ProcedureButtons(QVBoxLayout):
    """One below the other. Emits `wanted` with the name of the procedure."""

    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setSpacing(4)
        self.by_name: dict[str, QPushButton] = {}
        for name in KNOWN:
            button = self.by_name[name] = QPushButton(name.replace("_", " "))
            button.setProperty("hardware", True)
            button.setAccessibleName(f"start {name}: {KNOWN[name].summary}")
            button.clicked.connect(lambda _checked=False, name=name: self.wanted.emit(name))
            self.addWidget(button)
        self.addStretch(1)

    def offer(self, refusal: str) -> None:
        """Let all be pressed; or none, and say why on hover."""
        for name, button in self.by_name.items():
            button.setEnabled(not refusal)
            told = f"\n▲ not now: {refusal}" if refusal else "\nasks first"
            button.setToolTip(f"{name}: {KNOWN[name].summary}{told}")

    def have_focus(self) -> bool:
        """Tell whether the keyboard is on one of them."""
        return any(button.hasFocus() for button in self.by_name.values())


NARROW_PX = 720.0
"""At the usual size of type; where there is less, the curve is below, not beside."""


OF_CANCEL = "end it and bring the setpoints back to where it began; asks first (Ctrl+K)"


class ProceduresPanel(QWidget):
    """A button for each procedure.

    Beside them the one that runs, or how the last one ended, and its live curve.
    """

    def __init__(self, submit: Callable[[Command], None]) -> None:
        """`submit` hands a command to the run."""
        super().__init__()
        self._submit = submit
        self._snapshot: Snapshot | None = None
        self._pending: str | None = None
        self._area = QScrollArea()
        self._area.setAccessibleName("procedures")
        self._places = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._column = ProcedureButtons()
        self._column.wanted.connect(self.ask_begin)
        self.buttons = self._column.by_name
        self.cancel = push_button("Cancel procedure", OF_CANCEL, self.ask_cancel, hardware=True)
        self.bar = QProgressBar()
        self.bar.setAccessibleName("progress of the procedure")
        self.bar.setFormat("%v of %m drops")
        self._head = ElidedLabel(grows=True, bold=True)
        self._now = QLabel()
        self._now.setWordWrap(True)
        self.curve = ProcedureCurve()
        self.product = ProductView()
        self.product.set_button.clicked.connect(self.ask_set)
        self._make_questions()
        self._lay_out()

    def _make_questions(self) -> None:
        self.start_question = ConfirmBar("Start", "Cancel")
        self.cancel_question = ConfirmBar("End it", "Keep it running")
        self.set_question = ConfirmBar("Set it", "Leave it")
        self._questions = (self.start_question, self.cancel_question, self.set_question)
        self.set_question.accepted.connect(self._set)
        for question in self._questions:
            question.accepted.connect(self._show_top)
            question.rejected.connect(self._show_top)
        self.start_question.accepted.connect(self._start)
        self.start_question.rejected.connect(self._forget)
        self.cancel_question.accepted.connect(lambda: self._submit(CancelProcedure()))

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Show what runs now, or how the last one ended."""
        self._snapshot = snapshot
        state = snapshot.procedure
        refusal = why_not_started(snapshot)
        running = state is not None and state.running and not snapshot.finished
        self._offer(refusal, running)
        if refusal and self._pending is not None:
            self._forget()
            self.start_question.hide()
        self.curve.refresh(state, Origin.of(snapshot))
        self.bar.setVisible(running)
        if not running:
            self.cancel_question.hide()
        self._say(state, running)

    def _offer(self, refusal: str, running: bool) -> None:
        """Offer what can be pressed now; the keyboard goes along, else the view wanders with it."""
        at_it = self.cancel.hasFocus() or self._column.have_focus()
        if running:
            self.cancel.show()
        if at_it and refusal:
            (self.cancel if running else self._area).setFocus()
        self._column.offer(refusal)
        had_it = self.cancel.hasFocus() and not running
        self.cancel.setVisible(running)
        if had_it:
            self.take_focus()
            self._area.verticalScrollBar().setValue(0)

    def ask_begin(self, name: str) -> None:
        """Ask whether this procedure shall begin, saying what will move."""
        if self._snapshot is None:
            return
        refusal = why_not_started(self._snapshot)
        self._pending = None if refusal else name
        text = f"▲ cannot start {name}: {refusal}" if refusal else request(name, self._snapshot)
        self._show(self.start_question, text, allowed=not refusal)

    def ask_cancel(self) -> None:
        """Ask whether the one that runs shall end."""
        state = self._snapshot.procedure if self._snapshot is not None else None
        if state is None or not state.running:
            self._show(self.cancel_question, "▲ no procedure is running", allowed=False)
        else:
            text = f"end {state.name}? The setpoints go back to where it began"
            self._show(self.cancel_question, text, allowed=True)

    def ask_set(self) -> None:
        """Ask whether the optimum that was found shall be set."""
        snapshot, optimum = self._snapshot, self.product.optimum
        if snapshot is None or optimum is None:
            return
        refusal = why_not_set(optimum.actuator, snapshot)
        reads = {one.name: one.readback for one in snapshot.actuators}
        there = ACTUATORS[optimum.actuator].shown(reads.get(optimum.actuator, math.nan))
        wish = f"set {optimum.words}, as {optimum.kind} found? It reads {there}"
        text = f"▲ cannot set it: {refusal}" if refusal else wish
        self._show(self.set_question, text, allowed=not refusal)

    def plots(self) -> list[Plot]:
        """Return the curve once it is drawn."""
        return self.curve.plots()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102
        across = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._places.setDirection(across[self.width() < room_px(NARROW_PX)])
        super().resizeEvent(event)

    def take_focus(self) -> None:
        """Give the keyboard to the first thing that can be pressed here."""
        pressable = [self.cancel, *self.buttons.values()]
        offered = (one for one in pressable if one.isVisible() and one.isEnabled())
        next(offered, self._area).setFocus()

    def _show(self, question: ConfirmBar, text: str, *, allowed: bool) -> None:
        for other in self._questions:
            other.hide()
        question.show_question(text, allowed=allowed)
        self._area.ensureWidgetVisible(question)

    def _start(self) -> None:
        if self._pending is not None:
            self._submit(StartProcedure(self._pending))
        self._forget()

    def _set(self) -> None:
        move = self.product.proposal()
        if move is not None:
            self._submit(move)

    def _show_top(self) -> None:
        """Show the top again, where it is said what runs, once a question is answered."""
        self.take_focus()
        self._area.verticalScrollBar().setValue(0)

    def _forget(self) -> None:
        self._pending = None

    def _say(self, state: ProcedureState | None, running: bool) -> None:
        if state is None:
            self._head.say("no procedure in this run yet", DIM)
            self._now.setText("choose one on the left; it asks before anything moves")
        elif running:
            self._say_running(state)
        else:
            self._say_ending(state)
        self.product.tell(state)

    def _say_ending(self, state: ProcedureState) -> None:
        head, colour, words = ending(state)
        self._head.say(head, colour)
        self._now.setText(words)
        self._now.setToolTip("")

    def _say_running(self, state: ProcedureState) -> None:
        self._follow_progress(state)
        self._head.say(f"◆ {state.name} is running · {progress(state)}", PROCEDURE)
        self._now.setText(state.words)
        self._now.setToolTip(began(state))

    def _follow_progress(self, state: ProcedureState) -> None:
        self.bar.setMaximum(max(1, state.planned, state.done))
        self.bar.setValue(state.done)

    def _lay_out(self) -> None:
        inside = QWidget()
        line = in_row((self.bar, 1), self.cancel)
        said = (self._head, self._now, line, self.product, STRETCH)
        beside = in_row(self._column)
        beside.addSpacing(12)
        beside.addLayout(in_column(*said, spacing_px=2), 1)
        parts = (*self._questions, beside, STRETCH)
        in_column(*parts, on=inside, margins_px=(8, 4, 8, 4), spacing_px=4)
        scroll(self._area, inside, sideways=False)
        fill(self._places, (self._area, 1), (self.curve, 1), margins_px=(0, 0, 4, 0))
