"""A plot that stands still, in quiet colours, with the run's name in its corner."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import QGraphicsSimpleTextItem

from ui.style.colours import DIM
from ui.style.theme import room_px, text_font, tolerance_colour


def dress_axes(plot: Any, left_px: float, bottom_px: float) -> None:
    """Dress both axes of a pyqtgraph plot; pixels at the usual size of type."""
    for side in ("left", "bottom"):
        _dress_axis(plot.getAxis(side))
    plot.getAxis("left").setWidth(room_px(left_px))
    plot.getAxis("bottom").setHeight(room_px(bottom_px))


def _dress_axis(axis: Any) -> None:
    axis.enableAutoSIPrefix(False)
    axis.setTickFont(text_font(-1.5))
    axis.setTextPen(DIM)
    axis.setStyle(tickLength=-3, tickTextOffset=2, hideOverlappingLabels=True, maxTickLevel=0)
    axis.label.setFont(text_font(-1.0))


def faint(colour: str, alpha: int) -> QColor:
    """Return a colour that shines through; `alpha` from 0 to 255."""
    thin = QColor(colour)
    thin.setAlpha(alpha)
    return thin


def tolerance_band() -> Any:
    """Return a horizontal band that cannot be moved."""
    nowhere = (0.0, 0.0)
    none = pg.mkPen(None)
    return pg.LinearRegionItem(nowhere, "horizontal", tolerance_colour(), none, movable=False)


def say_axis(plot: Any, side: str, text: str) -> None:
    """Write what an axis counts, in its middle: pyqtgraph leaves a changed text where it was."""
    axis = plot.getAxis(side)
    if axis.labelText != text:
        axis.setLabel(text)
        axis.resizeEvent()


def dress_plot(plot: Any, left_px: float, bottom_px: float) -> None:
    """Dress the axes of a plot and let it stand still: no menu, no buttons, no range of its own."""
    plot.setMenuEnabled(False)
    plot.hideButtons()
    plot.getViewBox().disableAutoRange()
    dress_axes(plot, left_px, bottom_px)


MARGIN_PX = 4.0


class PlotLabel(QGraphicsSimpleTextItem):
    """A small dim line in the upper right corner of a view box, above the data.

    Where the box is too narrow for all of it, only the drop is left.
    """

    def __init__(self, box: Any, colour: str = DIM) -> None:
        """`box`: a pyqtgraph view box, which owns the label; `colour`: of the text."""
        super().__init__(box)
        self._box = box
        self._whole = ""
        self.setFont(text_font(-2.0))
        self.setBrush(QBrush(QColor(colour)))
        self.setZValue(20)
        box.sigResized.connect(lambda *_: self._place())

    def say(self, text: str) -> None:
        """Write this; the whole of it is on hover."""
        if text != self._whole:
            self._whole = text
            self.setToolTip(text)
            self._place()

    def _place(self) -> None:
        room = float(self._box.width()) - 2 * MARGIN_PX
        self.setText(self._whole)
        if self.boundingRect().width() > room:
            self.setText(self._whole.rpartition(" · ")[2])
        self.setVisible(self.boundingRect().width() <= room)
        self.setPos(self._box.width() - self.boundingRect().width() - MARGIN_PX, 1.0)


class SmallPlot(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """Whoever draws sets the range. `label` names the run."""

    def __init__(self, below: str) -> None:
        """`below`: what the horizontal axis counts."""
        super().__init__()
        self.setMouseEnabled(False, False)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumSize(140, 90)
        dress_plot(self, 52, 32)
        self.getAxis("bottom").setLabel(below)
        self.label = PlotLabel(self.getViewBox())

    def show_range(self, across: tuple[float, float], up: tuple[float, float]) -> None:
        """Show this part (in units of the axes), found now: else all is painted twice."""
        self.getViewBox().setRange(xRange=across, yRange=up, padding=0)
        self.scene().prepareForPaint()

    def say_axis(self, side: str, text: str) -> None:
        """Write what an axis counts."""
        say_axis(self, side, text)

    def add(self, *items: Any) -> None:
        """Add items that do not count for any range."""
        for item in items:
            self.addItem(item, ignoreBounds=True)
