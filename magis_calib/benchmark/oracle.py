"""How near a run came to the best possible loop: its variance over that of an oracle.

The oracle is the steady Kalman filter on z = measured - noise-free response, with the plant's true
drift and jitter and the run's own fit errors; it skips the drops that the run could not use
(docs/contracts.md, "--truth").
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.linalg

from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import OBSERVABLES, wrap_phase

SETTLING_DROPS = 100
"""Drops left out of the ratios: the loop comes home in them."""
PHASE = list(OBSERVABLES).index("phase_rad")


@dataclass(frozen=True, slots=True)
class Ratio:
    """Of one observable."""

    variance_over_bound: float
    correctable_over_bound: float


def read_truth(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a truth file. Raises `OSError` or `ValueError`."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def ratios(
    truth: Sequence[Mapping[str, Any]],
    measured: Mapping[int, Array],
    fit: Array | None,
    targets: Mapping[str, float],
    delay: int,
) -> dict[str, Ratio]:
    """Return the ratios of each observable; none where fewer than two drops follow the first 100.

    `measured`: the six observables of each drop, NaN where not usable. `fit`: their mean
    covariance, None without one. `delay`: drops that a write takes effect later than the next one.
    """
    plant = truth[0]["plant"]
    drops = [line for line in truth if "drop_id" in line]
    if len(drops) < SETTLING_DROPS + 2 or fit is None:
        return {}
    drift, jitter = np.array(plant["drift_cov"]), np.array(plant["jitter_cov"])
    misses = _oracle(drops, measured, drift, jitter, fit, delay)
    target = np.array([targets[name] for name in OBSERVABLES])
    away = [_wrapped(_vector(drop["observables"]) - target) for drop in drops]
    own_jitter = np.array([_vector(drop["jitter"]) for drop in drops])
    kept = slice(SETTLING_DROPS, None)
    total = _sum(away[kept]) / _sum(misses[kept])
    correctable = _sum(_wrapped(np.array(away) - own_jitter)[kept]) / _sum(
        _wrapped(misses - own_jitter)[kept]
    )
    return {
        name: Ratio(float(total[row]), float(correctable[row]))
        for row, name in enumerate(OBSERVABLES)
    }


def _oracle(
    drops: Sequence[Mapping[str, Any]],
    measured: Mapping[int, Array],
    drift: Array,
    jitter: Array,
    fit: Array,
    delay: int,
) -> Array:
    """Return what the oracle could not foresee of each drop: disturbance + jitter - prediction."""
    gain = _steady_gain(drift, jitter + fit)
    predictions: list[Array] = []
    state: Array | None = None
    misses = []
    for drop in drops:
        disturbed = _vector(drop["disturbance"]) + _vector(drop["jitter"])
        known = predictions[-1 - delay] if len(predictions) > delay else disturbed
        misses.append(_wrapped(disturbed - known))
        vector = measured.get(drop["drop_id"])
        if vector is not None and np.all(np.isfinite(vector)):
            seen = _wrapped(vector - _vector(drop["noise_free_response"]))
            state = seen if state is None else state + gain @ _wrapped(seen - state)
        predictions.append(disturbed if state is None else state)
    return np.array(misses)


def _steady_gain(drift: Array, noise: Array) -> Array:
    """Kalman gain of a random walk in white noise, each in units of its own noise."""
    unit = np.sqrt(np.diag(noise))
    q, r = drift / np.outer(unit, unit), noise / np.outer(unit, unit)
    eye = np.eye(len(unit))
    ahead = scipy.linalg.solve_discrete_are(eye, eye, q, r)
    gain = ahead @ np.linalg.inv(ahead + r)
    scaled: Array = gain * np.outer(unit, 1.0 / unit)
    return scaled


def _vector(named: Mapping[str, float]) -> Array:
    return np.array([named[name] for name in OBSERVABLES])


def _wrapped(values: Array) -> Array:
    wrapped = np.array(values, dtype=np.float64)
    wrapped[..., PHASE] = np.vectorize(wrap_phase)(wrapped[..., PHASE])
    return wrapped


def _sum(values: Any) -> Array:
    total: Array = np.sum(np.square(np.array(values, dtype=np.float64)), axis=0)
    return total
