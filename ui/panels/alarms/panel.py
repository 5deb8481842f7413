"""What is wrong now: how bad, since when, what to do, and who knows of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from magis_calib.domain.quantities import utc_moment
from magis_calib.host.user import login_name
from magis_calib.state.commands import Acknowledge, Command
from magis_calib.state.snapshot import Alarm, PastAlarm, Snapshot
from ui.style.colours import ACT, DIM, LOOK, TEXT
from ui.style.format import utc_time
from ui.widgets.boxes import STRETCH, in_column, in_row
from ui.widgets.table import dress_still, selected_row

SEVERITIES = {"act": ("✖ act", ACT), "look": ("▲ look", LOOK)}
HEADS = ("severity", "since (UTC)", "what is wrong", "what to do", "acknowledged")
WORDY = (2, 3)
"""Columns of sentences."""


class AlarmsPanel(QWidget):
    """A table, most severe and then oldest first, and a button to say that somebody knows."""

    def __init__(self, submit: Callable[[Command], None]) -> None:
        """`submit` hands a command to the run."""
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
        self._write_all(ranked(snapshot.alarms), past)
        if selected != self._selected():
            self._select(selected)
        unknown = any(not alarm.acknowledged_by for alarm in snapshot.alarms)
        self.button.setEnabled(not snapshot.finished and unknown)

    def _write_all(self, alarms: Sequence[Alarm], past: Sequence[PastAlarm]) -> None:
        self._keys = [alarm.key for alarm in alarms]
        self.table.setRowCount(len(alarms) + len(past))
        for row, alarm in enumerate(alarms):
            self._write(row, alarm)
        for row, over in enumerate(past, start=len(alarms)):
            self._write_past(row, over)

    def _select(self, key: str) -> None:
        self.table.clearSelection()
        if key in self._keys:
            self.table.selectRow(self._keys.index(key))

    def acknowledge_all(self) -> None:
        """Say that the operator knows of every alarm that stands."""
        self._submit(Acknowledge("", login_name()))

    def _acknowledge(self) -> None:
        self._submit(Acknowledge(self._selected(), login_name()))

    def _selected(self) -> str:
        """Return the key of the selected alarm, empty where none is."""
        row = selected_row(self.table)
        return self._keys[row] if 0 <= row < len(self._keys) else ""

    def _write(self, row: int, alarm: Alarm) -> None:
        word, colour = SEVERITIES[alarm.severity]
        known, by_whom = _acknowledgement(alarm)
        hover = f"{alarm.key} since {utc_moment(alarm.since_ns)}\n{alarm.text}\n{alarm.remedy}"
        texts = (word, utc_time(alarm.since_ns), alarm.text, alarm.remedy, known)
        colours = (colour, DIM if alarm.acknowledged_by else TEXT)
        self._fill(row, texts, hover + by_whom, colours)

    def _write_past(self, row: int, over: PastAlarm) -> None:
        since, until = utc_time(over.since_ns), utc_time(over.until_ns)
        hover = (
            f"{over.key} from {utc_moment(over.since_ns)}\nto "
            f"{utc_moment(over.until_ns)}\n{over.text}"
        )
        texts = ("✓ over", since, over.text, f"over at {until}", "–")
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
        dress_still(table)
        table.setShowGrid(False)
        table.verticalHeader().hide()
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        _dress_header(table.horizontalHeader())

    def _lay_out(self) -> None:
        self.table.hide()
        line = in_row(self.history, STRETCH, self.button, margins_px=(6, 0, 6, 3))
        parts = ((self._empty, 1), (self.table, 1), line)
        in_column(*parts, on=self, margins_px=(0, 0, 0, 0), spacing_px=2)


def _acknowledgement(alarm: Alarm) -> tuple[str, str]:
    """Return who knows of it since when, for the table and for the hover."""
    who = alarm.acknowledged_by
    if not who:
        return "–", ""
    when = utc_moment(alarm.acknowledged_ns)
    return f"{who} {utc_time(alarm.acknowledged_ns)}", f"\nacknowledged by {who}, {when}"


def ranked(alarms: Sequence[Alarm]) -> list[Alarm]:
    """Return them with the most severe first, of these the oldest first."""
    return sorted(alarms, key=lambda alarm: (alarm.severity != "act", alarm.since_ns))


def _dress_header(header: QHeaderView) -> None:
    """Give the words the room that the other columns leave."""
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setHighlightSections(False)
    for column in range(len(HEADS)):
        wide = QHeaderView.ResizeMode.Stretch
        narrow = QHeaderView.ResizeMode.ResizeToContents
        header.setSectionResizeMode(column, wide if column in WORDY else narrow)
