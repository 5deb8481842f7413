"""Run the operator window until it is closed: the one entry into this package."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from magis_calib.host.stopping import on_stop
from ui.run import Run
from ui.style.scheme import Theme, choose
from ui.window.screenshot import Screenshot

if TYPE_CHECKING:
    from ui.window.dock import Arrangement
    from ui.window.main_window import MainWindow


@dataclass(frozen=True, slots=True)
class Look:
    """How the window shall look this time; None: as it was left, or as usual."""

    theme: Theme | None = None
    font_pt: float | None = None
    arrangement: Arrangement | None = None
    size_px: tuple[int, int] | None = None
    screenshot: Path | None = None
    """Save a picture of the window there and leave."""
    drops: int = 1
    """After so many."""


def run_window(
    engine: Run,
    *,
    title: str = "magis-calib",
    close_confirm: bool = True,
    quit_when_finished: bool = False,
    settings: QSettings | None = None,
    look: Look | None = None,
) -> int:
    """Show the run until its window is closed; return 0, or 1 without the picture asked for.

    Closing the window, SIGINT, SIGTERM and SIGHUP all end the run; a signal asks no question.
    """
    look = look or Look()
    found = QApplication.instance()
    app = found if isinstance(found, QApplication) else QApplication([title])
    kept = settings if settings is not None else QSettings("magis-calib", "magis-calib")
    choose(look.theme or kept.value("window/theme"), look.font_pt or kept.value("window/font_pt"))
    window = _window(
        engine, kept, title, close_confirm and look.screenshot is None, quit_when_finished, app
    )
    _apply_look(window, look)
    picture = _picture(window, engine, look)
    window.left.connect(app.quit)
    window.show()
    window.tick_all()
    gc.freeze()  # the window stays: to look through it again takes 0.1 s each time
    with on_stop(window.leave):  # the window's timer gives Python the chance to see signals
        app.exec()
    window.deleteLater()
    return 0 if picture is None or picture.saved else 1


def _window(
    engine: Run,
    settings: QSettings,
    title: str,
    close_confirm: bool,
    quit_when_finished: bool,
    app: QApplication,
) -> MainWindow:
    from ui.style.theme import (
        dress,
    )  # these take their colours when they are imported: after they were chosen
    from ui.window.main_window import MainWindow

    dress(app)
    return MainWindow(
        engine,
        settings,
        title=title,
        close_confirm=close_confirm,
        quit_when_finished=quit_when_finished,
    )


def _apply_look(window: MainWindow, look: Look) -> None:
    """Give the window the size and arrangement that were asked for."""
    if look.size_px is not None:
        window.resize(*look.size_px)
    if look.arrangement is not None or look.size_px is not None:
        window.arrange_soon(look.arrangement)


def _picture(window: MainWindow, engine: Run, look: Look) -> Screenshot | None:
    """Return who takes the picture that was asked for."""
    if look.screenshot is None:
        return None
    return Screenshot(
        window, look.screenshot, look.drops, lambda: engine.snapshot, window.tick_all, window.leave
    )
