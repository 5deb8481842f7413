"""The response matrix in force as a map: what each actuator does to each observable, and how well that is known."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from magis_calib.domain.matrix_state import MatrixState
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES
from magis_calib.domain.snapshot import Snapshot
from ui.matrix_words import cell, heading, hover, living
from ui.theme import DIM, LOOK, TEXT, diverging, text_font
from ui.words import Words

BROKEN_BELOW = 15
"""Widths of a letter that a column needs to have the name of its actuator on one line."""


class MatrixPanel(QWidget):
    """Rows are observables, columns actuators. Drawn once, and again only where another matrix is in force."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: MatrixState | None = None
        self._head, self._living = Words(grows=True), Words(grows=True)
        self._head.say("no matrix is known yet", DIM)
        self.table = QTableWidget()
        self.table.setAccessibleName("response matrix in force: observables by actuators")
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.table.setWordWrap(False)
        self.table.setTabKeyNavigation(False)
        column, line = QVBoxLayout(self), QHBoxLayout()
        column.setContentsMargins(6, 2, 6, 2)
        column.setSpacing(1)
        line.addWidget(self._head, 1)
        line.addWidget(self._living, 1)
        column.addLayout(line)
        column.addWidget(self.table, 1)

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Show name, age and map of the matrix, and what ordinary running says of the actuators."""
        matrix = snapshot.matrix
        if matrix is None:
            return
        text, old = heading(matrix, time.time_ns())
        self._head.say(
            text, LOOK if old else TEXT, f"errors, value(error): {'known' if matrix.stderr else 'not known'}"
        )
        words, wrong = living(snapshot)
        self._living.say(words, LOOK if wrong else DIM, "what the newest drops say of the actuators they moved")
        if matrix is not self._shown:
            self._shown = matrix
            self._draw(matrix)

    def _draw(self, matrix: MatrixState) -> None:
        table, actuators = self.table, list(next(iter(matrix.values.values())))
        table.setRowCount(len(matrix.values))
        table.setColumnCount(len(actuators))
        for row, observable in enumerate(matrix.values):
            seen = OBSERVABLES[observable]
            table.setVerticalHeaderItem(row, _head(f"{seen.label} ({seen.shown_unit})", observable))
            for column, actuator in enumerate(actuators):
                table.setItem(row, column, _item(matrix, observable, actuator))
        table.horizontalHeader().setFont(text_font(-1.0))
        table.verticalHeader().setFont(text_font(-1.0))
        table.verticalHeader().setMinimumSectionSize(self.fontMetrics().height() + 1)
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        table.horizontalHeader().setMinimumSectionSize(10 * self.fontMetrics().averageCharWidth())
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self._name_columns()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102
        super().resizeEvent(event)
        self._name_columns()

    def _name_columns(self) -> None:
        """Name the actuators; on more lines where the columns are narrow."""
        if self._shown is None:
            return
        actuators = list(next(iter(self._shown.values.values())))
        narrow = self.width() < (1 + len(actuators)) * BROKEN_BELOW * self.fontMetrics().averageCharWidth()
        for column, actuator in enumerate(actuators):
            moved = ACTUATORS[actuator]
            label = "\n".join(moved.label.rsplit(" ", 1)) if narrow else moved.label
            per = f"per {moved.shown_unit}" if moved.shown_unit else ""
            self.table.setHorizontalHeaderItem(column, _head(f"{label}\n{per}", actuator))


def _head(text: str, name: str) -> QTableWidgetItem:
    head = QTableWidgetItem(text)
    head.setToolTip(name)
    return head


def _item(matrix: MatrixState, observable: str, actuator: str) -> QTableWidgetItem:
    item = QTableWidgetItem(cell(matrix, observable, actuator))
    item.setToolTip(hover(matrix, observable, actuator))
    item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
    strength = matrix.strength[observable][actuator]
    item.setBackground(diverging(strength))
    item.setForeground(QColor(TEXT if strength else DIM))
    return item
