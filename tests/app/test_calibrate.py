"""The run plan as a command: interrupted by a fault, resumed, certified."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from magis_calib.cli.main import main
from magis_calib.domain.errors import ConfigError
from magis_calib.procedures.plan import default_plan, read_plan
from tests.app.test_whole_runs import magis_calib

PLAN = """
title = "a short calibration"
[[step]]
name = "atoms"
use = "atoms"
[[step]]
name = "geometry"
use = "cameras"
needs = ["atoms"]
[[step]]
name = "position"
use = "bring"
needs = ["geometry"]
options = { observables = ["z_m", "x_m", "y_m"] }
[[step]]
name = "tilt"
use = "bring"
needs = ["position"]
options = { observables = ["fringe_x_rad_per_m", "fringe_z_rad_per_m"] }
[[step]]
name = "area"
use = "scan"
needs = ["tilt"]
options = { name = "pulse_area", points = 7, drops_each = 1, keep = true }
[[step]]
name = "wander"
use = "stability"
options = { drops = 10 }
"""
NO_ATOMS = '[[fault]]\nkind = "no_atoms"\nfrom_drop = 10\n'


def test_the_shipped_plan_can_be_read_and_ends_with_the_loop_closed(capsys) -> None:
    assert default_plan().step[-1].use == "in_tolerance"
    assert main(["calibrate", "--print-plan"]) == 0
    assert read_plan(capsys.readouterr().out, "printed") == default_plan()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('use = "cameras"', 'use = "camera"', "step.1.use"),
        ('needs = ["tilt"]', 'needs = ["tilts"]', "needs ['tilts'], which are no steps before it"),
        ('name = "geometry"', 'name = "atoms"', "two steps are named 'atoms'"),
        ("title", "titel", "titel"),
    ],
)
def test_a_plan_that_cannot_be_walked_is_refused_by_name(old: str, new: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_plan(PLAN.replace(old, new), "mine.toml")
    assert "mine.toml" in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.station
def test_a_plan_that_stopped_at_a_failed_step_is_resumed_to_a_certificate(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(PLAN, encoding="utf-8")
    (tmp_path / "faults.toml").write_text(NO_ATOMS, encoding="utf-8")
    words = [
        "calibrate",
        "--simulate",
        "--auto",
        "--sensor",
        "small",
        "--interval",
        "0",
        "--seed",
        "4",
        "--off",
        "pulse_area=0.1",
        "--session-dir",
        str(tmp_path / "s"),
        "--products-dir",
        str(tmp_path / "p"),
    ]
    broken = magis_calib(
        *words, "--plan", str(tmp_path / "plan.toml"), "--faults", str(tmp_path / "faults.toml")
    )
    assert broken.returncode == 1, broken.stderr
    assert "step 'position' failed" in broken.stdout + broken.stderr
    assert "What to do" in broken.stderr
    (progress,) = (tmp_path / "p" / "plans").glob("*.plan.jsonl")
    mended = magis_calib(*words, "--resume", str(progress), "--skip", "wander=no time for it")
    assert mended.returncode == 0, mended.stderr
    (page,) = (tmp_path / "p").glob("*.html")
    product = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    outcomes = {one["name"]: one["outcome"] for one in product["numbers"]["steps"]}
    assert outcomes == dict.fromkeys(["atoms", "geometry", "position", "tilt", "area"], "done") | {
        "wander": "skipped"
    }
    area = next(one for one in product["numbers"]["steps"] if one["name"] == "area")
    assert area["product"]["optimum"] == pytest.approx(1.1, abs=0.03)
    written = page.read_text(encoding="utf-8")
    assert "no time for it" in written
    assert written.count("data:image/png;base64,") == 1


@pytest.mark.station
def test_the_contrast_is_brought_to_its_best_beside_the_closed_loop(tmp_path: Path) -> None:
    done = magis_calib(
        "optimise",
        "--simulate",
        "--auto",
        "--sensor",
        "small",
        "--interval",
        "0",
        "--seed",
        "4",
        "--off",
        "pulse_area=-0.15",
        "--for-drops",
        "48",
        "--session-dir",
        str(tmp_path / "s"),
        "--products-dir",
        str(tmp_path / "p"),
    )
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "p").glob("*.json")
    numbers = json.loads(path.read_text(encoding="utf-8"))["numbers"]
    assert numbers["optimum"] == pytest.approx(0.85, abs=0.04)
    assert "applied 6 setpoints" in done.stdout
