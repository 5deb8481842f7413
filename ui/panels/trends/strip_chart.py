"""One quantity over the drops: values with error bars, target and tolerance, gaps with their
reasons.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QCursor, QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolTip, QVBoxLayout, QWidget

from magis_calib.domain.quantities import Quantity
from ui.models.autorange import SteadyRange
from ui.models.series import MOST_MARKS, Series
from ui.style.colours import DIM, LOOK, SERIES, SHADOW
from ui.style.theme import tolerance_colour
from ui.widgets.label import RIGHT, ElidedLabel
from ui.widgets.small_plot import dress_axes

HOW = "double click: statistics of these drops"
MOST_GAPS = 80
"""Above this many gaps some are left out: their marks would touch each other."""
MOST_POINTS = 1000
"""Above this many drops the lowest and highest of neighbours are drawn: a chart is some hundred
pixels wide.
"""
NARROW_PX = 200
"""A chart no wider than this has no room for more than numbers above it."""


class ReachBox(pg.ViewBox):  # type: ignore[misc]  # pyqtgraph has no types
    """Hands wheel, drag and clicks to whoever decides how far all charts reach.

    Nothing moves by itself.
    """

    def __init__(self, wish: Callable[[str, float, float], None]) -> None:
        super().__init__(enableMenu=False)
        self._wish = wish
        self._about = 0.0
        self._picks = QTimer(
            singleShot=True, interval=QGuiApplication.styleHints().mouseDoubleClickInterval()
        )
        self._picks.timeout.connect(lambda: self._wish("pick", 0.0, self._about))

    def wheelEvent(self, event: Any, axis: Any = None) -> None:  # noqa: D102
        event.accept()
        self._wish(
            "zoom", 0.8 ** (event.delta() / 120.0), float(self.mapSceneToView(event.scenePos()).x())
        )

    def mouseDragEvent(self, event: Any, axis: Any = None) -> None:  # noqa: D102
        event.accept()
        places = (self.mapSceneToView(one).x() for one in (event.lastScenePos(), event.scenePos()))
        before, now = places
        self._wish("move", float(before - now), 0.0)

    def mouseClickEvent(self, event: Any) -> None:  # noqa: D102
        event.accept()
        if event.double():
            self._picks.stop()
            self._wish("follow", 0.0, 0.0)
        elif event.button() == Qt.MouseButton.LeftButton:
            self._about = float(self.mapSceneToView(event.scenePos()).x())
            self._picks.start()  # unless a second click follows


class ChartName(ElidedLabel):
    """The name of a quantity. Emits `asked` at a double click, or from its menu."""

    asked = Signal()

    def __init__(self) -> None:
        super().__init__(bold=True, grows=True)

    def copy_menu(self) -> QMenu:
        """Return the menu of all words with an entry for the statistics."""
        menu = super().copy_menu()
        menu.addSeparator()
        menu.addAction(f"Statistics of {self.text()}").triggered.connect(
            lambda _=False: self.asked.emit()
        )
        return menu

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: D102
        event.accept()
        self.asked.emit()


class StripChart(QWidget):
    """A small plot with its name, newest value and unit above it."""

    def __init__(
        self,
        quantity: Quantity,
        tell: Callable[[int], str],
        wish: Callable[[str, float, float], None],
        *,
        steps: bool = False,
    ) -> None:
        """`tell` writes the hover text of a drop.

        `wish` hears of zoom (factor, about), move, follow and pick.
        """
        super().__init__()
        self.quantity = quantity
        self._tell = tell
        self._steps = steps
        self._range = SteadyRange()
        self._series: Series | None = None
        self.name = ChartName()
        self._newest = ElidedLabel(align=RIGHT, whole=True)
        self.name.say(
            quantity.label, hover=f"{quantity.name}, shown in {quantity.shown_unit or '1'}\n{HOW}"
        )
        self._share = ElidedLabel()
        self._plot: Any = pg.PlotWidget(viewBox=ReachBox(wish))
        self._dress_plot()
        self._make_items()
        head = QHBoxLayout()
        column = QVBoxLayout(self)
        head.addWidget(self.name, 1)
        head.addWidget(self._share)
        head.addWidget(self._newest)
        head.setContentsMargins(4, 0, 2, 0)
        head.setSpacing(3)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._plot, 1)

    def say_newest(self, text: str, colour: str, hover: str) -> None:
        """Write the newest value beside the name."""
        self._newest.say(text, colour, hover)

    def say_share(self, share: float, hover: str) -> None:
        """Write which share (0 to 1) of the drops in view is within tolerance; NaN for nothing."""
        mark = "✓ " if self.width() > NARROW_PX else ""
        text = f"{mark}{100 * share:.0f} %" if math.isfinite(share) else ""
        self._share.say(text, DIM, hover if text else "")

    @property
    def view(self) -> Any:
        """The pyqtgraph view that shows this chart alone."""
        return self._plot

    def draw(
        self,
        series: Series,
        first: float,
        last: float,
        target: float | None,
        tolerance: float | None,
        beside: Series | None = None,
    ) -> None:
        """Draw these drops; target and tolerance in SI. `beside`: dashed, what was or would have
        been otherwise.
        """
        self._series = series
        scale = self.quantity.shown_scale
        low, high = series.extent()
        if beside is not None:
            low, high = np.nanmin([low, beside.extent()[0]]), np.nanmax([high, beside.extent()[1]])
        if target is not None:
            around = (tolerance or 0.0) * scale
            low = np.nanmin([low, target * scale - around])
            high = np.nanmax([high, target * scale + around])
            self._target.setValue(target * scale)
            self._band.setRegion((target * scale - around, target * scale + around))
        self._target.setVisible(target is not None)
        self._band.setVisible(target is not None and tolerance is not None)
        self._range.follow(float(low), float(high))
        end = last + 0.5 + 0.02 * (last - first)
        self._box.setRange(xRange=(first - 0.5, end), yRange=self._range.limits, padding=0)
        self._draw_values(series)
        self._beside.setVisible(beside is not None)
        if beside is not None:
            self._draw_line(self._beside, beside)
        # else the new range is found while painting, and all is painted twice
        self._plot.scene().prepareForPaint()

    def _draw_values(self, series: Series) -> None:
        good = np.isfinite(series.values)
        self._draw_line(self._line, series)
        few = len(series.drops) <= MOST_MARKS
        shown = good if few and not self._steps else np.zeros_like(good)
        self._marks.setData(series.drops[shown], series.values[shown])
        bars = good & np.isfinite(series.errors) & few
        self._bars.setData(
            x=series.drops[bars], y=series.values[bars], height=2 * series.errors[bars]
        )
        low, high = self._range.limits
        gaps = series.drops[~good]
        gaps = gaps[:: 1 + len(gaps) // MOST_GAPS]
        self._gaps.setData(gaps, np.full(gaps.shape, low + 0.05 * (high - low)))
        for item, some in ((self._marks, shown), (self._bars, bars), (self._gaps, gaps)):
            item.setVisible(
                bool(np.any(some))
            )  # what is empty is asked for its size a dozen times all the same

    def _draw_line(self, line: Any, series: Series) -> None:
        if len(series.drops) > MOST_POINTS:
            line.setData(*series.envelope(MOST_POINTS // 2), stepMode=None)
        elif self._steps:
            edges = np.append(series.drops - 0.5, series.drops[-1:] + 0.5)
            line.setData(edges, series.values, stepMode="center")
        else:
            jump = math.pi * self.quantity.shown_scale if self.quantity.unit == "rad" else math.inf
            line.setData(*series.line(jump), stepMode=None)

    def _dress_plot(self) -> None:
        self._plot.setMenuEnabled(False)
        self._plot.hideButtons()
        self._plot.setMinimumSize(110, 56)
        self._plot.setAccessibleName(f"chart of {self.quantity.name}")
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._box: Any = self._plot.getViewBox()
        self._box.disableAutoRange()
        dress_axes(self._plot, 44, 15)
        self._plot.scene().sigMouseMoved.connect(self._hover)

    def _make_items(self) -> None:
        self._band: Any = pg.LinearRegionItem(
            (0.0, 0.0), "horizontal", tolerance_colour(), pg.mkPen(None), movable=False
        )
        self._target: Any = pg.InfiniteLine(angle=0, pen=pg.mkPen(DIM, style=Qt.PenStyle.DashLine))
        line = QColor(SERIES)
        line.setAlpha(255 if self._steps else 130)
        self._line: Any = pg.PlotCurveItem(pen=pg.mkPen(line, width=1), connect="finite")
        dashes = pg.mkPen(SHADOW, width=1, style=Qt.PenStyle.DashLine)
        self._beside: Any = pg.PlotCurveItem(pen=dashes, connect="finite")
        self._bars: Any = pg.ErrorBarItem(
            x=np.empty(0), y=np.empty(0), height=np.empty(0), pen=pg.mkPen(line)
        )
        self._marks: Any = pg.ScatterPlotItem(
            size=4, pen=None, brush=pg.mkBrush(SERIES), pxMode=True
        )
        self._gaps: Any = pg.ScatterPlotItem(
            size=7, symbol="t1", pen=pg.mkPen(LOOK), brush=None, pxMode=True
        )
        for item in (
            self._band,
            self._target,
            self._line,
            self._beside,
            self._bars,
            self._marks,
            self._gaps,
        ):
            self._plot.addItem(item, ignoreBounds=True)

    def _hover(self, place: QPointF) -> None:
        if self._series is None or not len(self._series.drops):
            return
        wanted = self._box.mapSceneToView(place).x()
        nearest = int(np.argmin(np.abs(self._series.drops - wanted)))
        QToolTip.showText(QCursor.pos(), self._tell(int(self._series.drops[nearest])), self._plot)
