"""The plain way: lmfit on every pixel round the clouds, as a reference of time and errors.

The model is written out as in docs/contracts.md and evaluated at the middles of the pixels, which
at 16 µm and a fringe of 1 mm misses no parameter by more than a fifth of its standard error. It is
given more than anybody has: the true hot pixels and start values as near as moments and a Fourier
transform bring them. Nobody knows the weights before a fit, and weights from the data bias it: the
first round is without weights, the second takes them from the fitted mean and has the precision of
the estimator.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import lmfit
import numpy as np

from magis_calib.benchmark.bound import bound
from magis_calib.benchmark.clocked import SETUPS, ClockedPicture, Setup, clocked_pair
from magis_calib.benchmark.deviation import Deviation, deviations
from magis_calib.benchmark.picture import PARAMETERS, SIGNS, Truth, middles
from magis_calib.benchmark.statistic import LOSS, BenchmarkVerdict
from magis_calib.benchmark.timing import clock_view
from magis_calib.benchmark.workers import Tick
from magis_calib.domain.camera import CameraFacts
from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import wrap_phase

STREAM = 6
OURS_REPEATS = 9
REACH_WIDTHS = 5.0
START_BOUNDS = 10.0
"""Start values are this near to the truth: 40 µm, 40 mrad, 40 rad/m."""

Window = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class PlainResult:
    """The plain fit beside the estimator's on the same picture, view x with a 1 mm fringe."""

    plain_s: float
    ours_s: float
    plain: Mapping[str, Deviation]
    ours: Mapping[str, Deviation]

    def verdicts(self) -> list[BenchmarkVerdict]:
        """The errors claimed must be as small as the plain fit's, up to the loss allowed."""
        return [
            BenchmarkVerdict(f"{name}: stderr over plain", self.precision(name), 0.0, 1.0 + LOSS)
            for name in PARAMETERS
        ]

    def precision(self, name: str) -> float:
        """The estimator's standard error over the plain fit's."""
        return self.ours[name].stderr / self.plain[name].stderr if name in self.ours else math.nan

    def document(self) -> dict[str, object]:
        """For JSON."""
        return {
            "plain_s": self.plain_s,
            "ours_s": self.ours_s,
            "times_faster": self.plain_s / self.ours_s,
            "plain": {name: asdict(one) for name, one in self.plain.items()},
            "ours": {name: asdict(one) for name, one in self.ours.items()},
        }


def try_plain(seed: int, tick: Tick, setup: Setup = SETUPS[0]) -> PlainResult:
    """Fit one picture both ways. The plain way takes some seconds."""
    picture = clocked_pair(seed, setup)["x"]
    plain, plain_s = _plain_fit(np.random.default_rng([seed, STREAM]), picture)
    clocked = [clock_view(picture) for _ in range(OURS_REPEATS)]
    estimate = clocked[0][0]
    ours_s = float(np.median([seconds for _, seconds in clocked]))
    tick()
    return PlainResult(plain_s, ours_s, plain, deviations(estimate, picture.truth))


def _plain_fit(
    rng: np.random.Generator, picture: ClockedPicture
) -> tuple[dict[str, Deviation], float]:
    truth = picture.truth
    facts = picture.facts
    window = _window(picture.truth, picture.facts)
    unit = bound(truth, facts)
    start = {
        name: truth.value(name) + START_BOUNDS * unit[name] * rng.uniform(-1.0, 1.0)
        for name in PARAMETERS
    }
    began = time.perf_counter()
    data = (picture.counts[window].astype(np.float64) - facts.offset) * facts.gain
    u, v = (axis[part] for axis, part in zip(middles(facts), reversed(window), strict=True))
    parameters = lmfit.Parameters()
    for name in PARAMETERS:
        parameters.add(name, value=start[name])

    def mean_of(at: lmfit.Parameters) -> Array:
        return _written_out(at.valuesdict(), truth, u, v)

    good = _good(picture, window)
    found = _minimised(mean_of, data, good, parameters)
    background = found.params["background_electrons_per_px"].value
    found = _minimised(
        mean_of, data, good * _weight(mean_of(found.params), background, facts), found.params
    )
    seconds = time.perf_counter() - began
    errors = {name: found.params[name].value - truth.value(name) for name in PARAMETERS}
    errors["phase_rad"] = wrap_phase(errors["phase_rad"])
    return {
        name: Deviation(errors[name], found.params[name].stderr) for name in PARAMETERS
    }, seconds


def _written_out(values: Mapping[str, float], truth: Truth, u: Array, v: Array) -> Array:
    """Return expected electrons per pixel, (rows, columns), by the density in their middles."""
    across = u[None, :]
    up = v[:, None]
    mean: Array = (
        values["background_electrons_per_px"]
        + values["background_gradient_horizontal"] * across
        + values["background_gradient_vertical"] * up
    )
    width_u, width_v = values["width_horizontal_m"], values["width_vertical_m"]
    cell = abs((u[1] - u[0]) * (v[1] - v[0]))
    for port, (port_u, port_v) in (("a", truth.displacement_a_m), ("b", truth.displacement_b_m)):
        distance_u = (across - values[f"port_{port}_horizontal_m"]) / width_u
        distance_v = (up - values[f"port_{port}_vertical_m"]) / width_v
        density = np.exp(-0.5 * (distance_u**2 + distance_v**2)) * (
            cell / (2.0 * math.pi * width_u * width_v)
        )
        angle = (
            values["phase_rad"]
            + values["fringe_horizontal_rad_per_m"] * (across - port_u)
            + values["fringe_vertical_rad_per_m"] * (up - port_v)
        )
        fringe = 1.0 + SIGNS[port] * values["contrast"] * np.cos(angle)
        mean = mean + values[f"port_{port}_electrons"] * density * fringe
    return mean


def _minimised(
    mean_of: Callable[[lmfit.Parameters], Array],
    data: Array,
    weight: Array,
    start: lmfit.Parameters,
) -> lmfit.minimizer.MinimizerResult:
    def residual(parameters: lmfit.Parameters) -> Array:
        weighted: Array = ((mean_of(parameters) - data) * weight).ravel()
        return weighted

    return lmfit.Minimizer(residual, start, scale_covar=False).leastsq()


def _weight(mean: Array, background: float, facts: CameraFacts) -> Array:
    """Return 1/σ of each pixel."""
    light = np.maximum(mean - background, 0.0)
    weight: Array = 1.0 / np.sqrt(
        np.maximum(mean, 0.0) + facts.excess * light + facts.quantised_read_variance
    )
    return weight


def _good(picture: ClockedPicture, window: Window) -> Array:
    """Return 0 for hot pixels, 1 for all others."""
    good = np.ones(picture.counts.shape)
    good.reshape(-1)[picture.hot] = 0.0
    return good[window]


def _window(truth: Truth, facts: CameraFacts) -> Window:
    """Return the rows and columns within five widths of the ports."""
    reach = REACH_WIDTHS / facts.object_pixel_m
    middle_row, middle_column = (facts.rows - 1) / 2.0, (facts.columns - 1) / 2.0
    top = (
        middle_row - truth.port_a_vertical_m / facts.object_pixel_m - reach * truth.width_vertical_m
    )
    bottom = (
        middle_row - truth.port_b_vertical_m / facts.object_pixel_m + reach * truth.width_vertical_m
    )
    column = middle_column + truth.port_a_horizontal_m / facts.object_pixel_m
    half = reach * truth.width_horizontal_m
    return (
        slice(max(0, round(top)), min(facts.rows, round(bottom))),
        slice(max(0, round(column - half)), min(facts.columns, round(column + half))),
    )
