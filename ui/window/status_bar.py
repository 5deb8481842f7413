"""The bottom line: the latest answer, what is going on, how old the picture is."""

from __future__ import annotations

import time

from PySide6.QtWidgets import QStatusBar

from magis_calib.state.snapshot import Snapshot
from ui.style.colours import DIM, INFO, LOOK, TEXT
from ui.style.format import age
from ui.widgets.label import RIGHT, ElidedLabel
from ui.window.state_line import counted

KEPT_S = 5.0
"""An answer that was on its way does not hide the window's own word before this."""
SILENT_S = 5.0
"""The engine publishes each second; without a new picture for this long something is stuck."""


class StatusLine:
    """Writes into a window's status bar."""

    def __init__(self, bar: QStatusBar) -> None:
        """`bar`: of the window."""
        self._own = ("", 0)
        self._answered = 0
        self._own_s = 0.0
        self._note = ElidedLabel(grows=True)
        self._drops = ElidedLabel(align=RIGHT)
        self._age = ElidedLabel("▲ no news for 59 min", align=RIGHT)
        bar.setContentsMargins(6, 0, 6, 0)
        bar.setSizeGripEnabled(False)
        bar.addWidget(self._note, 1)
        bar.addPermanentWidget(self._drops)
        bar.addPermanentWidget(self._age)

    def announce(self, text: str) -> None:
        """Say something of the window's own until the next command is answered."""
        self._own = (text, self._answered)
        self._own_s = time.monotonic()

    def refresh(self, snapshot: Snapshot, now_s: float, going_on: str) -> None:
        """Write the line; `going_on` is the window's own word and comes first."""
        answer = snapshot.answer
        self._answered = answer.number if answer is not None else 0
        text, when = self._own
        newer = "" if text and when == self._answered else snapshot.note
        own = text if not newer or time.monotonic() - self._own_s < KEPT_S else ""
        note = " · ".join(part for part in (going_on, newer, own) if part)
        self._note.say(note, INFO if going_on else TEXT, "answer to the latest command")
        counts = snapshot.counters
        incomplete = f", ▲ {counts.incomplete} incomplete" if counts.incomplete else ""
        drops = f"{counts.complete} drops{incomplete}, {counts.usable} usable"
        self._drops.say(
            f"{drops} · {counts.applied} of {counts.sent} corrections applied", DIM, counted(counts)
        )
        old = now_s - snapshot.time_s
        if snapshot.finished:
            self._age.say("■ run ended", TEXT, "nothing more will come")
        elif old > SILENT_S:
            self._age.say(
                f"▲ no news for {age(old)}", LOOK, "the engine has not published; see the log"
            )
        else:
            self._age.say(f"picture {age(old)} old", DIM, "age of the newest snapshot of the run")
