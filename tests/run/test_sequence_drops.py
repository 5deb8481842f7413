"""Drops of other sequence types in a live application: estimated as what they are, acted on by
nobody.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from magis_calib.cli.main import main
from magis_calib.estimation.station import fringe_y
from magis_calib.state.commands import StopRun
from tests.bench import until
from tests.pictures import Scene

pytestmark = pytest.mark.station

SCENES = {
    "interferometer": Scene(x=1e-4),
    "no_atoms": Scene(atoms=0.0),
    "z_shear": Scene(x=1e-4, kappa_x=300.0, kappa_z=6283.0),
    "pi_test": Scene(x=1e-4, contrast=0.0),
}


def test_each_type_is_estimated_as_what_it_is_and_moves_nothing(bench, capsys) -> None:
    for drop_id, (kind, scene) in enumerate(SCENES.items(), start=1):
        bench.drop(drop_id, scene, sequence_type=kind)
        snapshot = until(bench.engine, lambda s, n=drop_id: len(s.records) == n, kind)
    first, nothing, shear, pi_test = snapshot.records
    assert first.decision.outcome == "applied"
    assert [one.sequence_type for one in snapshot.records] == list(SCENES)
    assert {one.decision.outcome for one in (nothing, shear, pi_test)} == {"held"}
    assert (nothing.complete, nothing.estimate.usable) == (True, False)
    assert nothing.estimate.reasons == ("no_atoms: background only",)
    assert all(math.isnan(value) for value in nothing.estimate.values.values())
    assert nothing.decision.reason == "no_atoms: background only"
    assert shear.estimate.values["fringe_x_rad_per_m"] == pytest.approx(300.0, abs=20)
    assert shear.estimate.values["fringe_z_rad_per_m"] == pytest.approx(6283.0, abs=20)
    assert fringe_y(shear.estimate).value == pytest.approx(0.0, abs=20)
    assert pi_test.estimate.values["port_fraction"] == pytest.approx(0.5, abs=3e-3)
    assert snapshot.alarms == ()
    bench.engine.submit(StopRun())
    assert bench.engine.wait(30)
    assert main(["replay", str(Path(snapshot.session)), "--speed", "max", "--auto"]) == 0
    assert "all identical" in capsys.readouterr().out
