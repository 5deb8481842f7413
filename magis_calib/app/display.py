"""Whether a window can be shown on this machine."""

from __future__ import annotations

import ctypes
import importlib.util
import os
from pathlib import Path


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
    return "" if os.environ.get("QT_QPA_PLATFORM") else _why_no_display()


def _why_no_display() -> str:
    """Return why the display that is named does not answer: Qt would end the program with a run
    going on.
    """
    wayland = os.environ.get("WAYLAND_DISPLAY")
    if wayland and Path(os.environ.get("XDG_RUNTIME_DIR", "/"), wayland).exists():
        return ""
    display = os.environ.get("DISPLAY")
    if not display:
        return f"no display: WAYLAND_DISPLAY={wayland} does not answer"
    return "" if _answers(display) else f"no display: DISPLAY={display} does not answer"


def _answers(display: str) -> bool:
    """Whether an X server lets us in there; as far as that can be asked."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(display.encode(), None))
    wrong = bool(xcb.xcb_connection_has_error(connection))
    xcb.xcb_disconnect(connection)
    return not wrong
