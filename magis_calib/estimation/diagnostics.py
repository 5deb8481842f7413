"""What a two-port fit says of the instrument: the camera's roll, the antiphase of the ports."""

from __future__ import annotations

import math

import numpy as np

from magis_calib.domain.estimate import Value
from magis_calib.domain.quantities import wrap_phase
from magis_calib.estimation.covariance import sigma_along
from magis_calib.estimation.fit import Fit
from magis_calib.estimation.grid import Grid, images_of
from magis_calib.estimation.port import PORTS
from magis_calib.estimation.two_port import TwoPort, displacements_of


def diagnostics(fit: Fit, model: TwoPort) -> dict[str, Value]:
    """Return `roll_rad` and `port_phase_difference_rad`, each where the fit can tell it."""
    found = {}
    if {name for parts in PORTS.values() for name in parts[1:]} <= set(fit.names):
        found["roll_rad"] = _roll(fit, model)
    if "phase_rad" in fit.names:
        found["port_phase_difference_rad"] = _port_phase_difference(fit, model)
    return found


def _roll(fit: Fit, model: TwoPort) -> Value:
    """Lean of the line between the ports against its nominal lean.

    Positive where the upper port lies to the right.
    """
    nominal = displacements_of(model.camera)
    right = [PORTS[port][1] for port in ("a", "b")]
    up = [PORTS[port][2] for port in ("a", "b")]
    across = fit.values[right[0]] - fit.values[right[1]]
    along = fit.values[up[0]] - fit.values[up[1]]
    wanted = math.atan2(nominal["a"][0] - nominal["b"][0], nominal["a"][1] - nominal["b"][1])
    slope = np.array([along, -along, -across, across]) / (across**2 + along**2)
    lean = wrap_phase(math.atan2(across, along) - wanted)
    return Value(lean, sigma_along(fit, (*right, *up), slope))


def _port_phase_difference(fit: Fit, model: TwoPort) -> Value:
    """Phase of port a less that of port b, 0 in antiphase: one Gauss-Newton step of a freer fit."""
    grid = Grid.of(fit.bins, fit.image.shape)
    a, b = model.ports(grid, fit.values)
    weight = (1.0 / np.sqrt(fit.variance)).ravel()
    by_a, by_b = images_of([a.by_phase(), b.by_phase()])
    own = 0.5 * (by_a - by_b).ravel() * weight
    others = model.jacobian(grid, fit.values, fit.names) * weight
    residual = (fit.data - fit.mean).ravel() * weight
    shared = fit.covariance @ (others @ own)
    own = own - shared @ others
    information = float(own @ own)
    if not information > 0:
        return Value()
    return Value(float(own @ residual) / information, 1.0 / math.sqrt(information))
