"""What tables have in common: heads that explain themselves, whole rows, calm lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QTableView

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
Row = TypeVar("Row")


class HeadedModel(QAbstractTableModel, Generic[Row]):
    """Rows of one kind under named heads; `data` is for whoever knows the rows."""

    def __init__(self, heads: Mapping[str, str]) -> None:
        """`heads`: names of the columns, each with what it means."""
        super().__init__()
        self._heads = heads
        self._rows: list[Row] = []

    def row(self, number: int) -> Row | None:
        """What a row is of, if there is one."""
        return self._rows[number] if 0 <= number < len(self._rows) else None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008, D102
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008, D102
        return 0 if parent.isValid() else len(self._heads)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> Any:
        """Return the name of a column, or what it means."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self._heads):
            return None
        name = list(self._heads)[section]
        return {Role.DisplayRole: name, Role.ToolTipRole: self._heads[name]}.get(Role(role))


def selected_row(table: QTableView) -> int:
    """Return the row that is chosen; -1 for none."""
    rows = table.selectionModel().selectedRows()
    return rows[0].row() if rows else -1


def dress_still(table: QTableView) -> None:
    """Let a table be read only: one thing is chosen, and Tab leads on to the next."""
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setTabKeyNavigation(False)


def dress(table: QTableView, widest: Mapping[str, str]) -> None:
    """Give a table its habits; `widest` is the longest usual text of each column, by its head."""
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
    table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    table.setAlternatingRowColors(True)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setTabKeyNavigation(False)  # Tab leads on to the next thing, the arrows move within
    metrics = table.fontMetrics()
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(metrics.height() + 4)
    header = table.horizontalHeader()
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setHighlightSections(False)
    header.setStretchLastSection(True)
    for column, (name, text) in enumerate(widest.items()):
        table.setColumnWidth(column, max(map(metrics.horizontalAdvance, (text, name))) + 14)
