"""Numbers of a station that no loop controls: atoms, port fraction, contrast, widths, as means over
the views.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from magis_calib.domain.camera import View
from magis_calib.domain.estimate import Value, ViewEstimate
from magis_calib.estimation.port import PORTS, WIDTHS


def station_diagnostics(views: Mapping[View, ViewEstimate]) -> dict[str, Value]:
    """Means over the views; what the common atoms scatter by themselves does not average out."""
    usable = {name: view for name, view in views.items() if view.usable}
    atoms = min(
        (view.atoms.value for view in usable.values() if view.atoms.value > 0), default=math.inf
    )
    found = {
        "atoms": weighted_mean(
            [view.atoms for view in usable.values()], atoms if atoms < math.inf else 0.0
        )
    }
    found["port_fraction"] = weighted_mean(
        [_port_fraction(view) for view in usable.values()], 0.25 / atoms
    )
    contrasts = [
        view.parameters["contrast"]
        for view in usable.values()
        if "contrast" in view.usable_quantities
    ]
    found["contrast"] = weighted_mean(contrasts)
    heights = [
        view.parameters[WIDTHS[1]] for view in usable.values() if WIDTHS[1] in view.parameters
    ]
    found["width_z_m"] = weighted_mean(
        heights, heights[0].value ** 2 / (2.0 * atoms) if heights else 0.0
    )
    for name, view in usable.items():
        found[f"width_{name}_m"] = view.parameters.get(WIDTHS[0], Value())
    return found


def _port_fraction(view: ViewEstimate) -> Value:
    """Port a over both, with the error from the covariance of the two."""
    names = [PORTS[port][0] for port in PORTS]
    if not set(names) <= set(view.names):
        return Value()
    a, b = (view.value(name) for name in names)
    at = [view.names.index(name) for name in names]
    slope = np.array([b, -a]) / (a + b) ** 2
    variance = float(slope @ view.covariance[np.ix_(at, at)] @ slope)
    return Value(a / (a + b), math.sqrt(max(variance, 0.0)))


def weighted_mean(values: list[Value], shared_variance: float = 0.0) -> Value:
    """Mean weighted by the standard errors, of which `shared_variance` is common to all of the
    values.
    """
    known = [value for value in values if math.isfinite(value.value) and value.stderr > 0]
    if not known:
        return Value()
    weights = np.array([value.stderr**-2 for value in known])
    weights /= weights.sum()
    own = np.array([max(value.stderr**2 - shared_variance, 0.0) for value in known])
    mean = float(weights @ [value.value for value in known])
    return Value(mean, math.sqrt(float(weights**2 @ own) + shared_variance))
