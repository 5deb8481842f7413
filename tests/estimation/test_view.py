"""Fits of pictures whose answer is known, thrown atom by atom by `tests.pictures`."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from magis_calib.domain.quantities import wrap_phase
from magis_calib.estimation.station import combine
from magis_calib.estimation.view import Expected, estimate_view
from tests.pictures import BACKGROUND, PORT_M, SMALL, Scene, expose, frame, pair

PAIRS = 40


def truth_of(scene: Scene, view: str) -> dict[str, float]:
    electrons = scene.atoms * SMALL.excess / 2
    wanted = {
        "background_electrons_per_px": BACKGROUND,
        "background_gradient_horizontal": 0.0,
        "background_gradient_vertical": 0.0,
        "width_horizontal_m": scene.width,
        "width_vertical_m": scene.width,
        "fringe_horizontal_rad_per_m": scene.kappa_x,
        "fringe_vertical_rad_per_m": scene.kappa_z,
        "contrast": scene.contrast,
        "phase_rad": scene.phase,
    }
    for port, up in PORT_M.items():
        wanted[f"port_{port}_electrons"] = electrons
        wanted[f"port_{port}_horizontal_m"] = scene.x if view == "x" else scene.y
        wanted[f"port_{port}_vertical_m"] = scene.z + up
    return wanted


@pytest.fixture(scope="module")
def fitted():
    """Random scenes with both views fitted."""
    from magis_calib.config.loading import load_config, select_station

    station = select_station(load_config(None), None)[1]
    rng = np.random.default_rng(20)
    found = []
    for _ in range(PAIRS):
        scene = Scene(
            *rng.normal(0, 2e-4, 3),
            rng.normal(6283, 300),
            rng.normal(0, 200),
            rng.uniform(-math.pi, math.pi),
            rng.uniform(0.4, 0.9),
            10 ** rng.uniform(5.5, 6.3),
        )
        frames = pair(rng, scene).frames
        found.append(
            (scene, {view: estimate_view(frames[view], station.camera(view)) for view in frames})
        )
    return found


def test_every_good_picture_is_usable(fitted) -> None:
    for _, views in fitted:
        assert views["x"].usable_quantities == (
            "position",
            "atoms",
            "width",
            "fringe",
            "contrast",
            "phase",
        )
        assert views["y"].usable_quantities == ("position", "atoms", "width")
        assert views["x"].reasons == views["y"].reasons == ()


@pytest.mark.parametrize("view", ["x", "y"])
def test_errors_are_honest_for_every_parameter(fitted, view: str) -> None:
    """Pulls of 40 fits: the mean within 4.5 of its error, the spread within 4.5 of its own (chance
    < 1e-3 in all).
    """
    for name in fitted[0][1][view].names:
        pulls = []
        for scene, views in fitted:
            found, wanted = views[view].parameters[name], truth_of(scene, view)[name]
            away = found.value - wanted
            pulls.append((wrap_phase(away) if name == "phase_rad" else away) / found.stderr)
        assert abs(np.mean(pulls)) < 4.5 / math.sqrt(PAIRS), name
        assert abs(np.std(pulls) - 1.0) < 4.5 / math.sqrt(2 * PAIRS), name


def test_the_station_estimate_takes_both_views_and_knows_that_they_share_atoms(fitted) -> None:
    pulls = {
        name: []
        for name in ("x_m", "y_m", "z_m", "fringe_x_rad_per_m", "fringe_z_rad_per_m", "phase_rad")
    }
    for scene, views in fitted:
        station = combine(views)
        wanted = dict(
            zip(
                pulls,
                (scene.x, scene.y, scene.z, scene.kappa_x, scene.kappa_z, scene.phase),
                strict=True,
            )
        )
        for name, value in wanted.items():
            away = station.values[name] - value
            pulls[name].append(
                (wrap_phase(away) if name == "phase_rad" else away) / station.stderr[name]
            )
        alone = views["x"].parameters["port_a_vertical_m"].stderr / math.sqrt(2)
        shared = scene.width / math.sqrt(scene.atoms)
        assert shared < station.stderr["z_m"] < alone
        assert station.values["atoms"] == pytest.approx(scene.atoms, rel=0.03)
    for name, one in pulls.items():
        assert abs(np.mean(one)) < 4.5 / math.sqrt(PAIRS), name
        assert abs(np.std(one) - 1.0) < 4.5 / math.sqrt(2 * PAIRS), name


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_expected_wavevector_decides_the_branch(station, sign: float) -> None:
    frames = pair(np.random.default_rng(1), Scene(kappa_x=sign * 6283.0, phase=1.0)).frames
    by_direction = estimate_view(frames["x"], station.camera("x"))
    in_loop = estimate_view(frames["x"], station.camera("x"), Expected((sign * 6000.0, 100.0)))
    assert by_direction.value("fringe_horizontal_rad_per_m") > 0
    assert by_direction.value("phase_rad") == pytest.approx(sign * 1.0, abs=0.03)
    assert in_loop.value("fringe_horizontal_rad_per_m") == pytest.approx(sign * 6283.0, abs=30)
    assert in_loop.value("phase_rad") == pytest.approx(1.0, abs=0.03)
    assert "phase" in in_loop.usable_quantities


def test_a_fringe_too_wide_for_the_cloud_leaves_the_phase_ambiguous_in_the_loop(station) -> None:
    frames = pair(np.random.default_rng(1), Scene(kappa_x=1500.0)).frames
    found = estimate_view(frames["x"], station.camera("x"), Expected((1500.0, 0.0)))
    assert found.usable
    assert "phase" not in found.usable_quantities
    assert any("branch ambiguous" in one or "no fringe" in one for one in found.reasons)


def test_defects_do_not_move_the_answer(station) -> None:
    rng = np.random.default_rng(4)
    frames = pair(rng, Scene()).frames
    clean = estimate_view(frames["x"], station.camera("x"))
    counts = frames["x"].counts.copy()
    at = rng.choice(counts.size, 120, replace=False)
    counts.flat[at] = np.minimum(
        65520, counts.flat[at] + (rng.exponential(4000, 120) / 0.24)
    ).astype(np.uint16)
    spoilt = estimate_view(frame(counts, "x"), station.camera("x"))
    for name, value in clean.parameters.items():
        assert abs(spoilt.value(name) - value.value) < 0.6 * value.stderr, name


BAD = {
    "dark": (lambda counts: np.full_like(counts, 1600), "no cloud"),
    "empty": (lambda counts: np.full_like(counts, 0), "no cloud"),
    "saturated": (lambda counts: np.where(counts > 1600 + 130 / 0.24, 65520, counts), "saturated"),
    "all saturated": (lambda counts: np.full_like(counts, 65520), "saturated"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_image_is_an_estimate_with_a_reason_and_no_numbers_to_use(station, name: str) -> None:
    spoil, reason = BAD[name]
    frames = pair(np.random.default_rng(2), Scene()).frames
    counts = spoil(frames["x"].counts).astype(np.uint16)
    found = estimate_view(frame(counts, "x"), station.camera("x"))
    assert not found.usable
    assert found.usable_quantities == ()
    assert any(reason in one for one in found.reasons), found.reasons
    whole = combine({"x": found, "y": estimate_view(frames["y"], station.camera("y"))})
    assert whole.usable
    assert math.isnan(whole.values["x_m"])
    assert math.isnan(whole.values["phase_rad"])
    assert whole.values["y_m"] == pytest.approx(0.0, abs=2e-5)


def test_a_cloud_without_fringes_has_a_position_and_no_phase(station) -> None:
    frames = pair(np.random.default_rng(5), Scene(contrast=0.0)).frames
    found = estimate_view(frames["x"], station.camera("x"))
    assert found.usable
    assert any("no fringe" in one for one in found.reasons), found.reasons
    assert "phase" not in found.usable_quantities
    assert math.isnan(combine({"x": found}).values["phase_rad"])


def test_a_cloud_cut_by_the_edge_is_not_used(station) -> None:
    frames = pair(np.random.default_rng(5), Scene(x=23e-3)).frames
    found = estimate_view(frames["x"], station.camera("x"))
    assert not found.usable
    assert any("edge" in one for one in found.reasons), found.reasons


def test_light_that_the_model_does_not_describe_fails_chi_square(station) -> None:
    rng = np.random.default_rng(6)
    number = 300_000
    ring = rng.uniform(0, 2 * np.pi, number)
    radius = rng.normal(2.5e-3, 2e-4, number)
    port = np.where(rng.random(number) < 0.5, 7.5e-3, -7.5e-3)
    counts = expose(rng, radius * np.cos(ring), radius * np.sin(ring) + port, SMALL)
    found = estimate_view(frame(counts, "x"), station.camera("x"))
    assert not found.usable
    assert any("chi-square" in one or "not converged" in one for one in found.reasons), (
        found.reasons
    )


def test_a_sensor_that_stands_on_its_side_gives_the_same_answer(station) -> None:
    frames = pair(np.random.default_rng(7), Scene(x=1e-4)).frames
    straight = estimate_view(frames["x"], station.camera("x"))
    lying = replace(SMALL, rows=SMALL.columns, columns=SMALL.rows, orientation="rotated_270")
    turned = frame(np.rot90(frames["x"].counts).copy(), "x", facts=lying)
    again = estimate_view(turned, station.camera("x"))
    for name, value in straight.parameters.items():
        assert again.value(name) == pytest.approx(value.value, abs=1e-3 * value.stderr), name
