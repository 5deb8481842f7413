"""Rules for single parameters: fixed, bounded, refused."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from magis_calib.config.loading import parse_config
from magis_calib.config.station import Camera, ParameterRule, default_text
from magis_calib.domain.errors import ConfigError
from magis_calib.domain.estimate import ViewEstimate
from magis_calib.estimation.models import model_for
from magis_calib.estimation.station import combine
from magis_calib.estimation.view import estimate_view
from tests.pictures import Scene, pair

SCENE = Scene(x=8e-4, z=-1e-4)
"""Far to the right: phase and wavevector are correlated."""


@pytest.fixture(scope="module")
def frames():
    return pair(np.random.default_rng(8), SCENE).frames


def fitted(frames, camera: Camera, **rules: dict[str, float]) -> ViewEstimate:
    ruled = {name: ParameterRule(**rule) for name, rule in rules.items()}
    return estimate_view(frames[camera.view], camera.model_copy(update={"parameters": ruled}))


def test_a_fixed_parameter_keeps_its_value_has_no_error_and_makes_the_others_sharper(
    frames, station
) -> None:
    free = fitted(frames, station.camera("x"))
    found = fitted(
        frames, station.camera("x"), fringe_horizontal_rad_per_m={"fixed": SCENE.kappa_x}
    )
    held = found.parameters["fringe_horizontal_rad_per_m"]
    assert held.value == SCENE.kappa_x
    assert math.isnan(held.stderr)
    assert found.usable
    assert found.names == tuple(
        name for name in free.names if name != "fringe_horizontal_rad_per_m"
    )
    assert found.covariance.shape == (14, 14)
    for name in found.names:
        assert found.parameters[name].stderr <= free.parameters[name].stderr * 1.001, name
    assert found.parameters["phase_rad"].stderr < 0.9 * free.parameters["phase_rad"].stderr
    assert abs(found.value("phase_rad") - SCENE.phase) < 5 * found.parameters["phase_rad"].stderr


def test_a_parameter_fixed_at_a_wrong_value_is_found_out_by_chi_square(frames, station) -> None:
    found = fitted(frames, station.camera("y"), width_horizontal_m={"fixed": 0.9 * SCENE.width})
    assert not found.usable
    assert any("chi-square" in one for one in found.reasons)


def test_what_only_a_fixed_parameter_tells_is_not_measured(frames, station) -> None:
    found = fitted(
        frames, station.camera("x"), fringe_horizontal_rad_per_m={"fixed": SCENE.kappa_x}
    )
    whole = combine({"x": found})
    assert math.isnan(whole.values["fringe_x_rad_per_m"])
    for name, wanted in (("x_m", SCENE.x), ("z_m", SCENE.z), ("fringe_z_rad_per_m", SCENE.kappa_z)):
        assert whole.values[name] == pytest.approx(wanted, abs=5 * whole.stderr[name]), name


@pytest.mark.parametrize(
    "rule", [{"maximum": 1.1e-3}, {"minimum": 1.3e-3}, {"minimum": 1e-4, "maximum": 1.1e-3}]
)
def test_a_fit_that_ends_at_a_bound_is_not_used_and_says_which(frames, station, rule) -> None:
    found = fitted(frames, station.camera("y"), width_vertical_m=rule)
    assert not found.usable
    assert found.usable_quantities == ()
    bound = rule.get("maximum", rule.get("minimum"))
    assert f"at a bound: width_vertical_m = {bound:.6g}" in found.reasons
    assert math.isnan(combine({"y": found}).values["y_m"])


def test_a_bound_that_is_far_away_changes_nothing(frames, station) -> None:
    free = fitted(frames, station.camera("y"))
    found = fitted(
        frames, station.camera("y"), width_vertical_m={"minimum": 0.3e-3, "maximum": 3e-3}
    )
    assert found.usable
    for name, value in free.parameters.items():
        assert found.value(name) == pytest.approx(value.value, abs=0.02 * value.stderr), name
        assert found.parameters[name].stderr == pytest.approx(value.stderr, rel=1e-3), name


def test_a_fixed_fringe_is_not_reported_where_the_picture_has_none(station) -> None:
    plain = pair(np.random.default_rng(9), replace(SCENE, contrast=0.0)).frames
    found = fitted(plain, station.camera("x"), fringe_horizontal_rad_per_m={"fixed": SCENE.kappa_x})
    assert found.usable
    assert "fringe_horizontal_rad_per_m" not in found.parameters


BAD = {
    "{ fixed = 1.0, minimum = 0.0 }": "wanted either fixed, or minimum and/or maximum",
    "{}": "wanted either fixed, or minimum and/or maximum",
    "{ minimum = 2.0, maximum = 1.0 }": "minimum 2 must be less than maximum 1",
    "{ maximum = inf }": "finite number, got inf",
    "{ fixd = 1.0 }": "unknown name 'fixd', did you mean 'fixed'?",
    "1.0": "got 1.0",
}


@pytest.mark.parametrize("rule", BAD)
@pytest.mark.parametrize("camera", [0, 1])
def test_a_rule_that_makes_no_sense_is_refused_with_its_line(rule: str, camera: int) -> None:
    table = "\n[stations.bottom.cameras.parameters]\nport_a_electrons = {}\n"
    good, bad = table.format("{ minimum = 0.0 }"), table.format(rule)
    rules = [good, good]
    rules[camera] = bad
    first, second, third = default_text().split('defects = ""', 2)
    end = third.index("[stations.bottom.loop]")
    text = f"{first}{rules[0]}{second}{rules[1]}{third[end:]}"
    wanted = 1 + text.splitlines().index(f"port_a_electrons = {rule}")
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "mine.toml")
    assert str(caught.value).startswith(
        f"mine.toml: line {wanted}, stations.bottom.cameras.{camera}.parameters."
    )
    assert BAD[rule] in str(caught.value)


def test_a_rule_for_a_parameter_that_the_model_lacks_is_refused(station) -> None:
    camera = station.camera("y").model_copy(
        update={"parameters": {"contrast": ParameterRule(fixed=0.5)}}
    )
    with pytest.raises(
        ConfigError, match=r"camera LM2, parameters: model 'two_port' has no \['contrast'\]"
    ):
        model_for(camera)
