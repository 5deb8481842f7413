"""Scans fitted on data whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from magis_calib.domain.errors import ProcedureError
from magis_calib.procedures.curves import BELL, PARABOLA, RABI, fitted, line_to

CASES = {
    "parabola": (
        PARABOLA,
        np.linspace(0.75, 1.25, 13),
        lambda x: 0.7 - 3.45 * (x - 1.13) ** 2,
        0.003,
        1.13,
    ),
    "bell": (
        BELL,
        np.linspace(-60e-6, 60e-6, 13),
        lambda x: 0.65 * np.exp(-((x + 18e-6) ** 2) / (2 * 51e-6**2)),
        0.003,
        -18e-6,
    ),
    "rabi": (
        RABI,
        np.linspace(-6e3, 6e3, 13),
        lambda x: 0.93 * np.sinc((x - 800) / 1.2e4) ** 2,
        0.002,
        800.0,
    ),
    "line": (
        line_to(6283.0),
        np.linspace(370e-6, 410e-6, 9),
        lambda x: 6283 + 16.18e6 * (x - 391e-6),
        3.0,
        391e-6,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_place_is_found_within_its_error(case: str) -> None:
    curve, at, truth, sigma, place = CASES[case]
    pulls = []
    for seed in range(40):
        seen = truth(at) + sigma * np.random.default_rng(seed).standard_normal(len(at))
        found = fitted(curve, at, seen, np.full(len(at), sigma))
        pulls.append((found.place - place) / found.stderr)
    assert abs(np.mean(pulls)) < 0.6
    assert np.max(np.abs(pulls)) < 5


def test_a_flat_curve_has_no_extremum() -> None:
    at = np.linspace(0.8, 1.2, 13)
    seen = 0.7 + 0.003 * np.random.default_rng(1).standard_normal(13)
    with pytest.raises(ProcedureError, match="no extremum"):
        fitted(PARABOLA, at, seen, np.full(13, 0.003))


def test_an_extremum_outside_the_range_is_not_extrapolated() -> None:
    at = np.linspace(0.5, 0.8, 13)
    with pytest.raises(ProcedureError, match="inside the range"):
        fitted(PARABOLA, at, 0.7 - 2 * (at - 1.1) ** 2, np.full(13, 0.003))


def test_more_scatter_than_the_errors_say_makes_the_error_larger() -> None:
    at, rng = np.linspace(0.75, 1.25, 13), np.random.default_rng(3)
    seen = 0.7 - 3.45 * (at - 1.0) ** 2 + 0.03 * rng.standard_normal(13)
    calm = fitted(
        PARABOLA,
        at,
        0.7 - 3.45 * (at - 1.0) ** 2 + 0.003 * rng.standard_normal(13),
        np.full(13, 0.003),
    )
    wild = fitted(PARABOLA, at, seen, np.full(13, 0.003))
    assert wild.stderr > 4 * calm.stderr
