"""The ratios to the best possible loop, on runs whose ratio is known beforehand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from magis_calib.benchmark.oracle import ratios
from magis_calib.domain.quantities import OBSERVABLES, wrap_phase

NAMES = list(OBSERVABLES)
DRIFT, JITTER, FIT = 0.05, 0.30, 0.10
KALMAN = (lambda q, r: (lambda p: p / (p + r))((q + math.sqrt(q * q + 4 * q * r)) / 2))(
    DRIFT**2, JITTER**2 + FIT**2
)


def made_up_run(gain: float, drops: int, seed: int = 1):
    """Steer six independent random walks with a fixed gain; return truth lines and estimates."""
    rng = np.random.default_rng(seed)
    disturbance, steer = np.zeros(6), np.zeros(6)
    plant = {
        "drift_cov": (np.eye(6) * DRIFT**2).tolist(),
        "jitter_cov": (np.eye(6) * JITTER**2).tolist(),
    }
    truth, estimates = [{"plant": plant}], {}
    for drop in range(1, drops + 1):
        disturbance = disturbance + rng.normal(0, DRIFT, 6)
        jitter = rng.normal(0, JITTER, 6)
        true = disturbance + jitter + steer
        true[5] = wrap_phase(true[5])
        rows = {
            "observables": true,
            "noise_free_response": steer,
            "disturbance": disturbance,
            "jitter": jitter,
        }
        truth.append(
            {"drop_id": drop}
            | {k: dict(zip(NAMES, v.tolist(), strict=True)) for k, v in rows.items()}
        )
        measured = true + rng.normal(0, FIT, 6)
        estimates[drop] = measured
        steer = steer - gain * np.array([*measured[:5], wrap_phase(measured[5])])
    return truth, estimates


def test_a_loop_that_does_what_the_oracle_does_has_a_ratio_of_one() -> None:
    truth, estimates = made_up_run(KALMAN, 1500)
    for name, found in ratios(
        truth, estimates, np.eye(6) * FIT**2, dict.fromkeys(NAMES, 0.0), 0
    ).items():
        assert found.variance_over_bound == pytest.approx(1.0, abs=2e-3), name
        assert found.correctable_over_bound == pytest.approx(1.0, abs=2e-2), name


def test_a_gain_of_one_pays_for_the_jitter_it_chases() -> None:
    """Variance of the error at gain g: drift²/(g(2-g)) + (jitter²+fit²)·g/(2-g), plus the jitter of
    the drop itself.
    """
    truth, estimates = made_up_run(1.0, 4000)
    noise = JITTER**2 + FIT**2
    best = (DRIFT**2 + math.sqrt(DRIFT**4 + 4 * DRIFT**2 * noise)) / 2
    wanted = (DRIFT**2 + noise + JITTER**2) / (best + JITTER**2)
    found = ratios(truth, estimates, np.eye(6) * FIT**2, dict.fromkeys(NAMES, 0.0), 0)
    assert np.mean([one.variance_over_bound for one in found.values()]) == pytest.approx(
        wanted, rel=0.05
    )


def test_a_short_run_has_no_ratio() -> None:
    truth, estimates = made_up_run(0.3, 60)
    assert ratios(truth, estimates, np.eye(6) * FIT**2, dict.fromkeys(NAMES, 0.0), 0) == {}
