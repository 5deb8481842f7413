"""What says whether a station is well before its observables are looked at.

Residuals, roll, antiphase of the ports.

Reported with every estimate that a two-port fit made, per view; not controlled. Atoms, contrast and
port fraction, which belong to the same look, are `DIAGNOSTICS`.
"""

from __future__ import annotations

import math

from magis_calib.domain.camera import VIEWS
from magis_calib.domain.estimate import StationEstimate, Value
from magis_calib.domain.quantities import Quantity

_QUANTITIES = (
    Quantity("residual_x", "residual x", "1", "", 1.0, 2),
    Quantity("residual_y", "residual y", "1", "", 1.0, 2),
    Quantity("port_phase_difference_rad", "port Δφ", "rad", "mrad", 1e3, 1),
    Quantity("roll_x_rad", "roll x", "rad", "mrad", 1e3, 2),
    Quantity("roll_y_rad", "roll y", "rad", "mrad", 1e3, 2),
)
HEALTH = {one.name: one for one in _QUANTITIES}
"""residual: chi-square per degree of freedom of a view's fit, 1 where all is explained. roll: lean
of the line between
the ports against its nominal lean. port Δφ: phase of port a less that of port b, 0 for exact
antiphase."""
EXPLAINED = {
    "residual_x": "χ² per degree of freedom of the fit of view x: 1 where it explains all",
    "residual_y": "χ² per degree of freedom of the fit of view y: 1 where it explains all",
    "port_phase_difference_rad": "phase of port a less that of port b: 0 for exact antiphase",
    "roll_x_rad": "lean of the line between the ports in view x against its nominal lean",
    "roll_y_rad": "lean of the line between the ports in view y against its nominal lean",
}


def health_of(estimate: StationEstimate) -> dict[str, Value]:
    """Return every number of `HEALTH` with its standard error.

    NaN where the fits say nothing of it.
    """
    found = dict.fromkeys(HEALTH, Value())
    for view in VIEWS:
        fitted = estimate.views.get(view)
        if fitted is None:
            continue
        found[f"residual_{view}"] = Value(fitted.chi2_per_dof)
        told = fitted.diagnostics
        found[f"roll_{view}_rad"] = told.get("roll_rad", Value())
        phase = told.get("port_phase_difference_rad", Value())
        if math.isfinite(phase.value):
            found["port_phase_difference_rad"] = phase
    return found
