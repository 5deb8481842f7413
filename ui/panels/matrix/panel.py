"""The response matrix as a map: in force, as measured last, and their difference.

The measured one can be promoted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES
from magis_calib.state.commands import Command
from magis_calib.state.snapshot import Snapshot
from ui.models.live import goes_on
from ui.models.matrix_text import living
from ui.models.matrix_views import MATRIX_PAGES, Element, MatrixPage, elements, title
from ui.panels.matrix.confirm_promotion import PromoteQuestion, why_not_promoted
from ui.style.colours import DIM, LOOK, TEXT
from ui.style.theme import diverging, text_font
from ui.widgets.boxes import in_column, in_row
from ui.widgets.buttons import push_button
from ui.widgets.label import ElidedLabel
from ui.widgets.quiet import FocusTabs
from ui.widgets.table import dress_still

BROKEN_BELOW = 15
"""Widths of a letter that a column needs to have the name of its actuator on one line."""


HOVER = "put the newest measured matrix in force from the next start on; asks first (Ctrl+Shift+M)"
OF_LIVING = "what the newest drops say of the actuators they moved"


class MatrixPanel(QWidget):
    """Rows are observables, columns actuators.

    Drawn again only where another matrix is to be shown.
    """

    def __init__(self, submit: Callable[[Command], None]) -> None:
        """`submit` hands a command to the run."""
        super().__init__()
        self._snapshot: Snapshot | None = None
        self._actuators: list[str] = []
        self._shown: tuple[object, ...] = ()
        """The page and the matrices that are drawn."""
        self._head = ElidedLabel(grows=True)
        self._living = ElidedLabel(grows=True)
        self._head.say("no matrix is known yet", DIM)
        self.tabs = _tabs()
        self.tabs.currentChanged.connect(self._show_again)
        self.promote = push_button("Promote…", HOVER, self.ask_promotion, hardware=True)
        self.promote.setAccessibleName("promote the measured matrix; asks first")
        self.question = PromoteQuestion(submit)
        self.table = _table()
        line = in_row(self.tabs, (self._living, 1), self.promote, spacing_px=6)
        parts = (line, self.question, self._head, (self.table, 1))
        in_column(*parts, on=self, margins_px=(6, 2, 6, 2), spacing_px=1)

    @property
    def page(self) -> MatrixPage:
        """Which matrix is shown."""
        return tuple(MATRIX_PAGES)[self.tabs.currentIndex()]

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Show name, age and map of the matrix, and what ordinary running says of the actuators."""
        self._snapshot = snapshot
        self.question.refresh(snapshot)
        self.promote.setEnabled(goes_on(snapshot))
        refusal = why_not_promoted(snapshot)
        self.promote.setToolTip(f"{HOVER}\n▲ not now: {refusal}" if refusal else HOVER)
        words, wrong = living(snapshot)
        self._living.say(words, LOOK if wrong else DIM, OF_LIVING)
        self._show(snapshot)

    def ask_promotion(self) -> None:
        """Ask whether the measured matrix shall be in force from the next start on."""
        if self._snapshot is not None:
            self.question.ask_about(self._snapshot)

    def _show_again(self) -> None:
        if self._snapshot is not None:
            self._show(self._snapshot)

    def _show(self, snapshot: Snapshot) -> None:
        matrix, measured, page = snapshot.matrix, snapshot.measured, self.page
        if matrix is None:
            return
        text, alarming = title(page, matrix, measured, time.time_ns())
        shown = matrix if page == "In force" or measured is None else measured.matrix
        errors = f"errors, value(error): {'known' if shown.stderr else 'not known'}"
        self._head.say(text, LOOK if alarming else TEXT, errors)
        wanted = (page, matrix, measured)
        if wanted != self._shown:
            self._shown = wanted
            self._draw(elements(page, matrix, measured))

    def _draw(self, cells: Mapping[str, Mapping[str, Element]]) -> None:
        table = self.table
        self._actuators = list(next(iter(cells.values()), ()))
        table.setAccessibleName(f"response matrix, {self.page.lower()}: observables by actuators")
        table.setRowCount(len(cells))
        table.setColumnCount(len(self._actuators))
        for row, (observable, of_it) in enumerate(cells.items()):
            seen = OBSERVABLES[observable]
            table.setVerticalHeaderItem(row, _head(f"{seen.label} ({seen.shown_unit})", observable))
            for column, element in enumerate(of_it.values()):
                table.setItem(row, column, _item(element))
        metrics = self.fontMetrics()
        _dress_head(table.horizontalHeader(), 10 * metrics.averageCharWidth())
        _dress_head(table.verticalHeader(), metrics.height() + 1)
        self._name_columns()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102
        super().resizeEvent(event)
        self._name_columns()

    def _name_columns(self) -> None:
        """Name the actuators; on more lines where the columns are narrow."""
        actuators = self._actuators
        letter = self.fontMetrics().averageCharWidth()
        narrow = self.width() < (1 + len(actuators)) * BROKEN_BELOW * letter
        for column, actuator in enumerate(actuators):
            moved = ACTUATORS[actuator]
            label = "\n".join(moved.label.rsplit(" ", 1)) if narrow else moved.label
            per = f"per {moved.shown_unit}" if moved.shown_unit else ""
            self.table.setHorizontalHeaderItem(column, _head(f"{label}\n{per}", actuator))


def _tabs() -> FocusTabs:
    tabs = FocusTabs("which matrix is shown")
    tabs.setDrawBase(False)
    for page, words in MATRIX_PAGES.items():
        tabs.setTabToolTip(tabs.addTab(page), words)
    return tabs


def _table() -> QTableWidget:
    table = QTableWidget()
    dress_still(table)
    table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    table.setWordWrap(False)
    return table


def _dress_head(header: QHeaderView, least_px: int) -> None:
    header.setFont(text_font(-1.0))
    header.setMinimumSectionSize(least_px)
    header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)


def _head(text: str, name: str) -> QTableWidgetItem:
    head = QTableWidgetItem(text)
    head.setToolTip(name)
    return head


def _item(element: Element) -> QTableWidgetItem:
    item = QTableWidgetItem(element.text)
    item.setToolTip(element.hover)
    item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
    item.setBackground(diverging(element.strength))
    item.setForeground(QColor(TEXT if element.strength else DIM))
    return item
