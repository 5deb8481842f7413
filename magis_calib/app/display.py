"""Whether a window can be shown on this machine."""

from __future__ import annotations

import importlib.util
import os


def draw_off_screen() -> None:
    """Let Qt draw where there is no display: a picture of the window needs none."""
    if not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def why_no_window() -> str:
    """Return why no window can be shown here, or an empty text."""
    if not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
        return "no display (DISPLAY, WAYLAND_DISPLAY and QT_QPA_PLATFORM are not set)"
    if importlib.util.find_spec("PySide6") is None or importlib.util.find_spec("pyqtgraph") is None:
        return "the window needs PySide6 and pyqtgraph: pip install 'magis-calib[gui]'"
    return ""
