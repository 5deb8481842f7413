"""The observables and actuators of a station: names, SI units, and the units that people read.

The names are fixed by docs/contracts.md. Everything inside the program and in files is SI; a
`Quantity` converts at the edge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

TWO_PI = 2.0 * math.pi


@dataclass(frozen=True, slots=True)
class Quantity:
    """One named number: its SI unit and how it is shown to people."""

    name: str
    label: str
    unit: str
    shown_unit: str
    shown_scale: float
    """Multiply an SI value by this to get the shown value."""
    decimals: int = 2

    def shown(self, value: float, finest: float = math.inf) -> str:
        """Write an SI value for a person, without the unit; "–" when there is none.

        `finest`: an SI difference that must be seen; it may ask for more decimals than usual, at
        most for nine.
        """
        decimals = self.decimals
        if 0 < finest < math.inf:
            decimals = max(decimals, min(9, -math.floor(math.log10(finest * self.shown_scale))))
        text = f"{value * self.shown_scale:.{decimals}f}"
        return "–" if not math.isfinite(value) else text.lstrip("-") if float(text) == 0 else text

    def with_unit(self, value: float) -> str:
        """Write an SI value for a person, with the unit."""
        return f"{self.shown(value)} {self.shown_unit}"

    def with_error(self, value: float, stderr: float) -> str:
        """Write value(error) in shown units, the error in units of the last digits: 3.2(24)."""
        if not math.isfinite(value):
            return "–"
        if not math.isfinite(stderr) or stderr <= 0:
            return self.shown(value)
        shown, error = value * self.shown_scale, stderr * self.shown_scale
        digits = min(6, max(0, 1 - math.floor(math.log10(error))))
        scaled = round(error * 10**digits)
        text = f"{shown:.{digits}f}"
        return f"{text.lstrip('-') if float(text) == 0 else text}({scaled})"


def _table(*rows: Quantity) -> dict[str, Quantity]:
    return {row.name: row for row in rows}


OBSERVABLES = _table(
    Quantity("x_m", "x", "m", "µm", 1e6, 1),
    Quantity("y_m", "y", "m", "µm", 1e6, 1),
    Quantity("z_m", "z", "m", "µm", 1e6, 1),
    Quantity("fringe_x_rad_per_m", "κx", "rad/m", "rad/m", 1.0, 1),
    Quantity("fringe_z_rad_per_m", "κz", "rad/m", "rad/m", 1.0, 1),
    Quantity("phase_rad", "φ", "rad", "rad", 1.0, 3),
)
"""The six controlled observables, in the order of every vector and matrix."""

CLOSING_ORDER = (
    ("x_m", "y_m", "z_m"),
    ("fringe_x_rad_per_m", "fringe_z_rad_per_m"),
    ("phase_rad",),
)
"""Position before the wavevector before the phase: what comes later depends on what was before."""

DIAGNOSTICS = _table(
    Quantity("atoms", "atoms", "1", "10⁶", 1e-6, 3),
    Quantity("contrast", "contrast", "1", "", 1.0, 3),
    Quantity("port_fraction", "port fraction", "1", "", 1.0, 4),
    Quantity("width_x_m", "width x", "m", "mm", 1e3, 3),
    Quantity("width_y_m", "width y", "m", "mm", 1e3, 3),
    Quantity("width_z_m", "width z", "m", "mm", 1e3, 3),
)
"""Reported with every estimate, not controlled."""

ACTUATORS = _table(
    Quantity("trap_x_m", "trap x", "m", "µm", 1e6, 2),
    Quantity("trap_y_m", "trap y", "m", "µm", 1e6, 2),
    Quantity("launch_tilt_x_rad", "launch tilt x", "rad", "µrad", 1e6, 2),
    Quantity("launch_tilt_y_rad", "launch tilt y", "rad", "µrad", 1e6, 2),
    Quantity("launch_frequency_hz", "launch frequency", "Hz", "kHz", 1e-3, 4),
    Quantity("mirror_tilt_x_rad", "mirror tilt x", "rad", "µrad", 1e6, 2),
    Quantity("mirror_tilt_y_rad", "mirror tilt y", "rad", "µrad", 1e6, 2),
    Quantity("timing_asymmetry_s", "timing asymmetry", "s", "µs", 1e6, 3),
    Quantity("final_pulse_phase_rad", "final pulse phase", "rad", "rad", 1.0, 4),
    Quantity("pulse_area", "pulse area", "1", "", 1.0, 4),
    Quantity("detuning_hz", "detuning", "Hz", "kHz", 1e-3, 4),
    Quantity("coriolis_rate_x_rad_per_s", "Coriolis rate x", "rad/s", "µrad/s", 1e6, 2),
    Quantity("coriolis_rate_y_rad_per_s", "Coriolis rate y", "rad/s", "µrad/s", 1e6, 2),
    Quantity("interrogation_time_s", "interrogation time", "s", "ms", 1e3, 3),
    Quantity("focus_m", "focus", "m", "mm", 1e3, 3),
)
"""All actuators a controller may describe; the loop moves those that the configuration names."""

REPORTED = OBSERVABLES | DIAGNOSTICS


def wrap_phase(phase_rad: float) -> float:
    """Return the phase in (−π, π]."""
    wrapped = math.remainder(phase_rad, TWO_PI)
    return math.pi if wrapped == -math.pi else wrapped


def wrap_error(observable: str, error: float) -> float:
    """Return an error of an observable: modulo 2π for the phase, unchanged for all others."""
    return wrap_phase(error) if observable == "phase_rad" else error


END_OF_TIME_NS = 253_402_300_800_000_000_000
"""The year 10000: no calendar goes further."""


def utc_moment(time_ns: int) -> str:
    """Write date and time (UTC) with milliseconds; a number that is no such time stays one."""
    if not 0 <= time_ns < END_OF_TIME_NS:
        return f"{time_ns} ns since 1970"
    return datetime.fromtimestamp(time_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"


def quantity_of(name: str) -> Quantity:
    """Return an actuator's quantity; one that this program does not know keeps its name and SI."""
    return ACTUATORS.get(name, Quantity(name, name.replace("_", " "), "1", "", 1.0, 4))
