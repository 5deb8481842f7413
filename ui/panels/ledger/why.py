"""Why: everything about one drop in words, beside its images, fit and residual."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from itertools import starmap, zip_longest

from PySide6.QtWidgets import QTextBrowser, QWidget

from magis_calib.domain.camera import View
from magis_calib.domain.drop_record import DropRecord
from magis_calib.feedback.explanation import sections
from magis_calib.state.snapshot import Snapshot
from ui.models.fit_text import verdict_of
from ui.models.image_history import ImageHistory
from ui.style.colours import DIM, INFO, LOOK
from ui.widgets.boxes import in_column, in_row
from ui.widgets.buttons import push_button
from ui.widgets.label import ElidedLabel

LEFT = ("decision", "measured and expected", "estimate", "times and notes")
RIGHT = ("gates and holds", "setpoints")


HOW = "Click a drop in the trends, or press Return on a line of the ledger."
OF_EARLIER = "the drop before, among those in memory (Ctrl+PgUp)"


class WhyPanel(QWidget):
    """The story of the chosen drop, else of the newest.

    `moved` is called when another one was chosen.
    """

    def __init__(
        self, image_history: ImageHistory, step: Callable[[int], None], newest: Callable[[], None]
    ) -> None:
        """`step` chooses a drop so many later in `image_history`; `newest` follows the newest."""
        super().__init__()
        self._image_history = image_history
        self._told: object = None
        self._title = ElidedLabel(grows=True, bold=True)
        self.text = QTextBrowser()
        self.text.setOpenLinks(False)
        self.text.setAccessibleName("why this was decided")
        self.earlier = push_button("◂ earlier", OF_EARLIER, partial(step, -1))
        self.later = push_button("later ▸", "the drop after (Ctrl+PgDown)", partial(step, 1))
        self.newest = push_button("newest", "follow the newest drop again (Ctrl+End)", newest)
        parts = (self._title, self.earlier, self.later, self.newest)
        line = in_row(*parts, margins_px=(6, 2, 6, 0))
        in_column(line, (self.text, 1), on=self, margins_px=(0, 0, 0, 0), spacing_px=2)

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Tell the story anew where another drop is chosen, or the record has changed."""
        found = self._image_history.record(snapshot)
        chosen = self._image_history.chosen
        self.newest.setEnabled(chosen is not None)
        if found is self._told or found == self._told:
            return
        self._told = found
        colour = DIM if chosen is None else INFO
        if isinstance(found, str):
            self._title.say(found, DIM if chosen is None else LOOK)
            self.text.setHtml(f"<p>{HOW}</p>")
        else:
            which = "the newest drop" if chosen is None else "chosen; the images above show it"
            self._title.say(f"why · drop {found.drop_id} · {which}", colour)
            self.text.setHtml(story(found))


def story(record: DropRecord) -> str:
    """Write what was measured and decided beside what each gate and setpoint said to it."""
    parts = sections(record)
    stopped = {
        "estimate": [True] * len(parts["estimate"]),
        "gates and holds": [not one.passed for one in record.decision.verdicts],
    }
    fits = {f"fit of view {view}": _fit(record, view) for view in record.estimate.views}
    left, right = (
        "".join(_part(title, parts[title], stopped.get(title, ())) for title in titles)
        for titles in (LEFT, RIGHT)
    )
    left += "".join(_part(title, lines) for title, lines in fits.items())
    return f"<table width='100%'><tr><td width='50%'>{left}</td><td>{right}</td></tr></table>"


def _fit(record: DropRecord, view: View) -> list[str]:
    text, _, behind = verdict_of(record.estimate, record.estimate.views[view])
    return [text, *behind.split("\n")]


def _part(title: str, lines: list[str], stopped: Sequence[bool] = ()) -> str:
    """Write a part; `stopped` says of each line whether it stopped the drop."""
    body = "<br>".join(starmap(_line, zip_longest(lines, stopped)))
    return (
        f"<p><span style='color:{DIM}'><b>{escape(title)}</b></span><br>{body}</p>" if lines else ""
    )


def _line(text: str, stopped: bool | None) -> str:
    """Mark with colour and shape what stopped a drop."""
    return f"<span style='color:{LOOK}'>▲ {escape(text)}</span>" if stopped else escape(text)
