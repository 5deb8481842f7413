"""The colours of the theme that was chosen."""

from __future__ import annotations

from ui.style.scheme import SCHEMES, chosen

_COLOURS, _FONT_PT = chosen()
BACKGROUND = _COLOURS.background
PANEL = _COLOURS.panel
RAISED = _COLOURS.raised
LINE = _COLOURS.line
TEXT, DIM = _COLOURS.text, _COLOURS.dim
TRACK, BAND = _COLOURS.track, _COLOURS.band
"""Of the small bars that show where a number lies."""

LOOK = _COLOURS.look
"""Amber: look at it."""
ACT = _COLOURS.act
"""Red: act."""
INFO = _COLOURS.info
"""Blue: information, or a mode that the operator chose."""
SHADOW = _COLOURS.shadow
"""Violet: the loop decides and sends nothing."""
PROCEDURE = _COLOURS.procedure
"""Pink: a procedure moves the setpoints."""

SERIES = _COLOURS.series
PORTS = {"a": _COLOURS.port_a, "b": _COLOURS.port_b}

IMAGE, ON_IMAGE = "#0c0d0f", "#9ba4ad"
"""Images have a dark ground whatever the theme: the map begins at black."""
OVERLAY = {"a": SCHEMES["dark"].port_a, "b": SCHEMES["dark"].port_b}
"""The ports drawn over an image."""
IMAGE_MAP = "inferno"
RESIDUAL_MAP = "CET-D1"
"""Perceptually uniform both: one rises from black, the other diverges from white (Kovesi,
arXiv:1509.03700).
"""
