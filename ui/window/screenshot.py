"""A picture of the window after so many drops, for guides and for whoever is not there."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer
from PySide6.QtWidgets import QMainWindow

from magis_calib.state.snapshot import Snapshot

log = logging.getLogger(__name__)

LOOK_MS = 100
SETTLE_S = 1.0
"""From showing a window to when its docks surely are laid out."""


class Screenshot(QObject):
    """Waits for the drops, draws everything once more, saves the picture and leaves."""

    def __init__(
        self,
        window: QMainWindow,
        file: Path,
        drops: int,
        newest: Callable[[], Snapshot],
        draw: Callable[[], object],
        leave: Callable[[], object],
    ) -> None:
        """Save `window` to `file` after so many `drops`, or at the end of the run.

        `newest` gives the newest snapshot, `draw` draws all, `leave` ends run and window.
        """
        super().__init__(window)
        self._window = window
        self._file = file
        self._drops = drops
        self._newest = newest
        self._draw = draw
        self._leave = leave
        self.saved = False
        self._settled_s = time.monotonic() + SETTLE_S
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._try)
        self._timer.start()

    def _try(self) -> None:
        snapshot = self._newest()
        counts = snapshot.counters
        if time.monotonic() < self._settled_s:
            return
        if not snapshot.finished and (
            counts.complete + counts.incomplete < self._drops or snapshot.pair is None
        ):
            return
        self._timer.stop()
        self._draw()
        QTimer.singleShot(LOOK_MS, self, self._save)  # what was written may want other room

    def _save(self) -> None:
        self._draw()  # all of it from one moment
        # a word that has grown since is else cut off: a layout follows at the next turn only
        QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
        self.saved = self._window.grab().save(str(self._file))
        if not self.saved:
            log.error("%s: the picture cannot be written", self._file)
        self._leave()
