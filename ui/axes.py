"""The axes of every plot in the window: small figures in a quiet colour, in room that does not change."""

from __future__ import annotations

from typing import Any

from ui.theme import DIM, room_px, text_font


def dress_axes(plot: Any, left_px: float, bottom_px: float) -> None:
    """Dress both axes of a pyqtgraph plot; pixels at the usual size of type."""
    for side in ("left", "bottom"):
        axis = plot.getAxis(side)
        axis.enableAutoSIPrefix(False)
        axis.setTickFont(text_font(-1.5))
        axis.setTextPen(DIM)
        axis.setStyle(tickLength=-3, tickTextOffset=2, hideOverlappingLabels=True, maxTickLevel=0)
        axis.label.setFont(text_font(-1.0))
    plot.getAxis("left").setWidth(room_px(left_px))
    plot.getAxis("bottom").setHeight(room_px(bottom_px))
