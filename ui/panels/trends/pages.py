"""Pages of strip charts, each with a tab."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtWidgets import QGridLayout, QScrollArea, QTabWidget, QWidget

from magis_calib.domain.quantities import Quantity
from ui.panels.trends.strip_chart import StripChart
from ui.widgets.boxes import in_row, scroll
from ui.widgets.quiet import FocusTabs

COLUMNS = 3


class ChartPages(QTabWidget):
    """A page has a chart for each of its quantities.

    Beside the tabs is room for what all pages share.
    """

    def __init__(self, made: Callable[[Quantity], StripChart], beside: Iterable[QWidget]) -> None:
        """`made` makes the chart of a quantity; `beside`: right of the tabs, for all pages."""
        super().__init__()
        self._made = made
        self.setTabBar(FocusTabs("pages of trends"))
        self.setDocumentMode(True)
        self.tabBar().setDrawBase(False)
        self.charts: list[list[StripChart]] = []
        """Of each page."""
        self._grids: list[QGridLayout] = []
        corner = QWidget()
        in_row(*beside, on=corner, margins_px=(0, 0, 0, 0), spacing_px=2)
        self.setCornerWidget(corner)

    @property
    def in_sight(self) -> list[StripChart]:
        """The charts of the page that is looked at."""
        return self.charts[self.currentIndex()]

    def add(self, name: str, quantities: Iterable[Quantity], hover: str) -> None:
        """Add a page of charts."""
        page = QWidget()
        grid = QGridLayout(page)
        grid.setContentsMargins(0, 2, 6, 0)
        grid.setSpacing(3)
        self._grids.append(grid)
        self.addTab(_scrolled(page, name), name)
        self.setTabToolTip(self.count() - 1, hover)
        self.charts.append([])
        self.fill(len(self.charts) - 1, quantities)

    def fill(self, number: int, quantities: Iterable[Quantity]) -> None:
        """Let a page have charts of these quantities and no others."""
        for chart in self.charts[number]:
            chart.deleteLater()
        self.charts[number] = [self._made(one) for one in quantities]
        for place, chart in enumerate(self.charts[number]):
            self._grids[number].addWidget(chart, place // COLUMNS, place % COLUMNS)


def _scrolled(page: QWidget, name: str) -> QScrollArea:
    """Let a page with many charts be taller than the panel."""
    area = QScrollArea()
    area.setAccessibleName(f"charts of {name}")
    scroll(area, page, sideways=False)
    area.setMinimumSize(COLUMNS * 116, 2 * 82)
    return area
