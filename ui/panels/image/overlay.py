"""The fit drawn over an image: crosses, one and two widths, bright fringes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from ui.models.marks import Marks
from ui.models.outline import Outline
from ui.style.colours import OVERLAY
from ui.style.scheme import SCHEMES
from ui.style.theme import text_font

MASKED = QColor(190, 196, 202, 130)
SATURATED = SCHEMES["dark"].act
HALO = QColor(0, 0, 0, 170)


class PortLines:
    """The lines of one port in a view box."""

    def __init__(self, box: Any, port: str) -> None:
        colour = QColor(OVERLAY[port])
        faint = QColor(colour)
        faint.setAlpha(110)
        halo = pg.mkPen(HALO, width=3)
        self._crests = pg.PlotCurveItem(pen=pg.mkPen(faint, width=1), connect="finite")
        self._two = pg.PlotCurveItem(pen=pg.mkPen(colour, width=1, style=Qt.PenStyle.DashLine))
        self._one = pg.PlotCurveItem(pen=pg.mkPen(colour, width=1), shadowPen=halo)
        self._cross = pg.PlotCurveItem(
            pen=pg.mkPen(colour, width=1), shadowPen=halo, connect="finite"
        )
        self._name = pg.TextItem(port, color=colour, anchor=(1.0, 0.5))
        self._name.setFont(text_font(1.0, bold=True))
        self._items = (self._crests, self._two, self._one, self._cross, self._name)
        for item in self._items:
            item.setZValue(5)
            box.addItem(item, ignoreBounds=True)

    def draw(self, outline: Outline | None, visible: bool) -> None:
        """Draw these lines, or none."""
        for item in self._items:
            item.setVisible(visible and outline is not None)
        if outline is None or not visible:
            return
        self._crests.setData(*outline.crests)
        self._two.setData(*outline.two_sigma)
        self._one.setData(*outline.one_sigma)
        self._cross.setData(*outline.cross)
        self._name.setPos(float(np.min(outline.two_sigma[0])) - 0.3, outline.up_mm)


class MarkItems:
    """Saturated pixels as crosses, masked ones as dots: a camera may have thousands."""

    def __init__(self, box: Any) -> None:
        self._masked = pg.ScatterPlotItem(size=3, symbol="s", pen=None, brush=pg.mkBrush(MASKED))
        self._saturated = pg.ScatterPlotItem(
            size=7, symbol="x", pen=pg.mkPen(SATURATED, width=1), brush=None
        )
        for item in (self._masked, self._saturated):
            item.setZValue(4)
            box.addItem(item, ignoreBounds=True)

    def draw(self, marks: Marks | None) -> None:
        """Draw these marks, or none."""
        for item, places in (
            (self._masked, marks and marks.masked),
            (self._saturated, marks and marks.saturated),
        ):
            item.setData(*(places or (np.empty(0), np.empty(0))))


class ScaleBar:
    """A bar of a round length in the lower left corner of what can be seen of the image."""

    def __init__(self, box: Any) -> None:
        white = QColor(235, 235, 235)
        self._bar = pg.PlotCurveItem(
            pen=pg.mkPen(white, width=3), shadowPen=pg.mkPen(HALO, width=5)
        )
        self._text = pg.TextItem("", color=white, anchor=(0.5, 1.0))
        self._text.setFont(text_font(-1.0))
        for item in (self._bar, self._text):
            item.setZValue(6)
            box.addItem(item, ignoreBounds=True)

    def draw(self, left_mm: float, bottom_mm: float, width_mm: float, height_mm: float) -> None:
        """Lay the bar into this rectangle."""
        length = max(
            one
            for one in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
            if one <= max(0.1, width_mm / 6)
        )
        left, up = left_mm + 0.03 * width_mm, bottom_mm + 0.05 * height_mm
        self._bar.setData(np.array([left, left + length]), np.array([up, up]))
        self._text.setText(f"{length:g} mm")
        self._text.setPos(left + length / 2, up)
