"""What is wrong now: how bad, since when, what to do, and who knows of it."""

from __future__ import annotations

import getpass
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QStackedLayout,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from magis_calib.domain.commands import Acknowledge, Command
from magis_calib.domain.quantities import utc_moment
from magis_calib.domain.snapshot import Alarm, Snapshot
from ui.theme import ACT, DIM, LOOK
from ui.wording import utc_time

SEVERITIES = {"act": ("✖ act", ACT), "look": ("▲ look", LOOK)}
HEADS = ("severity", "since (UTC)", "what is wrong", "what to do", "acknowledged")


class AlarmsPanel(QWidget):
    """A short table, most severe first and then oldest first, and a button to say that somebody knows."""

    def __init__(self, submit: Callable[[Command], None]) -> None:
        super().__init__()
        self._submit = submit
        self._shown: tuple[Alarm, ...] | None = None
        self._keys: list[str] = []
        self.table = QTableWidget(0, len(HEADS))
        self._dress_table()
        self.button = QPushButton("Acknowledge")
        self.button.setToolTip("say that you know: the selected alarm, or all where none is selected (all: Ctrl+G)")
        self.button.clicked.connect(self._acknowledge)
        self._empty = QLabel("✓ No alarms")
        self._empty.setStyleSheet(f"color: {DIM}; padding: 16px;")
        self._lay_out()

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Write the list anew when it changed; a selection stays on its alarm."""
        if snapshot.alarms == self._shown:
            return
        self._shown = snapshot.alarms
        self._stack.setCurrentWidget(self._filled if snapshot.alarms else self._empty)
        selected = self._selected()
        ranked = sorted(snapshot.alarms, key=lambda alarm: (alarm.severity != "act", alarm.since_ns))
        self._keys = [alarm.key for alarm in ranked]
        self.table.setRowCount(len(ranked))
        for row, alarm in enumerate(ranked):
            self._write(row, alarm)
        if selected != self._selected():
            self.table.clearSelection()
            if selected in self._keys:
                self.table.selectRow(self._keys.index(selected))
        self.button.setEnabled(not snapshot.finished and any(not alarm.acknowledged_by for alarm in ranked))

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
        known = f"{alarm.acknowledged_by} {utc_time(alarm.acknowledged_ns)}" if alarm.acknowledged_by else "–"
        hover = f"{alarm.key} since {utc_moment(alarm.since_ns)}\n{alarm.text}\n{alarm.remedy}"
        if alarm.acknowledged_by:
            hover += f"\nacknowledged by {alarm.acknowledged_by}, {utc_moment(alarm.acknowledged_ns)}"
        for column, text in enumerate((word, utc_time(alarm.since_ns), alarm.text, alarm.remedy, known)):
            item = QTableWidgetItem(text)
            item.setToolTip(hover)
            if column == 0:
                item.setForeground(QColor(colour))
            elif alarm.acknowledged_by:
                item.setForeground(QColor(DIM))
            self.table.setItem(row, column, item)

    def _dress_table(self) -> None:
        table = self.table
        table.setHorizontalHeaderLabels(list(HEADS))
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
        self._filled = QWidget()
        column, line = QVBoxLayout(self._filled), QHBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.table, 1)
        line.setContentsMargins(6, 0, 6, 3)
        line.addStretch(1)
        line.addWidget(self.button)
        column.addLayout(line)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._filled)


def login_name() -> str:
    """Return who sits at the screen, as far as the system knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without an entry in the user list
        return "unknown user"
