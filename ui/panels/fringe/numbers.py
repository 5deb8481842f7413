"""The fringe in numbers, above its profile."""

from __future__ import annotations

import math

from PySide6.QtWidgets import QGridLayout, QWidget

from magis_calib.domain.estimate import ViewEstimate
from magis_calib.domain.quantities import Quantity
from ui.style.colours import DIM, LOOK, PORTS, TEXT
from ui.style.format import raw
from ui.widgets.label import RIGHT, ElidedLabel

WAVE = Quantity("fringe_horizontal_rad_per_m", "κ", "rad/m", "rad/m", 1.0, 1)
PHASE = Quantity("phase_rad", "φ", "rad", "rad", 1.0, 3)
CONTRAST = Quantity("contrast", "C", "1", "", 1.0, 3)


class FringeWords(QWidget):
    """Which drop, the legend, and wavevector, period, phase and contrast."""

    def __init__(self) -> None:
        super().__init__()
        self._title = ElidedLabel()
        self._numbers = ElidedLabel(grows=True)
        self._period = ElidedLabel(align=RIGHT, grows=True)
        grid = QGridLayout(self)
        grid.setContentsMargins(6, 0, 6, 0)
        grid.setVerticalSpacing(0)
        grid.setHorizontalSpacing(10)
        grid.addWidget(self._title, 0, 0)
        for column, (port, shape) in enumerate({"a": "●", "b": "■"}.items(), start=1):
            legend = ElidedLabel()
            legend.say(
                f"{shape} {port}",
                PORTS[port],
                f"port {port}\npoints: electrons of each column · line: fit",
            )
            grid.addWidget(legend, 0, column)
        grid.addWidget(self._period, 0, 3)
        grid.setColumnStretch(3, 1)
        grid.addWidget(self._numbers, 1, 0, 1, 4)

    def say(self, fitted: ViewEstimate) -> None:
        """Write the numbers of this fit; "–" for what cannot be used."""
        self._title.say(f"view {fitted.view} · drop {fitted.drop_id}", DIM, f"model {fitted.model}")
        values = {one.name: fitted.parameters.get(one.name) for one in (WAVE, PHASE, CONTRAST)}
        needs = {WAVE.name: "fringe", PHASE.name: "phase", CONTRAST.name: "contrast"}
        texts, hovers = [], []
        for one in (WAVE, PHASE, CONTRAST):
            found = values[one.name]
            if found is None or needs[one.name] not in fitted.usable_quantities:
                texts.append(f"{one.label} –")
                continue
            written = one.with_error(found.value, found.stderr).replace("-", "−")
            texts.append(f"{one.label} {written} {one.shown_unit}".rstrip())
            hovers.append(raw(one, found.value, found.stderr))
        wave = values[WAVE.name]
        seen = wave is not None and math.isfinite(wave.value) and wave.value != 0.0
        period = f"{2e3 * math.pi / abs(wave.value):.3f} mm" if wave is not None and seen else ""
        self._period.say(period, DIM, "horizontal period of the fringes")
        whole = not fitted.reasons
        text = "  ".join(texts if whole else [*texts, "▲ " + "; ".join(fitted.reasons)])
        self._numbers.say(text, TEXT if whole else LOOK, "\n".join(hovers))
