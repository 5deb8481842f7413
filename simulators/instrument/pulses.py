"""What pulses do to the atoms: Rabi's formula over the Doppler width."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from magis_calib.domain.control import Setpoints
from simulators.instrument.numbers import PlantNumbers

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
"""For the mean over a Gaussian of unit width."""


@dataclass(frozen=True, slots=True)
class Pulses:
    """How far the pulses of one drop are from the best ones."""

    area_error: float
    """Effective pulse area less 1."""
    detuning_hz: float
    """Laser less resonance."""


def pulses_of(numbers: PlantNumbers, places: Setpoints, nominal: Setpoints) -> Pulses:
    """Return what these true places of the actuators make of the pulses.

    Area: setpoint - 1 - hidden offset - loss·(tilt² - nominal tilt²), tilt² summed over both axes
    of the mirror.
    """
    loss = numbers.pulses.area_loss_per_square_tilt * (_square_tilt(places) - _square_tilt(nominal))
    area = places.get("pulse_area", 1.0) - 1.0 - numbers.hidden.pulse_area - loss
    return Pulses(area, places.get("detuning_hz", 0.0) + numbers.hidden.detuning_hz)


def population(pulses: Pulses, numbers: PlantNumbers) -> float:
    """Return the share of the atoms that a pi pulse transfers.

    P = Ω²/(Ω²+d²) sin²(π/2 (1+ε) √(1+(d/Ω)²)), the mean over d with the atoms' Doppler width.
    """
    laser = numbers.pulses
    detuning = (pulses.detuning_hz + laser.doppler_width_hz * _NODES) / laser.rabi_frequency_hz
    stretch = np.sqrt(1.0 + detuning**2)
    transferred = (np.sin(0.5 * math.pi * (1.0 + pulses.area_error) * stretch) / stretch) ** 2
    return float(_WEIGHTS @ transferred / _WEIGHTS.sum())


def contrast(pulses: Pulses, numbers: PlantNumbers) -> float:
    """Return the fringe's contrast: C0 (1 - π²/2 ε²) · P(d)/P(0), P of pulses of the right area."""
    cloud = numbers.cloud
    by_area = max(0.0, 1.0 - cloud.pulse_area_loss * pulses.area_error**2)
    off, on = (
        population(Pulses(0.0, detuning_hz), numbers) for detuning_hz in (pulses.detuning_hz, 0.0)
    )
    return cloud.contrast * by_area * (off / on)


def _square_tilt(places: Setpoints) -> float:
    return sum(places.get(name, 0.0) ** 2 for name in ("mirror_tilt_x_rad", "mirror_tilt_y_rad"))
