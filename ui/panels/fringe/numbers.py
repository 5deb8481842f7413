"""The fringe in numbers, above its profile."""

from __future__ import annotations

import math

from PySide6.QtWidgets import QWidget

from magis_calib.domain.estimate import ViewEstimate
from magis_calib.domain.quantities import Quantity
from ui.style.colours import DIM, LOOK, PORTS, TEXT
from ui.style.format import minus, raw
from ui.widgets.boxes import in_column, in_row
from ui.widgets.label import RIGHT, ElidedLabel

WAVE = Quantity("fringe_horizontal_rad_per_m", "κ", "rad/m", "rad/m", 1.0, 1)
PHASE = Quantity("phase_rad", "φ", "rad", "rad", 1.0, 3)
CONTRAST = Quantity("contrast", "C", "1", "", 1.0, 3)
NEEDS = {WAVE: "fringe", PHASE: "phase", CONTRAST: "contrast"}
"""What must be usable for each to be written."""


class FringeWords(QWidget):
    """Which drop, the legend, and wavevector, period, phase and contrast."""

    def __init__(self) -> None:
        super().__init__()
        self._title = ElidedLabel()
        self._numbers = ElidedLabel(grows=True)
        self._period = ElidedLabel(align=RIGHT, grows=True)
        in_column(
            in_row(
                self._title, _legend("a", "●"), _legend("b", "■"), (self._period, 1), spacing_px=10
            ),
            self._numbers,
            on=self,
            margins_px=(6, 0, 6, 0),
            spacing_px=0,
        )

    def say(self, fitted: ViewEstimate) -> None:
        """Write the numbers of this fit; "–" for what cannot be used."""
        self._title.say(f"view {fitted.view} · drop {fitted.drop_id}", DIM, f"model {fitted.model}")
        self._period.say(_period(fitted), DIM, "horizontal period of the fringes")
        usable = [one for one in NEEDS if _is_usable(fitted, one)]
        texts = [_written(fitted, one) if one in usable else f"{one.label} –" for one in NEEDS]
        hover = "\n".join(_raw(fitted, one) for one in usable)
        whole = not fitted.reasons
        text = "  ".join(texts if whole else [*texts, "▲ " + "; ".join(fitted.reasons)])
        self._numbers.say(text, TEXT if whole else LOOK, hover)


def _legend(port: str, shape: str) -> ElidedLabel:
    legend = ElidedLabel()
    hover = f"port {port}\npoints: electrons of each column · line: fit"
    legend.say(f"{shape} {port}", PORTS[port], hover)
    return legend


def _is_usable(fitted: ViewEstimate, one: Quantity) -> bool:
    return one.name in fitted.parameters and NEEDS[one] in fitted.usable_quantities


def _written(fitted: ViewEstimate, one: Quantity) -> str:
    found = fitted.parameters[one.name]
    written = minus(one.with_error(found.value, found.stderr))
    return f"{one.label} {written} {one.shown_unit}".rstrip()


def _raw(fitted: ViewEstimate, one: Quantity) -> str:
    found = fitted.parameters[one.name]
    return raw(one, found.value, found.stderr)


def _period(fitted: ViewEstimate) -> str:
    """Write the period of the fringes; empty where they have none."""
    wave = fitted.parameters.get(WAVE.name)
    seen = wave is not None and math.isfinite(wave.value) and wave.value != 0.0
    return f"{2e3 * math.pi / abs(wave.value):.3f} mm" if wave is not None and seen else ""
