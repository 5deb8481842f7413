"""The fit drawn over an image: crosses, one and two widths, bright fringes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont

from ui.models.marks import Marks
from ui.models.outline import Outline
from ui.style.colours import OVERLAY
from ui.style.scheme import SCHEMES
from ui.style.theme import text_font
from ui.widgets.small_plot import faint

MASKED = QColor(190, 196, 202, 130)
SATURATED = SCHEMES["dark"].act
ROUND_MM = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
"""Lengths that the scale may have."""
HALO = QColor(0, 0, 0, 170)


class PortLines:
    """The lines of one port in a view box."""

    def __init__(self, box: Any, port: str) -> None:
        """Add the lines of `port` (a or b) to `box`, a pyqtgraph view box in mm."""
        colour = OVERLAY[port]
        line, halo = pg.mkPen(colour, width=1), pg.mkPen(HALO, width=3)
        crests = pg.mkPen(faint(colour, 110), width=1)
        dashes = pg.mkPen(colour, width=1, style=Qt.PenStyle.DashLine)
        self._crests = pg.PlotCurveItem(pen=crests, connect="finite")
        self._two = pg.PlotCurveItem(pen=dashes)
        self._one = pg.PlotCurveItem(pen=line, shadowPen=halo)
        self._cross = pg.PlotCurveItem(pen=line, shadowPen=halo, connect="finite")
        self._name = _text(port, colour, (1.0, 0.5), text_font(1.0, bold=True))
        self._items = (self._crests, self._two, self._one, self._cross, self._name)
        _add(box, 5, *self._items)

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
        """Add the marks to `box`, a pyqtgraph view box in mm."""
        self._masked = pg.ScatterPlotItem(size=3, symbol="s", pen=None, brush=pg.mkBrush(MASKED))
        self._saturated = pg.ScatterPlotItem(
            size=7, symbol="x", pen=pg.mkPen(SATURATED, width=1), brush=None
        )
        _add(box, 4, self._masked, self._saturated)

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
        """Add the bar to `box`, a pyqtgraph view box in mm."""
        white = QColor(235, 235, 235)
        self._bar = pg.PlotCurveItem(
            pen=pg.mkPen(white, width=3), shadowPen=pg.mkPen(HALO, width=5)
        )
        self._text = _text("", white, (0.5, 1.0), text_font(-1.0))
        _add(box, 6, self._bar, self._text)

    def draw(self, left_mm: float, bottom_mm: float, width_mm: float, height_mm: float) -> None:
        """Lay the bar into this rectangle."""
        length = max(one for one in ROUND_MM if one <= max(ROUND_MM[0], width_mm / 6))
        left, up = left_mm + 0.03 * width_mm, bottom_mm + 0.05 * height_mm
        self._bar.setData(np.array([left, left + length]), np.array([up, up]))
        self._text.setText(f"{length:g} mm")
        self._text.setPos(left + length / 2, up)


def _text(text: str, colour: QColor | str, anchor: tuple[float, float], font: QFont) -> Any:
    item = pg.TextItem(text, color=colour, anchor=anchor)
    item.setFont(font)
    return item


def _add(box: Any, height: int, *items: Any) -> None:
    """Add items that do not count for any range, so high above the image."""
    for item in items:
        item.setZValue(height)
        box.addItem(item, ignoreBounds=True)
