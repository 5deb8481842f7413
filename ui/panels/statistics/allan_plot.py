"""How a quantity averages down: overlapping Allan deviation over the number of drops averaged."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt

from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import Quantity
from ui.models.log_ticks import doubling_ticks, positive, round_ticks
from ui.models.plot import Table
from ui.models.selection import Statistics
from ui.style.colours import DIM, SERIES
from ui.widgets.small_plot import SmallPlot

HOVER = """dots: overlapping Allan deviation (NIST SP 1065, eq. 11), errors as of white noise
dashed: what the errors of the fits alone would give, falling with the root of the drops averaged
drops without a number are passed over, as if there had been none:
"usable drops averaged" counts the others"""
LEAST_SHARE = 0.02
"""An error bar reaches down to this share of its value at most: the axis is logarithmic."""


class AllanPlot(SmallPlot):
    """Both axes are logarithmic; items hold logarithms."""

    def __init__(self) -> None:
        super().__init__("usable drops averaged")
        self.setToolTip(HOVER)
        self.line = pg.PlotCurveItem(pen=pg.mkPen(SERIES, width=1))
        self.marks = pg.ScatterPlotItem(size=6, pen=None, brush=pg.mkBrush(SERIES), pxMode=True)
        none = np.empty(0)
        self.bars = pg.ErrorBarItem(x=none, y=none, top=none, bottom=none, pen=pg.mkPen(SERIES))
        self.white = pg.PlotCurveItem(pen=pg.mkPen(DIM, width=1, style=Qt.PenStyle.DashLine))
        self.add(self.white, self.line, self.bars, self.marks)

    def draw(self, found: Statistics, quantity: Quantity) -> None:
        """Draw what was found, in the unit that people read."""
        seen = found.allan.deviations > 0
        lengths = found.allan.lengths[seen].astype(float)
        values, errors = (
            one[seen] * quantity.shown_scale for one in (found.allan.deviations, found.allan.errors)
        )
        white = found.fit_error * quantity.shown_scale / np.sqrt(lengths)
        top = values + errors
        low = np.maximum(values - errors, LEAST_SHARE * values)
        self._draw_values(np.log10(lengths), *(np.log10(one) for one in (values, top, low)))
        self._draw_white(lengths, white)
        self.say_axis("left", f"Allan deviation ({quantity.shown_unit or '1'})")
        ends = positive([*top.tolist(), *low.tolist(), *white.tolist()])
        if ends is not None:
            self._show_decades(lengths, *ends)

    def _draw_values(self, place: Array, height: Array, top: Array, low: Array) -> None:
        """Draw logarithms."""
        self.line.setData(place, height)
        self.marks.setData(place, height)
        self.bars.setData(x=place, y=height, top=top - height, bottom=height - low)

    def _draw_white(self, lengths: Array, white: Array) -> None:
        """Draw what the fits alone would give, where that is known."""
        known = white > 0
        self.white.setData(np.log10(lengths[known]), np.log10(white[known]))

    def _show_decades(self, lengths: Array, least: float, most: float) -> None:
        low = least / 1.25
        high = most * 1.6  # room for the run's name above
        self.getAxis("left").setTicks([round_ticks(low, high)])
        self.getAxis("bottom").setTicks([doubling_ticks(int(lengths[-1]))])
        across = (-0.1, math.log10(lengths[-1]) + 0.1)
        self.show_range(across, (math.log10(low), math.log10(high)))


def allan_table(found: Statistics, quantity: Quantity) -> Table:
    """Return averaging lengths, deviations with errors, and those of the fits alone (SI)."""
    lengths = found.allan.lengths
    name = f"{quantity.name}_allan"
    columns = {
        "drops_averaged": lengths,
        name: found.allan.deviations,
        f"{name}_stderr": found.allan.errors,
        f"{quantity.name}_fit_error": found.fit_error / np.sqrt(lengths),
    }
    units = dict.fromkeys(list(columns)[1:], quantity.unit)
    return Table(
        columns, units, ("overlapping, NIST SP 1065, eq. 11; drops without a number passed over",)
    )
