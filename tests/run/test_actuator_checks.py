"""Controllers that are not what the configuration says, do not stand where they were sent, or are
not ready.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from magis_calib.state.commands import CloseLoop
from magis_calib.state.snapshot import Snapshot
from tests.bench import until
from tests.pictures import Scene

pytestmark = pytest.mark.station
AWAY = Scene(x=2e-4)


def decided(drop_id: int, *words: str) -> Callable[[Snapshot], bool]:
    return lambda s: any(
        one.drop_id == drop_id and all(word in one.decision.in_words() for word in words)
        for one in s.records
    )


def redescribed(bank, name: str, **changes):
    """Make a controller describe one parameter otherwise,
    as after somebody changed its settings.
    """
    described = bank.describe
    bank.describe = lambda: described() | {name: described()[name].model_copy(update=changes)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"unit": "mrad"}, "mirror_tilt_x_rad: unit 'mrad', wanted 'rad'"),
        ({"direction": -1}, "mirror_tilt_x_rad: direction -1, wanted +1"),
        ({"maximum": 1e-3}, "mirror_tilt_x_rad: range [-0.002, 0.001]"),
    ],
)
def test_a_controller_that_disagrees_with_the_configuration_is_sent_nothing(
    bench, changes, words: str
) -> None:
    bench.drop(1, AWAY)
    until(bench.engine, decided(1, "applied"), "the first is sent")
    before = bench.controllers.banks["drop_system"].readback()
    redescribed(bench.controllers.banks["laser"], "mirror_tilt_x_rad", **changes)
    bench.controllers.restart("laser")
    until(bench.engine, lambda s: words in s.loop_detail, "the disagreement")
    bench.drop(2, AWAY)
    until(bench.engine, decided(2, "held", words), "held")
    assert bench.controllers.banks["drop_system"].readback() == before


def test_a_parameter_that_another_controller_describes_is_not_written(bench) -> None:
    banks = bench.controllers.banks
    of_drop_system, of_laser = banks["drop_system"].describe, banks["laser"].describe
    name = "mirror_tilt_x_rad"
    banks["drop_system"].describe = lambda: of_drop_system() | {name: of_laser()[name]}
    bench.controllers.restart("drop_system")
    words = f"{name}: described by drop_system, wanted laser"
    until(bench.engine, lambda s: words in s.loop_detail, "the disagreement")
    bench.drop(1, AWAY)
    until(bench.engine, decided(1, "held", words), "held")


def test_a_laser_that_lost_its_lock_holds_the_loop_until_it_is_locked_again(bench) -> None:
    bench.controllers.words["laser"] = {"locked": False}
    until(bench.engine, lambda s: "laser is not locked" in s.loop_detail, "seen without a drop")
    bench.drop(1, AWAY)
    until(bench.engine, decided(1, "held", "laser is not locked"), "held")
    until(bench.engine, lambda s: "loop" in {alarm.key for alarm in s.alarms}, "an alarm at once")
    bench.controllers.words["laser"] = {"locked": True}
    until(bench.engine, lambda s: not s.loop_detail, "locked again")
    bench.drop(2, AWAY)
    until(bench.engine, decided(2, "applied"), "goes on")


def test_a_scan_at_a_controller_holds_the_loop(bench) -> None:
    bench.controllers.words["drop_system"] = {"state": "scan"}
    until(bench.engine, lambda s: "drop system: scan" in s.loop_detail, "seen")
    bench.drop(1, AWAY)
    until(bench.engine, decided(1, "held", "drop system: scan"), "held")


def test_an_actuator_that_somebody_else_moved_holds_the_loop_until_the_operator_takes_it_as_it_is(
    bench,
) -> None:
    bench.drop(1, AWAY)
    until(bench.engine, decided(1, "applied"), "sent")
    bank = bench.controllers.banks["drop_system"]
    bank.write({"trap_y_m": 40e-6}, 2)
    bench.drop(2, AWAY)
    snapshot = until(bench.engine, decided(2, "held", "trap y reads 40.00"), "held")
    assert snapshot.records[-1].in_force["trap_y_m"] == pytest.approx(40e-6), "the prediction knows"
    bench.engine.submit(CloseLoop())
    until(bench.engine, lambda s: "loop closed" in s.note and not s.loop_detail, "accepted")
    bench.drop(3, AWAY)
    after = until(bench.engine, decided(3, "applied"), "goes on").records[-1]
    assert abs(after.decision.readback["trap_y_m"] - 40e-6) < 50e-6


def test_corrections_begin_again_by_a_quarter_after_a_hold(bench) -> None:
    bench.drop(1, AWAY)
    until(bench.engine, decided(1, "applied"), "sent")
    bench.controllers.words["laser"] = {"locked": False}
    until(bench.engine, lambda s: s.loop_detail, "unlocked")
    bench.drop(2, AWAY)
    until(bench.engine, decided(2, "held"), "held")
    bench.controllers.words["laser"] = {}
    until(bench.engine, lambda s: not s.loop_detail, "locked")
    bench.drop(3, AWAY)
    proposal = until(bench.engine, decided(3, "applied"), "sent").records[-1].decision.proposal
    assert "resumed: 25% of the correction" in proposal.limits
    here = bench.engine.snapshot.records[-2].in_force
    z = "launch_frequency_hz"
    assert np.isclose(
        proposal.limited[z] - here[z], 0.25 * (proposal.proposed[z] - here[z]), rtol=1e-3, atol=1e-3
    )
