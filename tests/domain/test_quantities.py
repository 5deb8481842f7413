from __future__ import annotations

import math

import pytest

from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES, wrap_error, wrap_phase


@pytest.mark.parametrize(
    ("value", "stderr", "shown"),
    [
        (3.2e-6, 2.4e-6, "3.2(24)"),
        (-11e-6, 24e-6, "-11(24)"),
        (math.nan, 1.0, "–"),
        (5e-6, math.nan, "5.0"),
        (-1e-9, 45e-6, "0(45)"),
    ],
)
def test_a_value_is_written_with_its_error_in_the_last_digits(
    value: float, stderr: float, shown: str
) -> None:
    assert OBSERVABLES["x_m"].with_error(value, stderr) == shown


@pytest.mark.parametrize(
    ("finest", "shown"),
    [
        (math.inf, "424.92"),
        (1e-6, "424.92"),
        (2e-9, "424.921"),
        (0.0, "424.92"),
        (1e-30, "424.920700000"),
    ],
)
def test_a_difference_that_matters_can_be_seen(finest: float, shown: str) -> None:
    assert ACTUATORS["mirror_tilt_x_rad"].shown(424.9207e-6, finest) == shown


def test_phases_live_in_the_half_open_interval() -> None:
    assert wrap_phase(math.pi) == math.pi
    assert wrap_phase(-math.pi) == math.pi
    assert wrap_phase(3.0 + 4 * math.pi) == pytest.approx(3.0)
    assert wrap_error("phase_rad", 6.0) == pytest.approx(6.0 - 2 * math.pi)
    assert wrap_error("x_m", 6.0) == 6.0
