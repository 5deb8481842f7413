"""Gains and limits changed while drops come: they are in the picture of the run, in force, and
recorded.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from magis_calib.config.settings import LoopSettings
from magis_calib.domain.control import Limits
from magis_calib.recording.reader import Session
from magis_calib.state.commands import SetGain, SetLimits, StartProcedure
from tests.bench import until
from tests.run.test_command_handler import AWAY, answered, outcome, readbacks, stopped

pytestmark = pytest.mark.station


def test_a_step_cap_and_a_gain_are_in_force_from_the_next_drop_on_and_recorded(bench) -> None:
    saved = LoopSettings.of(bench.station.loop)
    bench.drop(1, AWAY)
    first = until(bench.engine, outcome(1, "applied"), "the first drop")
    assert (first.saved, first.gains, first.limits) == (saved, saved.gains, saved.limits)
    before = readbacks(bench)["trap_x_m"]
    capped = replace(saved.limits["trap_x_m"], step_cap=4e-6)
    answered(bench, SetLimits("trap_x_m", capped), "limits of trap x: step cap 50.00 → 4.00 µm")
    snapshot = answered(bench, SetGain("y_m", 0.5), "gain of y auto → 0.5")
    assert snapshot.gains == {**saved.gains, "y_m": 0.5}
    assert snapshot.limits == {**saved.limits, "trap_x_m": capped}
    assert snapshot.saved == saved
    bench.drop(2, AWAY)
    until(bench.engine, outcome(2, "applied"), "the second drop")
    assert readbacks(bench)["trap_x_m"] - before == pytest.approx(-4e-6, abs=0.1e-6)
    stopped(bench)
    with Session(Path(snapshot.session)) as session:
        told = [(one.gains, one.limits) for one in session.records]
    assert told == [({}, {}), ({"y_m": 0.5}, {"trap_x_m": capped})]


def test_limits_beyond_the_controller_are_refused_and_those_in_force_stay(bench) -> None:
    device = next(one for one in bench.engine.snapshot.actuators if one.name == "trap_x_m")
    wide = replace(
        Limits.of(bench.station.loop.actuators["trap_x_m"]), maximum=device.maximum * 1.1
    )
    snapshot = answered(
        bench, SetLimits("trap_x_m", wide), "limits not set: trap x: wanted within the controller's"
    )
    assert snapshot.limits == snapshot.saved.limits


def test_limits_stay_while_a_procedure_runs(bench) -> None:
    answered(bench, StartProcedure("poke"), "poke began")
    narrow = replace(Limits.of(bench.station.loop.actuators["trap_x_m"]), step_cap=1e-6)
    answered(
        bench, SetLimits("trap_x_m", narrow), "limits not set: poke is running, cancel it first"
    )
