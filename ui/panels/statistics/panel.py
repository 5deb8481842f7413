"""Statistics of the drops that the trends show: how one quantity scatters, averages down, and keeps
its tolerance.
"""

from __future__ import annotations

import math
from concurrent.futures import Executor
from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QStackedLayout, QVBoxLayout, QWidget

from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES, REPORTED, Quantity
from magis_calib.state.health import HEALTH
from magis_calib.state.history import HistoryRows
from magis_calib.state.snapshot import Snapshot
from ui.models.background import BackgroundTask
from ui.models.plot import Origin, Plot
from ui.models.selection import Selection, Statistics, statistics_of
from ui.panels.statistics.allan_plot import AllanPlot, allan_table
from ui.panels.statistics.histogram_plot import HistogramPlot, histogram_table, what
from ui.style.colours import DIM
from ui.style.format import missing, raw
from ui.widgets.label import ElidedLabel
from ui.widgets.quiet import choice_button

QUANTITIES = REPORTED | HEALTH | ACTUATORS
LINES = {
    "mean": "standard error as if the drops were independent of each other: s.d. / √usable",
    "s.d.": "standard deviation from drop to drop",
    "s.d. / fit": "over the root mean square of the errors that the fits give: 1 where the fits "
    "explain all of it",
    "Allan, 1 drop": "Allan deviation between neighbouring usable drops; smaller than the s.d. "
    "where it drifts",
    "in tolerance": "share of the usable drops within tolerance of the target in force at each",
}


class DropsInSight(Protocol):
    """Says which drops are looked at."""

    @property
    def reach(self) -> tuple[int, tuple[float, float] | None]:
        """The last so many drops (0: all), and first and last where the operator chose."""

    def selected(self, history: HistoryRows) -> HistoryRows:
        """Return the drops of this history that are in sight."""


