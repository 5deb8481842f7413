"""What no loop controls: atoms, port fraction, contrast and widths, as means over the views."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from magis_calib.domain.camera import View
from magis_calib.domain.estimate import Value, ViewEstimate
from magis_calib.estimation.covariance import sigma_along
from magis_calib.estimation.port import PORTS, WIDTHS


def station_diagnostics(views: Mapping[View, ViewEstimate]) -> dict[str, Value]:
    """Means over the views; what the common atoms scatter by themselves does not average out."""
    usable = {name: view for name, view in views.items() if view.usable}
    counted = [view.atoms for view in usable.values()]
    atoms = min((one.value for one in counted if one.value > 0), default=math.inf)
    return {
        "atoms": weighted_mean(counted, atoms if atoms < math.inf else 0.0),
        "port_fraction": weighted_mean(
            [_port_fraction(view) for view in usable.values()], 0.25 / atoms
        ),
        "contrast": weighted_mean(_contrasts(usable)),
        "width_z_m": _mean_height(usable, atoms),
        **_widths(usable),
    }


def _contrasts(usable: Mapping[View, ViewEstimate]) -> list[Value]:
    return [
        view.parameters["contrast"]
        for view in usable.values()
        if "contrast" in view.usable_quantities
    ]


def _mean_height(usable: Mapping[View, ViewEstimate], atoms: float) -> Value:
    """Mean vertical width of the clouds."""
    views = usable.values()
    heights = [view.parameters[WIDTHS[1]] for view in views if WIDTHS[1] in view.parameters]
    shared = heights[0].value ** 2 / (2.0 * atoms) if heights else 0.0
    return weighted_mean(heights, shared)


def _widths(usable: Mapping[View, ViewEstimate]) -> dict[str, Value]:
    """Horizontal width of the clouds in each view."""
    return {
        f"width_{name}_m": view.parameters.get(WIDTHS[0], Value()) for name, view in usable.items()
    }


def _port_fraction(view: ViewEstimate) -> Value:
    """Port a over both, with the error from the covariance of the two."""
    names = [PORTS[port][0] for port in PORTS]
    if not set(names) <= set(view.names):
        return Value()
    a, b = (view.value(name) for name in names)
    slope = np.array([b, -a]) / (a + b) ** 2
    return Value(a / (a + b), sigma_along(view, names, slope))


def weighted_mean(values: list[Value], shared_variance: float = 0.0) -> Value:
    """Mean weighted by the standard errors; `shared_variance` is common to all values."""
    known = [value for value in values if math.isfinite(value.value) and value.stderr > 0]
    if not known:
        return Value()
    weights = np.array([value.stderr**-2 for value in known])
    weights /= weights.sum()
    own = np.array([max(value.stderr**2 - shared_variance, 0.0) for value in known])
    mean = float(weights @ [value.value for value in known])
    return Value(mean, math.sqrt(float(weights**2 @ own) + shared_variance))
