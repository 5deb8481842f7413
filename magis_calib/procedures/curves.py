"""Curves that scans are fitted with, each with the place it is scanned for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import lmfit
import numpy as np

from magis_calib.domain.errors import ProcedureError
from magis_calib.domain.estimate import Array

EXTREMUM_SIGMA = 4.0
"""A curvature, or slope, must stand out by so many standard errors to be called one."""


@dataclass(frozen=True, slots=True)
class Found:
    """The place a scan was for, with its standard error, and the curve there (SI)."""

    place: float
    stderr: float
    height: float
    """Value of the curve at the place."""
    chi2_per_dof: float
    parameters: dict[str, tuple[float, float]]
    """Value and standard error of everything that was fitted."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A model, start values, and the parameter that says where."""

    formula: str
    value: Callable[..., Array]
    start: Callable[[Array, Array], dict[str, float]]
    place: str
    proven_by: str
    """The parameter that must stand out, or there is nothing to be found."""


def fitted(curve: Curve, at: Array, seen: Array, errors: Array) -> Found:
    """Fit by weighted least squares; errors are scaled where chi-square is above 1.

    Raises `ProcedureError` where the place is not in the range scanned, or nothing stands out.
    """
    model = lmfit.Model(curve.value)
    names = list(model.param_names)
    start = curve.start(at, seen)
    if len(at) <= len(names):
        raise ProcedureError(f"scan: wanted more than {len(names)} points, got {len(at)}")
    fit = model.fit(seen, model.make_params(**start), x=at, weights=1.0 / errors, scale_covar=False)
    worse = math.sqrt(max(1.0, fit.redchi))
    told = {
        name: (float(fit.params[name].value), worse * float(fit.params[name].stderr or math.inf))
        for name in names
    }
    size, error = told[curve.proven_by]
    if not abs(size) > EXTREMUM_SIGMA * error:
        raise ProcedureError(
            f"scan: no extremum: {curve.proven_by} {size:.3g} ± {error:.2g} does not stand out"
        )
    place, stderr = told[curve.place]
    if not at.min() <= place <= at.max():
        raise ProcedureError(
            f"scan: no extremum inside the range [{at.min():.6g}, {at.max():.6g}]: the curve has "
            f"it at {place:.6g} ± {stderr:.2g}"
        )
    height = float(np.asarray(fit.eval(x=np.array([place])))[0])
    return Found(place, stderr, height, float(fit.redchi), told)


def _parabola(x: Array, x0: float, top: float, bend: float) -> Array:
    return top * (1.0 - bend * (x - x0) ** 2)


def _bell(x: Array, x0: float, top: float, width: float) -> Array:
    bell: Array = top * np.exp(-((x - x0) ** 2) / (2.0 * width**2))
    return bell


def _line(x: Array, x0: float, goal: float, slope: float) -> Array:
    return goal + slope * (x - x0)


def rabi(x: Array, x0: float, top: float, rate: float) -> Array:
    """Return population after a π pulse by detuning: top Ω²/(Ω²+d²) sin²(π/2 √(1+(d/Ω)²))."""
    broad = 1.0 + ((x - x0) / rate) ** 2
    population: Array = top / broad * np.sin(0.5 * math.pi * np.sqrt(broad)) ** 2
    return population


def _at_top(at: Array, seen: Array) -> float:
    return float(at[int(np.argmax(seen))])


def _parabola_start(at: Array, seen: Array) -> dict[str, float]:
    a, b, c = np.polyfit(at - at.mean(), seen, 2)
    x0 = -b / (2.0 * a) if a < 0 else 0.0
    top = c + b * x0 / 2.0
    return {"x0": float(at.mean() + x0), "top": float(top), "bend": float(max(-a / top, 1e-12))}


PARABOLA = Curve("top (1 - bend (x - x0)²)", _parabola, _parabola_start, "x0", "bend")
BELL = Curve(
    "top exp(-(x - x0)²/(2 width²))",
    _bell,
    lambda at, seen: {
        "x0": _at_top(at, seen),
        "top": float(seen.max()),
        "width": float(np.ptp(at) / 4.0),
    },
    "x0",
    "top",
)
RABI = Curve(
    "top Ω²/(Ω²+(x-x0)²) sin²(π/2 √(1+((x-x0)/Ω)²))",
    rabi,
    lambda at, seen: {
        "x0": _at_top(at, seen),
        "top": float(seen.max()),
        "rate": float(np.ptp(at) / 3.0),
    },
    "x0",
    "top",
)


def line_to(goal: float) -> Curve:
    """Return a line that is looked at where it comes to this value."""

    def value(x: Array, x0: float, slope: float) -> Array:
        return _line(x, x0, goal, slope)

    def start(at: Array, seen: Array) -> dict[str, float]:
        slope, level = np.polyfit(at - at.mean(), seen, 1)
        slope = slope if slope else 1e-300
        return {"x0": float(at.mean() + (goal - level) / slope), "slope": float(slope)}

    return Curve(f"{goal:g} + slope (x - x0)", value, start, "x0", "slope")
