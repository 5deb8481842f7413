"""Run the operator window until it is closed: the one entry into this package."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from ui.run import Run
from ui.theme import dress
from ui.window import MainWindow


def run_window(engine: Run, *, title: str = "magis-calib", close_confirm: bool = True, quit_when_finished: bool = False,
               settings: QSettings | None = None) -> int:  # fmt: skip
    """Show the run and return 0 once the window is closed, which is only after the run has ended.

    Closing the window, SIGINT and SIGTERM all end the run; a signal asks no question.
    """
    found = QApplication.instance()
    app = found if isinstance(found, QApplication) else QApplication([title])
    dress(app)
    kept = settings if settings is not None else QSettings("magis-calib", "magis-calib")
    window = MainWindow(engine, kept, title=title, close_confirm=close_confirm, quit_when_finished=quit_when_finished)
    window.left.connect(app.quit)
    window.show()
    window.tick_all()
    with _signals_leave(window):
        app.exec()
    window.deleteLater()
    return 0


@contextmanager
def _signals_leave(window: MainWindow) -> Iterator[None]:
    """Let SIGINT and SIGTERM leave the window; its timer gives Python the chance to see them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {which: signal.signal(which, lambda *_: window.leave()) for which in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)
