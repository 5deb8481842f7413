"""The live curves of a procedure: a point for each drop, while it runs and after."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QWidget

from magis_calib.state.procedure import Axes, LiveCurve, ProcedureState
from ui.models.plot import Origin, Plot, Table
from ui.style.colours import DIM
from ui.widgets.boxes import in_column, in_row
from ui.widgets.curve_plot import HOVER, SIGNS, CurvePlot, named, parts_of, title
from ui.widgets.label import ElidedLabel
from ui.widgets.quiet import choice_button


class ProcedureCurve(QWidget):
    """The curves of the procedure that runs or has ended last, one at a time.

    Hidden where there is none.
    """

    def __init__(self) -> None:
        super().__init__()
        self.plot = CurvePlot()
        self._said = ElidedLabel(grows=True)
        self._shown: LiveCurve | None = None
        self._origin: Origin | None = None
        self._choices: tuple[Axes, ...] = ()
        self._place = 0
        self.button = choice_button("", "", {}, self.choose)
        self._head = in_row(self.button, (self._said, 1))
        in_column(self._head, self.plot, on=self, margins_px=(0, 0, 0, 0), spacing_px=1)
        self.hide()

    def refresh(self, state: ProcedureState | None, origin: Origin) -> None:
        """Draw what is new of the curve that is looked at."""
        curves = state.curves if state is not None else ()
        self._offer(tuple(curve.axes for curve in curves))
        curve = curves[self._place] if curves else None
        self.setVisible(curve is not None and bool(curve.points))
        if curve is None or not curve.points or curve is self._shown:
            return
        self._shown = curve
        self._origin = origin
        self.plot.draw(curve)
        self.plot.label.say(origin.identity(_drops(curve)))
        name = "" if self.button.isVisibleTo(self) else f"{title(curve.axes)}: "
        words = [f"{name}{len(curve.points)} drops", *_legend(curve)]
        self._said.say("   ".join(words), DIM, HOVER)

    def choose(self, place: int) -> None:
        """Look at this one of the curves from the next refresh on."""
        self._place = place
        self.button.setText(f"{title(self._choices[place])} ▾")

    def plots(self) -> list[Plot]:
        """Return the plot once it is drawn."""
        curve = self._shown
        if curve is None or self._origin is None:
            return []
        up, across = named(curve.axes)
        name = f"{title(curve.axes)}, as measured"
        key = f"{up.name}-{across.name}"
        return [Plot(name, key, self.plot, _drops(curve), lambda: table_of(curve))]

    def _offer(self, choices: tuple[Axes, ...]) -> None:
        """Offer other curves where others are measured now."""
        if choices == self._choices:
            return
        self._choices = choices
        self._place = 0
        self._shown = None
        self._replace_button({place: title(axes) for place, axes in enumerate(choices)})
        self.button.setVisible(len(choices) > 1)
        if choices:
            self.choose(0)

    def _replace_button(self, titles: dict[int, str]) -> None:
        self._head.removeWidget(self.button)
        self.button.deleteLater()
        hover = "which of the curves that are measured together"
        self.button = choice_button("", hover, titles, self.choose)
        self.button.setAccessibleName("which curve of the procedure")
        self._head.insertWidget(0, self.button)


def _legend(curve: LiveCurve) -> list[str]:
    named_parts = [(place, part) for place, part in enumerate(parts_of(curve)) if part]
    return [f"{SIGNS[place % len(SIGNS)][0]} {part}" for place, part in named_parts]


def table_of(curve: LiveCurve) -> Table:
    """Return the points, a row for each drop (SI)."""
    up, across = named(curve.axes)
    units = {one.name: one.unit for one in (up, across) if one.unit}
    units[f"{up.name}_stderr"] = up.unit
    parts = [f"part {number}: {part}" for number, part in enumerate(parts_of(curve), 1) if part]
    return Table(_columns(curve, up.name, across.name), units, tuple(parts))


def _columns(curve: LiveCurve, up: str, across: str) -> dict[str, np.ndarray]:
    rows = curve.points
    parts = parts_of(curve)
    columns = {"drop_id": np.array([one.drop_id for one in rows])}
    if curve.axes.across:
        columns[across] = np.array([one.at for one in rows])
    columns[up] = np.array([one.seen for one in rows])
    columns[f"{up}_stderr"] = np.array([one.stderr for one in rows])
    if len(parts) > 1:
        columns["part"] = np.array([1 + parts.index(one.part) for one in rows])
    return columns


def _drops(curve: LiveCurve) -> tuple[int, int]:
    return curve.points[0].drop_id, curve.points[-1].drop_id
