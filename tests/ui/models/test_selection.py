"""What many drops say together, against numbers made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES, REPORTED
from magis_calib.state.history import HistoryRows
from ui.models.selection import Selection, histogram, statistics_of

PHASE, Z = OBSERVABLES["phase_rad"], OBSERVABLES["z_m"]


def rows_of(name: str, values: np.ndarray, targets: float | np.ndarray = math.nan) -> HistoryRows:
    """Rows that say this of one quantity and nothing of any other."""
    rows = HistoryRows.zeros(len(values))
    rows["drop_id"][:] = np.arange(len(values)) + 101
    for field in ("values", "stderr", "in_force", "targets"):
        rows[field][:] = np.nan
    field, names = ("in_force", ACTUATORS) if name in ACTUATORS else ("values", REPORTED)
    rows[field][:, list(names).index(name)] = values
    if name in OBSERVABLES:
        rows["targets"][:, list(OBSERVABLES).index(name)] = targets
        rows["stderr"][:, list(REPORTED).index(name)] = 2e-6
    return rows


def test_scatter_mean_and_their_ratio_to_the_fit() -> None:
    values = np.random.default_rng(1).normal(3e-6, 4e-6, 20_000)
    values[::10] = np.nan
    found = statistics_of(Selection(rows_of("z_m", values, 0.0), Z, 0.0, 5e-6))
    assert found.usable == 18_000
    assert found.scatter == pytest.approx(4e-6, rel=0.02)
    assert abs(found.mean - 3e-6) < 4 * found.mean_error
    assert found.mean_error == pytest.approx(4e-6 / math.sqrt(18_000), rel=0.02)
    assert found.scatter / found.fit_error == pytest.approx(2.0, rel=0.02)
    between = 0.5 * (math.erf(2 / (4 * math.sqrt(2))) + math.erf(8 / (4 * math.sqrt(2))))
    assert found.in_tolerance == pytest.approx(between, abs=0.015)
    assert found.allan.deviations[0] == pytest.approx(4e-6, rel=0.03)
    assert found.counts.sum() == 18_000


def test_each_drop_is_held_against_the_target_in_force_then() -> None:
    targets = np.repeat([0.0, 50e-6], 50)
    found = statistics_of(Selection(rows_of("z_m", targets + 1e-6, targets), Z, 50e-6, 2e-6))
    assert (found.in_tolerance, found.mean) == (1.0, pytest.approx(1e-6))
    assert found.scatter == pytest.approx(0.0, abs=1e-12)


def test_drops_that_recorded_no_target_are_held_against_the_present_one() -> None:
    found = statistics_of(Selection(rows_of("z_m", np.array([1e-6, 9e-6])), Z, 0.0, 2e-6))
    assert (found.mean, found.in_tolerance) == (pytest.approx(5e-6), 0.5)


def test_phase_does_not_jump_at_its_ends() -> None:
    turned = math.pi + np.array([-0.01, 0.01, -0.02, 0.02])
    wrapped = np.mod(turned + math.pi, 2 * math.pi) - math.pi
    found = statistics_of(Selection(rows_of("phase_rad", wrapped, 3.1), PHASE, 3.1, 0.1))
    assert found.mean == pytest.approx(math.pi - 3.1)
    assert found.scatter < 0.03
    assert found.in_tolerance == 1.0


def test_an_actuator_has_neither_target_nor_fit() -> None:
    found = statistics_of(
        Selection(rows_of("trap_x_m", np.array([1e-6, 3e-6])), ACTUATORS["trap_x_m"])
    )
    assert found.mean == pytest.approx(2e-6)
    assert math.isnan(found.fit_error)
    assert math.isnan(found.in_tolerance)


def test_no_usable_drop_is_no_number() -> None:
    found = statistics_of(Selection(rows_of("z_m", np.full(5, np.nan), 0.0), Z, 0.0, 1e-6))
    assert found.usable == 0
    assert math.isnan(found.mean)
    assert math.isnan(found.in_tolerance)
    assert len(found.allan.lengths) == 0


@pytest.mark.parametrize(
    "known", [np.full(7, 2.5), np.zeros(3), np.append(np.zeros(99), 1e9), np.array([1.0])]
)
def test_a_histogram_counts_everything_once(known: np.ndarray) -> None:
    edges, counts = histogram(known)
    assert counts.sum() == len(known)
    assert (np.diff(edges) > 0).all()
