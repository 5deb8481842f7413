"""What is wrong now: how bad, since when, and what to do."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QStackedLayout,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from magis_calib.domain.quantities import utc_moment
from magis_calib.domain.snapshot import Alarm, Snapshot
from ui.theme import ACT, DIM, LOOK
from ui.wording import utc_time

SEVERITIES = {"act": ("✖ act", ACT), "look": ("▲ look", LOOK)}


class AlarmsPanel(QWidget):
    """A short table, most severe first and then oldest first."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[Alarm, ...] | None = None
        self.table = QTableWidget(0, 4)
        self.table.setHorizontalHeaderLabels(["severity", "since (UTC)", "what is wrong", "what to do"])
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setShowGrid(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column in (0, 1):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        for column in (2, 3):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        self._empty = QLabel("✓ No alarms")
        self._empty.setStyleSheet(f"color: {DIM}; padding: 16px;")
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self.table)

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Write the list anew when it changed."""
        if snapshot.alarms == self._shown:
            return
        self._shown = snapshot.alarms
        self._stack.setCurrentWidget(self.table if snapshot.alarms else self._empty)
        ranked = sorted(snapshot.alarms, key=lambda alarm: (alarm.severity != "act", alarm.since_ns))
        self.table.setRowCount(len(ranked))
        for row, alarm in enumerate(ranked):
            self._write(row, alarm)

    def _write(self, row: int, alarm: Alarm) -> None:
        word, colour = SEVERITIES[alarm.severity]
        for column, text in enumerate((word, utc_time(alarm.since_ns), alarm.text, alarm.remedy)):
            item = QTableWidgetItem(text)
            item.setToolTip(f"{alarm.key} since {utc_moment(alarm.since_ns)}\n{alarm.text}\n{alarm.remedy}")
            if column == 0:
                item.setForeground(QColor(colour))
            self.table.setItem(row, column, item)
