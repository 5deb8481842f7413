"""The ledger as a Qt table: newest drop first, changed only where the records changed."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QColor

from magis_calib.domain.drop_record import DropRecord
from magis_calib.feedback.explanation import explained
from magis_calib.state.snapshot import Snapshot
from ui.models.ledger_text import HEADS, cells
from ui.style.colours import DIM
from ui.style.format import OUTCOME_SHAPES
from ui.widgets.table import HeadedModel, Index, Role

OUTCOME_COLUMN = list(HEADS).index("outcome")
DROP_COLUMN = 0


class LedgerModel(HeadedModel[DropRecord]):
    """A window onto `snapshot.records`; text of a row is made once, when it is first looked at."""

    def __init__(self) -> None:
        super().__init__(HEADS)
        self._source: tuple[DropRecord, ...] = ()
        self._written: dict[int, tuple[DropRecord, list[str]]] = {}
        self._tolerances: dict[str, float] = {}
        self._readback_tolerances: dict[str, float] = {}

    def follow(self, snapshot: Snapshot) -> None:
        """Take in new, changed and dropped-out records; a selection stays on its drop."""
        if snapshot.records is self._source:
            return
        self._source = snapshot.records
        self._tolerances = dict(snapshot.tolerances)
        self._readback_tolerances = {one.name: one.readback_tolerance for one in snapshot.actuators}
        wanted = list(reversed(snapshot.records))
        new = _how_many_new(wanted, self._rows)
        if new is None:
            self.beginResetModel()
            self._rows = wanted
            self.endResetModel()
        else:
            self._grow(wanted, new)
        alive = {record.drop_id for record in wanted}
        self._written = {drop: text for drop, text in self._written.items() if drop in alive}

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:  # noqa: D102
        record = self.row(index.row())
        if record is None:
            return None
        if role == Role.DisplayRole:
            return self._text(record)[index.column()]
        if role == Role.ToolTipRole:
            return explained(record)
        if role == Role.TextAlignmentRole and index.column() == DROP_COLUMN:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return _colour(record, index.column()) if role == Role.ForegroundRole else None

    def _grow(self, wanted: list[DropRecord], new: int) -> None:
        """Put new rows on top, take old ones off the end, and mark replaced records as changed."""
        none = QModelIndex()
        if new:
            self.beginInsertRows(none, 0, new - 1)
            self._rows = wanted[:new] + self._rows
            self.endInsertRows()
        if len(self._rows) > len(wanted):
            self.beginRemoveRows(none, len(wanted), len(self._rows) - 1)
            self._rows = self._rows[: len(wanted)]
            self.endRemoveRows()
        for row, record in enumerate(wanted):
            if record is not self._rows[row]:
                self._rows[row] = record
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(HEADS) - 1))

    def _text(self, record: DropRecord) -> list[str]:
        known = self._written.get(record.drop_id)
        if known is None or known[0] is not record:
            known = (record, cells(record, self._tolerances, self._readback_tolerances))
            self._written[record.drop_id] = known
        return known[1]


def _colour(record: DropRecord, column: int) -> QColor | None:
    """Return the colour of a cell: that of the outcome, and dim after it where nothing was sent."""
    if column == OUTCOME_COLUMN:
        return QColor(OUTCOME_SHAPES[record.decision.outcome][1])
    held = record.decision.outcome == "held"
    return QColor(DIM) if held and column > OUTCOME_COLUMN else None


def _how_many_new(wanted: list[DropRecord], shown: list[DropRecord]) -> int | None:
    """Return how many rows came on top; None when the lists do not overlap row by row."""
    if not shown:
        return None
    newest = shown[0].drop_id
    new = next((row for row, record in enumerate(wanted) if record.drop_id == newest), None)
    if new is None:
        return None
    rest = wanted[new:]
    same = all(late.drop_id == early.drop_id for late, early in zip(rest, shown, strict=False))
    return new if same and len(rest) <= len(shown) else None
