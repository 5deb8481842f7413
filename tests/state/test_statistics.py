"""The Allan deviation against noise and drift whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from magis_calib.state.statistics import allan_deviation


def test_white_noise_falls_with_the_root_of_the_number_averaged() -> None:
    found = allan_deviation(np.random.default_rng(1).normal(7.0, 3.0, 60_000))
    pulls = (found.deviations - 3.0 / np.sqrt(found.lengths)) / found.errors
    assert found.lengths.tolist()[:4] == [1, 2, 4, 8]
    assert np.abs(pulls).max() < 3.5


def test_the_errors_are_those_by_which_it_scatters() -> None:
    random = np.random.default_rng(2)
    runs = [allan_deviation(random.normal(0.0, 1.0, 300)) for _ in range(600)]
    scatter = np.std([one.deviations for one in runs], axis=0)
    said = np.mean([one.errors for one in runs], axis=0)
    assert said[:5] == pytest.approx(scatter[:5], rel=0.2)


def test_a_drift_grows_with_the_time_averaged() -> None:
    """A slope d gives d m / √2 (NIST SP 1065, 5.2.4)."""
    found = allan_deviation(0.2 * np.arange(1000.0))
    assert found.deviations == pytest.approx(0.2 * found.lengths / np.sqrt(2.0))


def test_a_random_walk_rises_with_the_root_of_the_time_averaged() -> None:
    """Steps s give s √((2 m² + 1) / (6 m)) for averages over m values."""
    found = allan_deviation(np.cumsum(np.random.default_rng(3).normal(0.0, 0.5, 90_000)))
    length = found.lengths[:8]
    assert found.deviations[:8] == pytest.approx(
        0.5 * np.sqrt((2 * length**2 + 1) / (6 * length)), rel=0.12
    )


def test_every_other_sign_is_averaged_away() -> None:
    found = allan_deviation(np.tile([1.0, -1.0], 50))
    assert found.deviations[0] == pytest.approx(np.sqrt(2.0))
    assert found.deviations[1:] == pytest.approx(0.0, abs=1e-12)


def test_drops_without_a_number_are_passed_over() -> None:
    whole = np.random.default_rng(4).normal(0.0, 1.0, 500)
    gaps = np.insert(whole, [3, 3, 100, 499], np.nan)
    assert allan_deviation(gaps).deviations.tolist() == allan_deviation(whole).deviations.tolist()


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0], [np.nan] * 9])
def test_too_few_values_say_nothing(values: list[float]) -> None:
    assert len(allan_deviation(np.array(values)).deviations) == 0
