"""What is wrong now: how bad, since when, what to do, and who knows of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from magis_calib.domain.quantities import utc_moment
from magis_calib.host.user import login_name
from magis_calib.state.commands import Acknowledge, Command
from magis_calib.state.snapshot import Alarm, PastAlarm, Snapshot
from ui.style.colours import ACT, DIM, LOOK, TEXT
from ui.style.format import utc_time

SEVERITIES = {"act": ("✖ act", ACT), "look": ("▲ look", LOOK)}
HEADS = ("severity", "since (UTC)", "what is wrong", "what to do", "acknowledged")


class AlarmsPanel(QWidget):
    """A short table, most severe first and then oldest first, and a button to say that somebody
    knows.
    """

    def __init__(self, submit: Callable[[Command], None]) -> None:
        super().__init__()
        self._submit = submit
        self._shown: tuple[tuple[Alarm, ...], tuple[PastAlarm, ...]] | None = None
        self._keys: list[str] = []
        self.table = QTableWidget(0, len(HEADS))
        self._dress_table()
        self.button = QPushButton("Acknowledge")
        self.button.setToolTip(
            "say that you know: the selected alarm, or all where none is selected (all: Ctrl+G)"
        )
        self.button.clicked.connect(self._acknowledge)
        self.history = QCheckBox("with those that are over")
        self.history.setToolTip("show what was wrong before, newest first, with its end")
        self._empty = QLabel("✓ No alarms")
        self._empty.setStyleSheet(f"color: {DIM}; padding: 16px;")
        self._lay_out()

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Write the list anew when it changed; a selection stays on its alarm."""
        past = snapshot.past_alarms[::-1] if self.history.isChecked() else ()
        if (snapshot.alarms, past) == self._shown:
            return
        self._shown = snapshot.alarms, past
        nothing = not snapshot.alarms and not past
        self._empty.setVisible(nothing)
        self.table.setVisible(not nothing)
        selected = self._selected()
        ranked = sorted(
            snapshot.alarms, key=lambda alarm: (alarm.severity != "act", alarm.since_ns)
        )
        self._keys = [alarm.key for alarm in ranked]
        self.table.setRowCount(len(ranked) + len(past))
        for row, alarm in enumerate(ranked):
            self._write(row, alarm)
        for row, over in enumerate(past, start=len(ranked)):
            self._write_past(row, over)
        if selected != self._selected():
            self.table.clearSelection()
            if selected in self._keys:
                self.table.selectRow(self._keys.index(selected))
        self.button.setEnabled(
            not snapshot.finished and any(not alarm.acknowledged_by for alarm in ranked)
        )

    def acknowledge_all(self) -> None:
        """Say that the operator knows of every alarm that stands."""
        self._submit(Acknowledge("", login_name()))

    def _acknowledge(self) -> None:
        self._submit(Acknowledge(self._selected(), login_name()))

    def _selected(self) -> str:
        """Return the key of the selected alarm, empty where none is."""
        rows = self.table.selectionModel().selectedRows()
        row = rows[0].row() if rows else -1
        return self._keys[row] if 0 <= row < len(self._keys) else ""

    def _write(self, row: int, alarm: Alarm) -> None:
        word, colour = SEVERITIES[alarm.severity]
        known = (
            f"{alarm.acknowledged_by} {utc_time(alarm.acknowledged_ns)}"
            if alarm.acknowledged_by
            else "–"
        )
        hover = f"{alarm.key} since {utc_moment(alarm.since_ns)}\n{alarm.text}\n{alarm.remedy}"
        if alarm.acknowledged_by:
            hover += (
                f"\nacknowledged by {alarm.acknowledged_by}, {utc_moment(alarm.acknowledged_ns)}"
            )
        texts = (word, utc_time(alarm.since_ns), alarm.text, alarm.remedy, known)
        self._fill(row, texts, hover, (colour, DIM if alarm.acknowledged_by else TEXT))

    def _write_past(self, row: int, over: PastAlarm) -> None:
        texts = (
            "✓ over",
            utc_time(over.since_ns),
            over.text,
            f"over at {utc_time(over.until_ns)}",
            "–",
        )
        hover = (
            f"{over.key} from {utc_moment(over.since_ns)}\nto "
            f"{utc_moment(over.until_ns)}\n{over.text}"
        )
        self._fill(row, texts, hover, (DIM, DIM))

    def _fill(self, row: int, texts: Sequence[str], hover: str, colours: tuple[str, str]) -> None:
        """Write a row; the first colour is that of the first column."""
        for column, text in enumerate(texts):
            item = QTableWidgetItem(text)
            item.setToolTip(hover)
            item.setForeground(QColor(colours[min(column, 1)]))
            self.table.setItem(row, column, item)

    def _dress_table(self) -> None:
        table = self.table
        table.setHorizontalHeaderLabels(list(HEADS))
        table.setAccessibleName("alarms that stand, the most severe first")
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setTabKeyNavigation(False)
        table.setShowGrid(False)
        table.verticalHeader().hide()
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header = table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        for column in (0, 1, 4):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        for column in (2, 3):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        line = QHBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._empty, 1)
        column.addWidget(self.table, 1)
        self.table.hide()
        line.setContentsMargins(6, 0, 6, 3)
        line.addWidget(self.history)
        line.addStretch(1)
        line.addWidget(self.button)
        column.addLayout(line)
