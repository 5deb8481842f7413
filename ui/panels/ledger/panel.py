"""The ledger: what was done after each drop and why, with remarks and the way back."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QLineEdit,
    QPushButton,
    QTableView,
    QWidget,
)

from magis_calib.domain.drop_record import DropRecord
from magis_calib.state.commands import Command, NoteDrop
from magis_calib.state.snapshot import Snapshot
from ui.models.ledger_text import HEADS
from ui.panels.ledger.table_model import LedgerModel
from ui.style.colours import DIM
from ui.style.format import no_drops
from ui.widgets.boxes import in_column, in_row
from ui.widgets.confirm_return import ReturnQuestion
from ui.widgets.label import ElidedLabel
from ui.widgets.or_words import OrWords
from ui.widgets.table import dress, selected_row

SAMPLES = {
    "drop": "1234567",
    "time (UTC)": "00:00:00 ",
    "outcome": "◐ half applied ",
    "used": "x y z κx κz φ",
    "errors": "κx −123.4 rad/m, φ −0.123 rad",
    "setpoints sent": "mirror tilt x −12.34 µrad, trap x",
    "read back": "✓ all 6 as sent  ",
    "detail": "step cap of mirror tilt x",
    "note": "a note",
}

SPACING_PX = 2


class LedgerPanel(QWidget):
    """A table over the records, newest first, and a line for a note on the selected drop.

    Emits `chosen` with the drop that shall be explained.
    """

    chosen = Signal(int)

    def __init__(self, submit: Callable[[Command], None]) -> None:
        """`submit` hands a command to the run."""
        super().__init__()
        self._submit = submit
        self.model = LedgerModel()
        self.table = QTableView()
        self._note = QLineEdit()
        self._for = ElidedLabel("note on drop 12345678")
        self._save = QPushButton("Save note")
        self._target: int | None = None
        self._snapshot: Snapshot | None = None
        self.question = ReturnQuestion(submit)
        self._dress_table()
        self._dress_note()
        self._line = in_row(self._for, self._note, self._save, margins_px=(6, 0, 6, 3))
        self._content = OrWords(self, self._filled())

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Follow the records and keep the note's drop."""
        self._snapshot = snapshot
        self.question.refresh(snapshot)
        if not snapshot.records:
            self._content.say(no_drops(snapshot))
            return
        self._content.show_content()
        self.model.follow(snapshot)
        self._follow_note(snapshot)
        self._fit_rows()

    def _follow_note(self, snapshot: Snapshot) -> None:
        """Let the note be of the selected drop until something is typed."""
        if not self._note.text():
            self._aim_note(self._selected())
        self._for.say(f"note on drop {self._target}", DIM, "the selected drop, else the newest")
        self._save.setEnabled(bool(self._note.text().strip()) and not snapshot.finished)

    def _aim_note(self, record: DropRecord | None) -> None:
        self._target = None if record is None else record.drop_id

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102
        super().resizeEvent(event)
        self._fit_rows()

    def _fit_rows(self) -> None:
        """Show whole rows only: half a row reads like a fault."""
        table = self.table
        row = table.verticalHeader().defaultSectionSize()
        around = table.horizontalHeader().sizeHint().height() + 2 * table.frameWidth()
        question_px = self.question.height() + SPACING_PX if self.question.isVisible() else 0
        room = (
            self.height() - self._line.sizeHint().height() - question_px - 2 * SPACING_PX - around
        )
        table.setMaximumHeight(around + max(1, room // row) * row)

    def ask_return(self) -> None:
        """Ask whether to go back to the setpoints of the selected (else the newest) drop."""
        record = self._selected()
        if record is not None and self._snapshot is not None:
            self.question.ask_about(record, self._snapshot)
            self.table.scrollTo(self.table.currentIndex())

    def explain(self) -> None:
        """Ask for the story of the selected (else the newest) drop."""
        record = self._selected()
        if record is not None:
            self.chosen.emit(record.drop_id)

    def _selected(self) -> DropRecord | None:
        return self.model.row(max(0, selected_row(self.table)))

    def _send(self) -> None:
        text = self._note.text().strip()
        if text and self._target is not None and self._save.isEnabled():
            self._submit(NoteDrop(self._target, text))
            self._note.clear()

    def _dress_table(self) -> None:
        table = self.table
        table.setModel(self.model)
        dress(table, {name: SAMPLES[name] for name in HEADS})
        table.activated.connect(lambda _index: self.explain())
        table.setAccessibleName("ledger, newest drop first")
        self._add_action("Why? Explain this drop", self.explain)
        self._add_action("Return to the setpoints of this drop", self.ask_return)
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def _add_action(self, text: str, slot: Callable[[], None]) -> None:
        action = QAction(text, self.table)
        action.triggered.connect(lambda _checked=False: slot())
        self.table.addAction(action)

    def _dress_note(self) -> None:
        self._note.setAccessibleName("note on a drop")
        self._note.setPlaceholderText("what you saw; Return saves it beside the drop")
        self._note.setMaxLength(500)
        self._note.returnPressed.connect(self._send)
        self._save.setToolTip("write the note beside its drop (Return)")
        self._save.clicked.connect(self._send)

    def _filled(self) -> QWidget:
        content = QWidget()
        column = in_column(
            self.question,
            (self.table, 1),
            on=content,
            margins_px=(0, 0, 0, 0),
            spacing_px=SPACING_PX,
        )
        column.addStretch()  # takes only what is left when the table shows whole rows
        column.addLayout(self._line)
        return content
