"""The ledger: what was done after each drop and why, a remark of the operator beside it, and the
way back to a drop.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QStackedLayout,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from magis_calib.domain.drop_record import DropRecord
from magis_calib.state.commands import Command, NoteDrop
from magis_calib.state.snapshot import Snapshot
from ui.models.ledger_text import HEADS
from ui.panels.ledger.table_model import LedgerModel
from ui.style.colours import DIM
from ui.style.format import missing
from ui.widgets.confirm_return import ReturnQuestion
from ui.widgets.label import ElidedLabel
from ui.widgets.table import dress

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
    """A table over the records, newest first, and a line for a note on the selected (else the
    newest) drop.

    Emits `chosen` with the drop that shall be explained.
    """

    chosen = Signal(int)

    def __init__(self, submit: Callable[[Command], None]) -> None:
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
        self._empty = QLabel()
        self._empty.setWordWrap(True)
        self._empty.setStyleSheet(f"color: {DIM}; padding: 16px;")
        self._dress_table()
        self._note.setAccessibleName("note on a drop")
        self._save.setToolTip("write the note beside its drop (Return)")
        self._note.setPlaceholderText("what you saw; Return saves it beside the drop")
        self._note.setMaxLength(500)
        self._note.returnPressed.connect(self._send)
        self._save.clicked.connect(self._send)
        self._lay_out()

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Follow the records and keep the note's drop."""
        self._snapshot = snapshot
        self.question.refresh(snapshot)
        if not snapshot.records:
            self._empty.setText("No drops yet\n\n" + missing(snapshot, "drop_system"))
            self._stack.setCurrentWidget(self._empty)
            return
        self._stack.setCurrentWidget(self._filled)
        self.model.follow(snapshot)
        if not self._note.text():
            record = self._selected()
            self._target = None if record is None else record.drop_id
        self._for.say(f"note on drop {self._target}", DIM, "the selected drop, else the newest")
        self._save.setEnabled(bool(self._note.text().strip()) and not snapshot.finished)
        self._fit_rows()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102
        super().resizeEvent(event)
        self._fit_rows()

    def _fit_rows(self) -> None:
        """Show whole rows only: half a row reads like a fault."""
        table = self.table
        row = table.verticalHeader().defaultSectionSize()
        around = table.horizontalHeader().sizeHint().height() + 2 * table.frameWidth()
        asked = self.question.height() + SPACING_PX if self.question.isVisible() else 0
        room = self.height() - self._line.sizeHint().height() - asked - 2 * SPACING_PX - around
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
        rows = self.table.selectionModel().selectedRows()
        return self.model.row(rows[0].row() if rows else 0)

    def _send(self) -> None:
        text = self._note.text().strip()
        if text and self._target is not None and self._save.isEnabled():
            self._submit(NoteDrop(self._target, text))
            self._note.clear()

    def _dress_table(self) -> None:
        table = self.table
        table.setModel(self.model)
        dress(table, {name: SAMPLES[name] for name in HEADS})
        why = QAction("Why? Explain this drop", table)
        why.triggered.connect(lambda _checked=False: self.explain())
        table.addAction(why)
        table.activated.connect(lambda _index: self.explain())
        table.setAccessibleName("ledger, newest drop first")
        go_back = QAction("Return to the setpoints of this drop", table)
        go_back.triggered.connect(lambda _checked=False: self.ask_return())
        table.addAction(go_back)
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def _lay_out(self) -> None:
        self._filled = QWidget()
        column = QVBoxLayout(self._filled)
        line = QHBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING_PX)
        column.addWidget(self.question)
        column.addWidget(self.table, 1)
        column.addStretch()
        line.setContentsMargins(6, 0, 6, 3)
        for part in (self._for, self._note, self._save):
            line.addWidget(part)
        column.addLayout(line)
        self._line = line
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._filled)
