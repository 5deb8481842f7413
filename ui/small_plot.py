"""A plot that stands still: no menu, no zoom, small figures in quiet colours, and the run's name in its corner."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import Qt

from ui.axes import dress_axes
from ui.plot_label import PlotLabel


class SmallPlot(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """Whoever draws sets the range. `label` names the run."""

    def __init__(self, below: str) -> None:
        """`below`: what the horizontal axis counts."""
        super().__init__()
        self.setMenuEnabled(False)
        self.hideButtons()
        self.setMouseEnabled(False, False)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumSize(140, 90)
        self.getViewBox().disableAutoRange()
        dress_axes(self, 52, 32)
        self.getAxis("bottom").setLabel(below)
        self.label = PlotLabel(self.getViewBox())

    def show_range(self, across: tuple[float, float], up: tuple[float, float]) -> None:
        """Show this part, and find the new range now: else it is found while painting, and all is painted twice."""
        self.getViewBox().setRange(xRange=across, yRange=up, padding=0)
        self.scene().prepareForPaint()

    def say_axis(self, side: str, text: str) -> None:
        """Write what an axis counts, in its middle: pyqtgraph leaves a changed text where the old one was."""
        axis = self.getAxis(side)
        if axis.labelText != text:
            axis.setLabel(text)
            axis.resizeEvent()

    def add(self, *items: Any) -> None:
        """Add items that do not count for any range."""
        for item in items:
            self.addItem(item, ignoreBounds=True)
