"""A typed setpoint is refused where the one check of limits refuses it."""

from __future__ import annotations

import math

import pytest

from magis_calib.domain.devices import ActuatorState
from magis_calib.domain.limits import broken_limit
from magis_calib.domain.quantities import ACTUATORS
from ui.panels.loop.actuators import why_not_sent

STATE = ActuatorState(
    name="trap_x_m",
    controller="drop_system",
    setpoint=1e-4,
    readback=1e-4,
    minimum=-2e-3,
    maximum=2e-3,
    step_limit=3e-4,
    readback_tolerance=1e-9,
)


@pytest.mark.parametrize(
    "value",
    [
        1e-4,
        4e-4,
        4e-4 + 1e-14,
        4.1e-4,
        -2.1e-4,
        -2e-3,
        2e-3,
        2.1e-3,
        math.nan,
        math.inf,
        -math.inf,
    ],
)
def test_a_setpoint_is_refused_where_the_one_check_of_limits_refuses_it(value: float) -> None:
    broken = broken_limit(STATE.name, value, {STATE.name: STATE}, STATE.setpoint)
    words = why_not_sent(value, STATE, ACTUATORS[STATE.name])
    assert bool(words) == (broken is not None)
    assert ("step" in words) == (broken is not None and broken.code == "step")


def test_what_is_no_number_is_not_sent() -> None:
    assert why_not_sent(None, STATE, ACTUATORS[STATE.name]) == "this is not a number"
