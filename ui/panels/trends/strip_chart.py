"""One quantity over the drops: values with errors, target, tolerance and gaps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QCursor, QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QMenu, QToolTip, QWidget

from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import Quantity
from ui.models.autorange import SteadyRange
from ui.models.series import MOST_MARKS, Series
from ui.style.colours import DIM, LOOK, SERIES, SHADOW
from ui.widgets.boxes import in_column, in_row
from ui.widgets.label import RIGHT, ElidedLabel
from ui.widgets.small_plot import dress_plot, faint, tolerance_band

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

    def __init__(self, gesture: Callable[[str, float, float], None]) -> None:
        """`gesture` hears of zoom (factor, about), move, follow and pick, in drops."""
        super().__init__(enableMenu=False)
        self._gesture = gesture
        self._about = 0.0
        self._picks = QTimer(
            singleShot=True, interval=QGuiApplication.styleHints().mouseDoubleClickInterval()
        )
        self._picks.timeout.connect(lambda: self._gesture("pick", 0.0, self._about))

    def wheelEvent(self, event: Any, axis: Any = None) -> None:  # noqa: D102
        event.accept()
        self._gesture(
            "zoom", 0.8 ** (event.delta() / 120.0), float(self.mapSceneToView(event.scenePos()).x())
        )

    def mouseDragEvent(self, event: Any, axis: Any = None) -> None:  # noqa: D102
        event.accept()
        places = (self.mapSceneToView(one).x() for one in (event.lastScenePos(), event.scenePos()))
        before, now = places
        self._gesture("move", float(before - now), 0.0)

    def mouseClickEvent(self, event: Any) -> None:  # noqa: D102
        event.accept()
        if event.double():
            self._picks.stop()
            self._gesture("follow", 0.0, 0.0)
        elif event.button() == Qt.MouseButton.LeftButton:
            self._about = float(self.mapSceneToView(event.scenePos()).x())
            self._picks.start()  # unless a second click follows


class ChartName(ElidedLabel):
    """The name of a quantity. Emits `statistics_wanted` at a double click, or from its menu."""

    statistics_wanted = Signal()

    def __init__(self) -> None:
        super().__init__(bold=True, grows=True)

    def copy_menu(self) -> QMenu:
        """Return the menu of all words with an entry for the statistics."""
        menu = super().copy_menu()
        menu.addSeparator()
        menu.addAction(f"Statistics of {self.text()}").triggered.connect(
            lambda _=False: self.statistics_wanted.emit()
        )
        return menu

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: D102
        event.accept()
        self.statistics_wanted.emit()


class StripChart(QWidget):
    """A small plot with its name, newest value and unit above it."""

    def __init__(
        self,
        quantity: Quantity,
        tell: Callable[[int], str],
        gesture: Callable[[str, float, float], None],
        *,
        steps: bool = False,
    ) -> None:
        """`tell` writes the hover text of a drop; `steps`: a setpoint, drawn as a staircase.

        `gesture` hears of zoom (factor, about), move, follow and pick, in drops; `quantity` is
        shown in the unit that people read.
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
        self._plot: Any = pg.PlotWidget(viewBox=ReachBox(gesture))
        self._dress_plot()
        self._make_items()
        head = in_row(
            (self.name, 1), self._share, self._newest, margins_px=(4, 0, 2, 0), spacing_px=3
        )
        in_column(head, (self._plot, 1), on=self, margins_px=(0, 0, 0, 0), spacing_px=0)

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
        """Draw drops `first` to `last`; target and tolerance in SI, `beside` dashed."""
        self._series = series
        ends = [*series.extent(), *(beside.extent() if beside is not None else ())]
        ends += self._draw_target(target, tolerance)
        self._range.follow(float(np.nanmin(ends)), float(np.nanmax(ends)))
        end = last + 0.5 + 0.02 * (last - first)
        self._box.setRange(xRange=(first - 0.5, end), yRange=self._range.limits, padding=0)
        self._draw_values(series)
        self._beside.setVisible(beside is not None)
        if beside is not None:
            self._draw_line(self._beside, beside)
        # else the new range is found while painting, and all is painted twice
        self._plot.scene().prepareForPaint()

    def _draw_target(self, target: float | None, tolerance: float | None) -> list[float]:
        """Draw what the values are to come to (SI); return the ends that must be seen of it."""
        self._target.setVisible(target is not None)
        self._band.setVisible(target is not None and tolerance is not None)
        if target is None:
            return []
        scale = self.quantity.shown_scale
        ends = [(target + side * (tolerance or 0.0)) * scale for side in (-1.0, 1.0)]
        self._target.setValue(target * scale)
        self._band.setRegion(ends)
        return ends

    def _draw_values(self, series: Series) -> None:
        good = np.isfinite(series.values)
        self._draw_line(self._line, series)
        few = len(series.drops) <= MOST_MARKS
        shown = good if few and not self._steps else np.zeros_like(good)
        self._marks.setData(series.drops[shown], series.values[shown])
        bars = good & np.isfinite(series.errors) & few
        drops, values, errors = (one[bars] for one in (series.drops, series.values, series.errors))
        self._bars.setData(x=drops, y=values, height=2 * errors)
        # what is empty is asked for its size a dozen times all the same
        self._marks.setVisible(bool(np.any(shown)))
        self._bars.setVisible(bool(np.any(bars)))
        self._draw_gaps(series.drops[~good])

    def _draw_gaps(self, drops: Array) -> None:
        """Mark drops without a value along the lower end."""
        low, high = self._range.limits
        some = drops[:: 1 + len(drops) // MOST_GAPS]
        self._gaps.setData(some, np.full(some.shape, low + 0.05 * (high - low)))
        self._gaps.setVisible(len(some) > 0)

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
        self._plot.setMinimumSize(110, 56)
        self._plot.setAccessibleName(f"chart of {self.quantity.name}")
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._box: Any = self._plot.getViewBox()
        dress_plot(self._plot, 44, 15)
        self._plot.scene().sigMouseMoved.connect(self._hover)

    def _make_items(self) -> None:
        line = faint(SERIES, 255 if self._steps else 130)
        dashed = Qt.PenStyle.DashLine
        self._band = self._item(tolerance_band())
        self._target = self._item(pg.InfiniteLine(angle=0, pen=pg.mkPen(DIM, style=dashed)))
        self._line = self._item(_curve(pg.mkPen(line, width=1)))
        self._beside = self._item(_curve(pg.mkPen(SHADOW, width=1, style=dashed)))
        none = np.empty(0)
        self._bars = self._item(pg.ErrorBarItem(x=none, y=none, height=none, pen=pg.mkPen(line)))
        self._marks = self._item(_scatter(4, "o", None, pg.mkBrush(SERIES)))
        self._gaps = self._item(_scatter(7, "t1", pg.mkPen(LOOK), None))

    def _item(self, item: Any) -> Any:
        """Add an item that does not count for any range, over those before it."""
        self._plot.addItem(item, ignoreBounds=True)
        return item

    def _hover(self, place: QPointF) -> None:
        if self._series is None or not len(self._series.drops):
            return
        wanted = self._box.mapSceneToView(place).x()
        nearest = int(np.argmin(np.abs(self._series.drops - wanted)))
        QToolTip.showText(QCursor.pos(), self._tell(int(self._series.drops[nearest])), self._plot)


def _curve(pen: Any) -> Any:
    return pg.PlotCurveItem(pen=pen, connect="finite")


def _scatter(size_px: int, symbol: str, pen: Any, brush: Any) -> Any:
    return pg.ScatterPlotItem(size=size_px, symbol=symbol, pen=pen, brush=brush, pxMode=True)
