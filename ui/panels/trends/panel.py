"""Strip charts of everything that is reported or set, in three pages."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from PySide6.QtCore import QSettings, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.quantities import ACTUATORS, DIAGNOSTICS, OBSERVABLES, Quantity
from magis_calib.state.health import HEALTH
from magis_calib.state.history import NO_HISTORY, HistoryRows
from magis_calib.state.snapshot import Snapshot
from ui.models.chart_text import beside, kept, newest, older, share, value_at
from ui.models.plot import Origin, Plot
from ui.models.series import by_hand_last, series_of, steered, table_of, within
from ui.models.time_span import CHOICES, followed, kept_inside, remembered_span
from ui.panels.trends.pages import ChartPages
from ui.panels.trends.strip_chart import StripChart
from ui.style.colours import DIM, SHADOW
from ui.style.format import no_drops
from ui.widgets.label import RIGHT, ElidedLabel
from ui.widgets.or_words import OrWords
from ui.widgets.quiet import choice_button

HOW = """how many drops the charts reach back
wheel: zoom · drag: earlier or later · double click: follow the newest again
click: why this drop"""
PAGES: dict[str, tuple[dict[str, Quantity], str]] = {
    "observables": (OBSERVABLES, "the six controlled observables"),
    "health": (
        DIAGNOSTICS | HEALTH,
        "atoms, contrast, residuals, roll …: reported, not controlled",
    ),
    "setpoints": ({}, "setpoints that the atoms of each drop saw"),
}
ROOM_PX = 8
NOT_SOONER_S = 1.0
"""Charts follow new drops no more often than this."""
SETPOINTS = 2
"""Number of the page that is filled when it is first looked at."""


class TrendsPanel(QWidget):
    """Only the page that can be seen is drawn, and only when there are new drops.

    Emits `chosen` with the drop that was clicked, and `statistics_wanted` with the name of a
    quantity.
    """

    chosen = Signal(int)
    statistics_wanted = Signal(str)

    def __init__(self, settings: QSettings) -> None:
        """`settings` keep how far the charts reach."""
        super().__init__()
        self._settings = settings
        self._span = remembered_span(settings.value("trends/span"))
        self._reach: tuple[float, float] | None = None
        """First and last drop that the operator wants to see; None to follow the newest."""
        self._rows: HistoryRows = NO_HISTORY
        self._beside: HistoryRows = NO_HISTORY
        """Of what was or would have been otherwise."""
        self._first_drop = self._newest_drop = 0
        self._by_drop: dict[int, DropRecord] = {}
        self._drawn: tuple[object, ...] = ()
        self._drawn_s = 0.0
        self._span_button = choice_button(f"{CHOICES[self._span]} ▾", HOW, CHOICES, self._set_span)
        self._identity = ElidedLabel(align=RIGHT, larger_pt=-2.0)
        self.pages = ChartPages(self._chart, (self._identity, self._span_button))
        for name, (quantities, hover) in PAGES.items():
            self.pages.add(name, quantities.values(), hover)
        self._content = OrWords(self, self.pages)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102
        super().resizeEvent(event)
        beside = self.pages.tabBar().sizeHint().width() + self._span_button.sizeHint().width()
        self._identity.setMaximumWidth(max(0, self.width() - beside - ROOM_PX))  # the tabs go first

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Draw the charts of the page in sight when drops came or went."""
        if not snapshot.records:
            self._content.say(no_drops(snapshot))
            return
        self._content.show_content()
        self._beside, words = beside(snapshot)
        state = (tuple(sorted(snapshot.targets.items())), words, *self._wanted)
        if self._drawn and self._drawn[0] is snapshot.records and self._drawn[1:] == state:
            return
        self._take(snapshot)
        self._say_identity(words, Origin.of(snapshot))
        for chart in self.pages.in_sight:
            self._draw(chart, snapshot)
        self._drawn = (snapshot.records, *state)
        self._drawn_s = now_s

    def _take(self, snapshot: Snapshot) -> None:
        """Take in what the charts show, and which actuators have one."""
        if self.pages.currentIndex() == SETPOINTS:
            self._follow_actuators(snapshot)  # half a second for the first time
        self._first_drop, self._newest_drop = (
            int(snapshot.history["drop_id"][at]) for at in (0, -1)
        )
        self._rows = self._seen(snapshot.history)
        self._by_drop = {record.drop_id: record for record in snapshot.records}

    def _say_identity(self, beside_words: str, origin: Origin) -> None:
        text = " · ".join(filter(None, (beside_words, origin.identity(self._drops))))
        colour = SHADOW if beside_words else DIM
        self._identity.say(text, colour, "session and drops of all charts here")

    def due(self, now_s: float) -> bool:
        """Say whether to refresh: new drops wait for a moment, what the operator does never."""
        return now_s - self._drawn_s >= NOT_SOONER_S or self._drawn[-3:] != self._wanted

    @property
    def _wanted(self) -> tuple[object, ...]:
        """What the operator wants to see."""
        return self.pages.currentIndex(), self._span, self._reach

    def _draw(self, chart: StripChart, snapshot: Snapshot) -> None:
        quantity = chart.quantity
        first, last = self._reach or followed(self._rows, self._span)
        target = snapshot.targets.get(quantity.name)
        tolerance = snapshot.tolerances.get(quantity.name)
        series = series_of(self._rows, quantity, target or 0.0)
        other = within(self._beside, first, last) if len(self._beside) else None
        dashed = None if other is None else series_of(other, quantity, target or 0.0)
        chart.draw(series, first, last, target, tolerance, dashed)
        chart.say_newest(*newest(snapshot.records[-1], quantity))
        if target is not None and tolerance is not None:
            chart.say_share(*share(self.selected(), quantity, target, tolerance))

    @property
    def _drops(self) -> tuple[int, int]:
        """First and last drop in sight."""
        found = self.selected()["drop_id"]
        return (int(found[0]), int(found[-1])) if len(found) else (0, 0)

    @property
    def reach(self) -> tuple[int, tuple[float, float] | None]:
        """The last so many drops (0: all), and first and last where the operator chose."""
        return self._span, self._reach

    def selected(self, history: HistoryRows | None = None) -> HistoryRows:
        """Return the drops in sight: of those that are drawn, or of this history."""
        rows = self._rows if history is None else self._seen(history)
        if self._reach is None:
            return rows
        return within(rows, *self._reach)

    def plots(self) -> list[Plot]:
        """Return the charts of the page in sight."""
        return [self._plot(chart) for chart in self.pages.in_sight] if len(self._rows) else []

    def _plot(self, chart: StripChart) -> Plot:
        quantity = chart.quantity
        name = f"{quantity.label} ({quantity.shown_unit or '1'}) over drops"
        return Plot(
            name,
            quantity.name,
            chart.view,
            self._drops,
            lambda: table_of(self.selected(), quantity),
        )

    def _tell(self, quantity: Quantity, drop_id: int) -> str:
        """Write the hover text of one drop in one chart."""
        record = self._by_drop.get(drop_id)
        told = older(self._rows, quantity, drop_id) if record is None else kept(record, quantity)
        other = value_at(self._beside, quantity, drop_id)
        return f"{told}\ndashed: {other}" if other else told

    def zoom_or_move(self, gesture: str, by: float, about: float = 0.0) -> None:
        """Zoom by a factor about a drop, move by drops, follow the newest, or pick a drop."""
        if not len(self._rows):
            return
        if gesture == "pick":
            self._pick(about)
        elif gesture == "follow":
            self._reach_to(None)
        else:
            first, last = self._reach or followed(self._rows, self._span)
            zoomed = (about - (about - first) * by, about + (last - about) * by)
            self._reach_to((first + by, last + by) if gesture == "move" else zoomed)

    def _pick(self, about: float) -> None:
        drops = self._rows["drop_id"]
        self.chosen.emit(int(drops[np.argmin(np.abs(drops - about))]))

    def _reach_to(self, reach: tuple[float, float] | None) -> None:
        """Show from this drop to that, or follow the newest."""
        inside = reach and kept_inside(*reach, self._first_drop, self._newest_drop)
        self._reach = inside
        self._say_span()

    def step(self, gesture: str, share: float) -> None:
        """Do the same from the keyboard: zoom about the middle, or move by a share of it."""
        first, last = (
            self._reach or followed(self._rows, self._span) if len(self._rows) else (0.0, 0.0)
        )
        self.zoom_or_move(
            gesture, share if gesture == "zoom" else share * (last - first), (first + last) / 2
        )

    def _seen(self, history: HistoryRows) -> HistoryRows:
        """Return the rows that are drawn, with a neighbour on either side."""
        if self._reach is None:
            return history[-self._span :] if self._span else history
        first, last = np.searchsorted(history["drop_id"], [math.ceil(one) for one in self._reach])
        return history[max(0, int(first) - 1) : int(last) + 2]

    def _say_span(self) -> None:
        words = (
            CHOICES[self._span]
            if self._reach is None
            else "drops {:.0f} – {:.0f}".format(*self._reach)
        )
        self._span_button.setText(f"{words} ▾")

    def _chart(self, quantity: Quantity) -> StripChart:
        chart = StripChart(
            quantity,
            partial(self._tell, quantity),
            self.zoom_or_move,
            steps=quantity.name in ACTUATORS,
        )
        chart.name.statistics_wanted.connect(partial(self.statistics_wanted.emit, quantity.name))
        return chart

    def _follow_actuators(self, snapshot: Snapshot) -> None:
        loop = steered(snapshot.records)
        wanted = [
            ACTUATORS[one.name]
            for one in by_hand_last(snapshot.actuators, loop)
            if one.name in ACTUATORS
        ]
        if wanted and wanted != [chart.quantity for chart in self.pages.charts[SETPOINTS]]:
            self.pages.fill(SETPOINTS, wanted)

    def _set_span(self, span: int) -> None:
        self._span = span
        self._reach = None
        self._say_span()
        self._settings.setValue("trends/span", span)