class StatisticsPanel(QWidget):
    """Follows the reach of the trends.

    Worked out beside the GUI thread, and only while it can be seen.
    """

    def __init__(self, executor: Executor, trends: DropsInSight) -> None:
        """`trends`: says which drops are looked at."""
        super().__init__()
        self.background: BackgroundTask[Selection, Statistics] = BackgroundTask(
            executor, statistics_of
        )
        self._trends = trends
        self._quantity = OBSERVABLES["z_m"]
        self._asked: tuple[object, Selection] | None = None
        self._drawn: tuple[Selection, Statistics] | None = None
        self.allan = AllanPlot()
        self.histogram = HistogramPlot()
        choices = {
            name: f"{one.label} ({one.shown_unit or '1'})" for name, one in QUANTITIES.items()
        }
        self._button = choice_button(
            f"{self._quantity.label} ▾", "which quantity", choices, self.choose
        )
        self._drops = ElidedLabel(grows=True)
        self._numbers = {line: ElidedLabel() for line in LINES}
        self._lay_out()

    def choose(self, name: str) -> None:
        """Show the statistics of this quantity from the next refresh on."""
        self._quantity = QUANTITIES[name]
        self._button.setText(f"{self._quantity.label} ▾")

    def settle(self) -> None:
        """Wait for what is worked out aside."""
        self.background.settle()

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Draw what was worked out last, and have what is in sight now worked out."""
        if not snapshot.records:
            self._empty.setText("No drops yet\n\n" + missing(snapshot, "drop_system"))
            self._stack.setCurrentWidget(self._empty)
            return
        self._stack.setCurrentWidget(self._shown)
        made = self.background.newest(self._selection(snapshot))
        if made is not None and made is not self._drawn:
            self._drawn = made
            self._draw(*made, Origin.of(snapshot))

    def plots(self) -> list[Plot]:
        """Return both plots once they are drawn."""
        if self._drawn is None:
            return []
        asked, found = self._drawn
        quantity = asked.quantity
        name = f"{what(asked)} ({quantity.shown_unit or '1'})"
        written = [f"{line} {words.text()}" for line, words in self._numbers.items()]
        numbers = "   ".join(written[:2]), "   ".join(written[2:])
        return [
            Plot(
                f"Allan deviation of {name}",
                f"{quantity.name}-allan",
                self.allan,
                asked.drops,
                lambda: allan_table(found, quantity),
                numbers,
            ),
            Plot(
                f"histogram of {name}",
                f"{quantity.name}-histogram",
                self.histogram,
                asked.drops,
                lambda: histogram_table(found, asked),
                numbers,
            ),
        ]

    def _selection(self, snapshot: Snapshot) -> Selection:
        """Return what is asked for: the same object for as long as nothing changed."""
        name = self._quantity.name
        target, tolerance = snapshot.targets.get(name), snapshot.tolerances.get(name)
        history = snapshot.history
        newest = int(history["drop_id"][-1]), len(history)
        state = (name, target, tolerance, newest, self._trends.reach)
        if self._asked is None or self._asked[0] != state:
            self._asked = (
                state,
                Selection(self._trends.selected(history), self._quantity, target, tolerance),
            )
        return self._asked[1]

    def _draw(self, asked: Selection, found: Statistics, origin: Origin) -> None:
        self.allan.draw(found, asked.quantity)
        self.histogram.draw(found, asked)
        for plot in (self.allan, self.histogram):
            plot.label.say(origin.identity(asked.drops))
        text = f"{what(asked)} · {origin.identity(asked.drops)}, {found.usable} usable"
        self._drops.say(text, DIM, "the drops that the trends show")
        for line, (text, hover) in numbers_of(found, asked.quantity).items():
            self._numbers[line].say(text.replace("-", "−"), hover=f"{hover}\n{LINES[line]}".strip())

    def _lay_out(self) -> None:
        head, middle, numbers = QHBoxLayout(), QHBoxLayout(), QGridLayout()
        head.addWidget(self._button)
        head.addWidget(self._drops, 1)
        for row, (line, hover) in enumerate(LINES.items()):
            name = ElidedLabel()
            name.say(line, DIM, hover)
            numbers.addWidget(name, 2 * row, 0)
            numbers.addWidget(self._numbers[line], 2 * row + 1, 0)
        numbers.setRowStretch(2 * len(LINES), 1)
        numbers.setVerticalSpacing(0)
        middle.addWidget(self.allan, 5)
        middle.addWidget(self.histogram, 4)
        middle.addLayout(numbers)
        self._shown = QWidget()
        self._empty = QLabel()
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._empty.setStyleSheet(f"color: {DIM}; padding: 16px;")
        column = QVBoxLayout(self._shown)
        column.setContentsMargins(4, 0, 6, 0)
        column.setSpacing(1)
        column.addLayout(head)
        column.addLayout(middle, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._shown)


def numbers_of(found: Statistics, quantity: Quantity) -> dict[str, tuple[str, str]]:
    """Write the numbers for a person, each with its SI value for the hover.

    "–" where there is none.
    """
    ratio = found.scatter / found.fit_error if found.fit_error else math.nan
    first = [found.allan.deviations[:1], found.allan.errors[:1]]
    allan, allan_error = (float(one[0]) if len(one) else math.nan for one in first)
    scatter_error = (
        found.scatter / math.sqrt(2 * (found.usable - 1)) if found.usable > 1 else math.nan
    )
    return {
        "mean": _number(quantity, found.mean, found.mean_error),
        "s.d.": _number(quantity, found.scatter, scatter_error),
        "s.d. / fit": (f"{ratio:.2f}" if math.isfinite(ratio) else "–", ""),
        "Allan, 1 drop": _number(quantity, allan, allan_error),
        "in tolerance": (
            f"{100 * found.in_tolerance:.1f} %" if math.isfinite(found.in_tolerance) else "–",
            "",
        ),
    }


def _number(quantity: Quantity, value: float, error: float) -> tuple[str, str]:
    return f"{quantity.with_error(value, error)} {quantity.shown_unit}".rstrip(), raw(
        quantity, value, error
    )
