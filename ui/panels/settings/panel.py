"""Every setpoint vector that a run kept, what it gave, and the way back to it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from PySide6.QtWidgets import QPushButton, QTableView, QWidget

from magis_calib.domain.control import Setpoints
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.quantities import ACTUATORS
from magis_calib.feedback.setpoint_history import Setting, last_good, settings_of
from magis_calib.state.commands import Command
from magis_calib.state.history import HistoryRows
from magis_calib.state.snapshot import Snapshot
from ui.models.background import BackgroundTask
from ui.models.live import goes_on
from ui.models.plot import drops_in_words
from ui.panels.settings.table_model import HEADS, SettingsModel
from ui.style.colours import DIM
from ui.style.format import why_no_drops
from ui.widgets.boxes import in_column, in_row
from ui.widgets.confirm_return import ReturnQuestion
from ui.widgets.label import ElidedLabel
from ui.widgets.table import dress, selected_row

SAMPLES = {"drops": "1234 – 1234", "usable": "usable", "result": "▲ good"}
OBSERVABLE_SAMPLE = "−12.3(20)"


@dataclass(frozen=True, slots=True)
class Kept:
    """What the settings are worked out from."""

    records: tuple[DropRecord, ...]
    targets: Mapping[str, float]
    tolerances: Mapping[str, float]
    """SI, by observable."""


class SettingsPanel(QWidget):
    """Worked out beside the GUI thread, when there are new drops and somebody looks."""

    def __init__(self, submit: Callable[[Command], None], executor: Executor) -> None:
        """`submit` hands a command to the run; `executor` works the settings out."""
        super().__init__()
        self.background: BackgroundTask[Kept, list[Setting]] = BackgroundTask(executor, _settings)
        self.model = SettingsModel()
        self.table = QTableView()
        self.question = ReturnQuestion(submit)
        self.back = _button("Return to these…", self.ask_selected)
        self.start = _button("To the start…", self.ask_start)
        self.good = _button("To the last good…", self.ask_last_good)
        self._words = ElidedLabel(grows=True)
        self._snapshot: Snapshot | None = None
        self._drawn: object = None
        self.table.setModel(self.model)
        self.table.setAccessibleName("setpoints that were kept, newest first")
        dress(self.table, {name: SAMPLES.get(name, OBSERVABLE_SAMPLE) for name in HEADS})
        self._lay_out()

    def settle(self) -> None:
        """Wait for what is worked out aside."""
        self.background.settle()

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Follow the records; a selection stays on its drops."""
        self._snapshot = snapshot
        self.question.refresh(snapshot)
        made = self.background.newest(Kept(snapshot.records, snapshot.targets, snapshot.tolerances))
        state = (made, snapshot.actuators)
        if made is not None and state != self._drawn:
            self._follow(made[1], snapshot)
            self._drawn = state
        self._offer(snapshot)
        self._say(snapshot)

    def _offer(self, snapshot: Snapshot) -> None:
        live = goes_on(snapshot)
        self.back.setEnabled(live and self._selected() is not None)
        self.start.setEnabled(live and len(snapshot.history) > 0)
        self.good.setEnabled(live and bool(snapshot.records))

    def take_focus(self) -> None:
        """Give the table the keyboard, on its newest row where none is chosen."""
        if self._selected() is None:
            self.table.selectRow(0)
        self.table.setFocus()

    def ask_selected(self) -> None:
        """Ask whether to go back to the selected setpoints."""
        one = self._selected()
        if one is not None and self._snapshot is not None:
            drops = drops_in_words((one.first_drop, one.last_drop))
            self.question.ask_to(one.setpoints, f"the setpoints of {drops}", self._snapshot)

    def ask_start(self) -> None:
        """Ask whether to go back to what the first drop of the run saw."""
        if self._snapshot is not None and len(self._snapshot.history):
            goal, drop = first_setpoints(self._snapshot.history)
            self.question.ask_to(goal, f"the setpoints of the start, drop {drop}", self._snapshot)

    def ask_last_good(self) -> None:
        """Ask whether to go back to the newest drop with every observable within tolerance."""
        shown = self._snapshot
        if shown is None:
            return
        found = last_good(shown.records, shown.targets, shown.tolerances)
        if found is None:
            text = f"▲ none of the last {len(shown.records)} drops was within tolerance"
            self.question.show_question(text, allowed=False)
        else:
            words = f"the setpoints of the last good drop, {found.drop_id}"
            self.question.ask_to(found.in_force, words, shown)

    def _say(self, snapshot: Snapshot) -> None:
        if not snapshot.records:
            words = "no drops yet: " + "; ".join(why_no_drops(snapshot)).replace("\n", ", ")
        elif snapshot.mode == "replay":
            words = "read only: this is a replay, nothing is sent"
        elif snapshot.finished:
            words = "read only: the run has ended"
        else:
            words = f"of the last {len(snapshot.records)} drops"
        self._words.say(words, DIM, "older ones: magis-calib settings SESSION")

    def _follow(self, settings: list[Setting], snapshot: Snapshot) -> None:
        chosen = self._selected()
        bar = self.table.verticalScrollBar()
        top = bar.value()
        before = self.table.currentIndex().row()
        self.model.follow(settings, snapshot.actuators)
        row = None if chosen is None else self.model.row_of(chosen.last_drop)
        if row is not None:
            self.table.selectRow(row)
            top += row - before
        bar.setValue(top)

    def _selected(self) -> Setting | None:
        return self.model.row(selected_row(self.table))

    def _lay_out(self) -> None:
        line = in_row((self._words, 1), self.back, self.start, self.good, margins_px=(6, 0, 6, 3))
        in_column(
            self.question, (self.table, 1), line, on=self, margins_px=(0, 0, 0, 0), spacing_px=2
        )


def first_setpoints(rows: HistoryRows) -> tuple[Setpoints, int]:
    """Return what the first drop saw whose setpoints are known, and its number.

    Nothing where none is known.
    """
    known = np.isfinite(rows["in_force"])
    if not known.any():
        return {}, 0
    first = int(np.argmax(known.any(axis=1)))
    values = dict(zip(ACTUATORS, rows["in_force"][first].tolist(), strict=True))
    finite = {name: value for name, value in values.items() if math.isfinite(value)}
    return finite, int(rows["drop_id"][first])


def _settings(kept: Kept) -> list[Setting]:
    return settings_of(kept.records, kept.targets, kept.tolerances)


def _button(text: str, action: Callable[[], None]) -> QPushButton:
    button = QPushButton(text)
    button.setProperty("hardware", True)
    button.clicked.connect(lambda _checked=False: action())
    return button
