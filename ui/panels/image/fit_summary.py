"""What the fit of one view says, under its image."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QWidget

from magis_calib.domain.camera import View
from magis_calib.domain.estimate import StationEstimate, ViewEstimate
from ui.models.fit_text import _raw, _widths, _written, verdict_of
from ui.style.colours import DIM, TEXT
from ui.widgets.label import RIGHT, ElidedLabel


class FitWords(QWidget):
    """Two lines: where and how wide; usable or why not.

    The pointer's reading stands at the right.
    """

    def __init__(self, view: View) -> None:
        """`view`: whose fit it is."""
        super().__init__()
        self._view = view
        self._place = ElidedLabel("x −123.4(56) µm  z −123.4(56) µm")
        self._width = ElidedLabel(grows=True)
        self._verdict = ElidedLabel(grows=True)
        self._pointer = ElidedLabel(align=RIGHT, whole=True)
        grid = QGridLayout(self)
        grid.setContentsMargins(6, 0, 6, 2)
        grid.setVerticalSpacing(0)
        grid.setHorizontalSpacing(4)
        grid.addWidget(self._place, 0, 0)
        grid.addWidget(self._width, 0, 1)
        line = QGridLayout()
        line.addWidget(self._verdict, 0, 0)
        line.addWidget(self._pointer, 0, 1)
        grid.addLayout(line, 1, 0, 1, 2)
        self.say(None, None)

    def point(self, reading: str) -> None:
        """Show what lies under the pointer."""
        self._pointer.say(reading, DIM)

    def say(self, station: StationEstimate | None, fitted: ViewEstimate | None) -> None:
        """Write the numbers of this fit."""
        if station is None or fitted is None:
            self._place.say("", DIM)
            self._width.say("", DIM)
            self._verdict.say(
                "– no fit of this view" if station is None else "– " + "; ".join(station.reasons),
                DIM,
            )
            return
        self._place.say(
            "  ".join(_written(station, name) for name in (f"{self._view}_m", "z_m")),
            TEXT,
            "\n".join(_raw(station, name) for name in (f"{self._view}_m", "z_m")),
        )
        self._width.say(
            _widths(fitted),
            TEXT if fitted.usable else DIM,
            "standard deviations of the cloud, horizontal × vertical",
        )
        self._verdict.say(*verdict_of(station, fitted))
