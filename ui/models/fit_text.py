"""What a fit found, in words and numbers."""

from __future__ import annotations

import math

from magis_calib.domain.estimate import StationEstimate, ViewEstimate
from magis_calib.domain.quantities import OBSERVABLES, REPORTED, Quantity
from ui.style.colours import LOOK, TEXT
from ui.style.format import minus, raw

WIDTH = Quantity("width", "width", "m", "mm", 1e3, 3)
DIAGNOSED = {
    "roll_rad": Quantity("roll_rad", "roll of the camera, by the ports:", "rad", "mrad", 1e3, 2),
    "port_phase_difference_rad": Quantity(
        "port_phase_difference_rad", "phase of port a less that of port b:", "rad", "mrad", 1e3, 1
    ),
}


def _written(station: StationEstimate, name: str) -> str:
    quantity = OBSERVABLES[name]
    value = minus(quantity.with_error(station.values[name], station.stderr[name]))
    return f"{quantity.label} {value} {quantity.shown_unit}"


def _raw(station: StationEstimate, name: str) -> str:
    return raw(REPORTED[name], station.values[name], station.stderr[name])


def _widths(fitted: ViewEstimate) -> str:
    horizontal, vertical = (
        fitted.parameters.get(f"width_{way}_m") for way in ("horizontal", "vertical")
    )
    if horizontal is None or vertical is None:
        return ""
    first = WIDTH.with_error(horizontal.value, horizontal.stderr)
    return f"σ {first} × {WIDTH.with_error(vertical.value, vertical.stderr)} mm"


def verdict_of(station: StationEstimate, fitted: ViewEstimate) -> tuple[str, str, str]:
    """Say whether the fit of a view can be used: text, colour, and what is behind it."""
    scores = _scores(fitted)
    if not fitted.usable:
        text = f"▲ not usable: {'; '.join(fitted.reasons) or 'no reason given'}"
        return text, LOOK, _details(station, fitted)
    if fitted.reasons:
        return (
            f"▲ usable in part · {scores} · {'; '.join(fitted.reasons)}",
            LOOK,
            _details(station, fitted),
        )
    return f"✓ usable · {scores}", TEXT, _details(station, fitted)


def _scores(fitted: ViewEstimate) -> str:
    """Return chi-square and how far the second estimator is away."""
    chi2 = f"χ² {fitted.chi2_per_dof:.2f}"
    if not math.isfinite(fitted.disagreement_sigma):
        return chi2
    return f"{chi2} · {fitted.disagreement_sigma:.1f} σ estimators"


def _details(station: StationEstimate, fitted: ViewEstimate) -> str:
    """Return what is behind the verdict, line by line."""
    lines = [
        f"model {fitted.model}; χ² per degree of freedom {fitted.chi2_per_dof:.3f}; "
        f"{fitted.evaluations} evaluations; "
        f"{fitted.saturated_px} px saturated, {fitted.masked_px} px masked",
        f"usable: {', '.join(fitted.usable_quantities) or 'nothing'}",
    ]
    if math.isfinite(fitted.disagreement_sigma):
        lines.append(
            f"fit and second estimator differ by up to {fitted.disagreement_sigma:.2f} standard "
            f"errors"
        )
    for name, quantity in DIAGNOSED.items():
        found = fitted.diagnostics.get(name)
        if found is not None:
            value = minus(quantity.with_error(found.value, found.stderr))
            lines.append(f"{quantity.label} {value} {quantity.shown_unit}")
    if station.consistency_dof:
        lines.append(
            f"both views: χ² {station.consistency_chi2:.1f} for {station.consistency_dof} common "
            f"numbers"
        )
    return "\n".join(lines)
