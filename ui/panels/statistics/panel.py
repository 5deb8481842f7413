"""Statistics of the drops that the trends show: scatter, averaging, tolerance."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES, REPORTED, Quantity
from magis_calib.state.health import HEALTH
from magis_calib.state.history import HistoryRows
from magis_calib.state.snapshot import Snapshot
from ui.models.background import BackgroundTask
from ui.models.plot import Origin, Plot, Table
from ui.models.selection import Selection, Statistics, statistics_of
from ui.panels.statistics.allan_plot import AllanPlot, allan_table
from ui.panels.statistics.histogram_plot import HistogramPlot, histogram_table, what
from ui.style.colours import DIM
from ui.style.format import minus, no_drops, raw
from ui.widgets.boxes import in_column, in_row
from ui.widgets.label import ElidedLabel
from ui.widgets.or_words import OrWords, quiet_words
from ui.widgets.quiet import choice_button

QUANTITIES = REPORTED | HEALTH | ACTUATORS
CHOICES = {name: f"{one.label} ({one.shown_unit or '1'})" for name, one in QUANTITIES.items()}
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
        """`trends` says which drops are looked at; `executor` works their statistics out."""
        super().__init__()
        self.background: BackgroundTask[Selection, Statistics] = BackgroundTask(
            executor, statistics_of
        )
        self._trends = trends
        self._quantity = OBSERVABLES["z_m"]
        self._kept: tuple[object, Selection] | None = None
        self._drawn: tuple[Selection, Statistics] | None = None
        self.allan = AllanPlot()
        self.histogram = HistogramPlot()
        self._button = choice_button("z ▾", "which quantity", CHOICES, self.choose)
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
            self._content.say(no_drops(snapshot))
            return
        self._content.show_content()
        made = self.background.newest(self._selection(snapshot))
        if made is not None and made is not self._drawn:
            self._drawn = made
            self._draw(*made, Origin.of(snapshot))

    def plots(self) -> list[Plot]:
        """Return both plots once they are drawn."""
        if self._drawn is None:
            return []
        selection, found = self._drawn
        quantity = selection.quantity
        name = f"{what(selection)} ({quantity.shown_unit or '1'})"
        numbers = self._written_numbers()

        def plot(kind: str, key: str, view: object, table: Callable[[], Table]) -> Plot:
            words = f"{kind} of {name}"
            return Plot(words, f"{quantity.name}-{key}", view, selection.drops, table, numbers)

        return [
            plot("Allan deviation", "allan", self.allan, lambda: allan_table(found, quantity)),
            plot(
                "histogram", "histogram", self.histogram, lambda: histogram_table(found, selection)
            ),
        ]

    def _written_numbers(self) -> tuple[str, str]:
        """Return the numbers in two lines, for an exported picture."""
        written = [f"{line} {words.text()}" for line, words in self._numbers.items()]
        return "   ".join(written[:2]), "   ".join(written[2:])

    def _selection(self, snapshot: Snapshot) -> Selection:
        """Return what is asked for: the same object for as long as nothing changed."""
        name = self._quantity.name
        target, tolerance = snapshot.targets.get(name), snapshot.tolerances.get(name)
        history = snapshot.history
        newest = int(history["drop_id"][-1]), len(history)
        state = (name, target, tolerance, newest, self._trends.reach)
        if self._kept is None or self._kept[0] != state:
            rows = self._trends.selected(history)
            self._kept = (state, Selection(rows, self._quantity, target, tolerance))
        return self._kept[1]

    def _draw(self, selection: Selection, found: Statistics, origin: Origin) -> None:
        self.allan.draw(found, selection.quantity)
        self.histogram.draw(found, selection)
        for plot in (self.allan, self.histogram):
            plot.label.say(origin.identity(selection.drops))
        text = f"{what(selection)} · {origin.identity(selection.drops)}, {found.usable} usable"
        self._drops.say(text, DIM, "the drops that the trends show")
        for line, (text, hover) in numbers_of(found, selection.quantity).items():
            self._numbers[line].say(minus(text), hover=f"{hover}\n{LINES[line]}".strip())

    def _lay_out(self) -> None:
        content = QWidget()
        in_column(
            in_row(self._button, (self._drops, 1)),
            (in_row((self.allan, 5), (self.histogram, 4), self._grid()), 1),
            on=content,
            margins_px=(4, 0, 6, 0),
            spacing_px=1,
        )
        words = quiet_words()
        words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._content = OrWords(self, content, words)

    def _grid(self) -> QGridLayout:
        """Lay the numbers out, each below its name."""
        grid = QGridLayout()
        for place, (line, hover) in enumerate(LINES.items()):
            name = ElidedLabel()
            name.say(line, DIM, hover)
            grid.addWidget(name, 2 * place, 0)
            grid.addWidget(self._numbers[line], 2 * place + 1, 0)
        grid.setRowStretch(2 * len(LINES), 1)
        grid.setVerticalSpacing(0)
        return grid


def numbers_of(found: Statistics, quantity: Quantity) -> dict[str, tuple[str, str]]:
    """Write the numbers for a person, each with its SI value for the hover; "–" for none."""
    first = [found.allan.deviations[:1], found.allan.errors[:1]]
    allan, allan_error = (float(one[0]) if len(one) else math.nan for one in first)
    ratio = found.scatter / found.fit_error if found.fit_error else math.nan
    return {
        "mean": _number(quantity, found.mean, found.mean_error),
        "s.d.": _number(quantity, found.scatter, _scatter_error(found)),
        "s.d. / fit": (_plain(ratio, ".2f"), ""),
        "Allan, 1 drop": _number(quantity, allan, allan_error),
        "in tolerance": (_plain(100 * found.in_tolerance, ".1f", " %"), ""),
    }


def _scatter_error(found: Statistics) -> float:
    return found.scatter / math.sqrt(2 * (found.usable - 1)) if found.usable > 1 else math.nan


def _plain(value: float, how: str, unit: str = "") -> str:
    return f"{value:{how}}{unit}" if math.isfinite(value) else "–"


def _number(quantity: Quantity, value: float, error: float) -> tuple[str, str]:
    text = f"{quantity.with_error(value, error)} {quantity.shown_unit}".rstrip()
    return text, raw(quantity, value, error)
