"""The slider over the last drops: which of them the pictures show."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QWidget

from magis_calib.state.snapshot import Snapshot
from ui.models.image_history import ImageHistory
from ui.style.colours import DIM, INFO, LOOK
from ui.style.format import utc_time
from ui.widgets.boxes import in_row
from ui.widgets.buttons import tool_button
from ui.widgets.label import ElidedLabel
from ui.widgets.quiet import FocusSlider


class HistoryBar(QWidget):
    """A strip under the images. What is chosen is seen at the next tick of the window."""

    def __init__(self, image_history: ImageHistory) -> None:
        """`image_history` knows which drops are in memory, and which is chosen."""
        super().__init__()
        self._image_history = image_history
        self._drops: list[int] = []
        self.slider = FocusSlider("drop whose images are shown")
        self.slider.setToolTip(
            "images of the last drops, oldest at the left (Ctrl+PgUp, Ctrl+PgDown)"
        )
        self.slider.valueChanged.connect(self._pick)
        self._where = ElidedLabel("◂ drop 1234567 · 00:00:00 UTC · newest 1234567")
        hover = "follow the newest drop again (Ctrl+End)"
        self.newest = tool_button("newest", hover, self.follow)
        in_row(self._where, (self.slider, 1), self.newest, on=self, margins_px=(6, 0, 6, 1))

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Say which drop is shown, and follow what is in memory."""
        history = self._image_history
        self._drops = history.kept
        chosen = history.chosen
        last = len(self._drops) - 1
        at = last if chosen is None else sum(drop < chosen for drop in self._drops)
        with QSignalBlocker(self.slider):
            self.slider.setMaximum(max(0, last))
            self.slider.setValue(at)
        self.setEnabled(bool(self._drops))
        self.newest.setEnabled(chosen is not None)
        self._where.say(*self._words(snapshot))

    def follow(self) -> None:
        """Show the newest drop again."""
        self._image_history.choose(None)

    def step(self, by: int) -> None:
        """Show an earlier (-1) or a later (+1) drop."""
        self._image_history.step(by)

    def _pick(self, place: int) -> None:
        if self._drops:
            newest = place >= len(self._drops) - 1
            self._image_history.choose(None if newest else self._drops[place])

    def _words(self, snapshot: Snapshot) -> tuple[str, str, str]:
        history = self._image_history
        memory = f"{len(self._drops)} drops are in memory; older ones are read from the recording"
        if history.chosen is None:
            return "images of the newest drop", DIM, memory
        found = history.record(snapshot)
        if isinstance(found, str):
            return f"◂ {found}", LOOK, found
        newest = f" · newest {snapshot.latest.drop_id}" if snapshot.latest is not None else ""
        return f"◂ drop {found.drop_id} · {utc_time(found.time_ns)} UTC{newest}", INFO, memory
