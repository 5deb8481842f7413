"""Pictures that a fit must find by itself, each with one thing that is hard."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from magis_calib.benchmark.blemish import add_hot_pixels, add_tracks
from magis_calib.benchmark.deviation import MEASURES, deviations
from magis_calib.benchmark.picture import Truth, mean_of, photograph
from magis_calib.config.station import Camera
from magis_calib.domain.camera import CameraFacts
from magis_calib.domain.estimate import ViewEstimate
from magis_calib.estimation.view import Expected, estimate_image
from magis_calib.imaging.electrons import from_counts

PIXEL_M = 16e-6
FACTS = CameraFacts(1400, 900, PIXEL_M, 0.24, 1600.0, 2.4, 65520, 12, 16, 0.9, "normal")
PLACES = {"port_a_displacement_m": (0.0, 5e-3), "port_b_displacement_m": (0.0, -5e-3)}
CAMERA = Camera(name="LM1", view="x", model="two_port_fringe", **PLACES)


def truth(**changes: float) -> Truth:
    values = {
        "background_electrons_per_px": 4.0,
        "background_gradient_horizontal": 0.0,
        "background_gradient_vertical": 0.0,
        "port_a_electrons": 4e5,
        "port_a_horizontal_m": 1e-4,
        "port_a_vertical_m": 5.1e-3,
        "port_b_electrons": 5e5,
        "port_b_horizontal_m": 1e-4,
        "port_b_vertical_m": -4.9e-3,
        "width_horizontal_m": 0.8e-3,
        "width_vertical_m": 0.6e-3,
        "fringe_horizontal_rad_per_m": 7000.0,
        "fringe_vertical_rad_per_m": 500.0,
        "contrast": 0.6,
        "phase_rad": 0.7,
    }
    return Truth(**(values | changes), displacement_a_m=(0.0, 5e-3), displacement_b_m=(0.0, -5e-3))


def fitted(picture: Truth, seed: int = 1, facts: CameraFacts = FACTS) -> ViewEstimate:
    counts = photograph(np.random.default_rng(seed), picture, facts)
    return estimate_image(from_counts(counts, facts), CAMERA)


def assert_right(found: ViewEstimate, wanted: Truth, *quantities: str) -> None:
    away = deviations(found, wanted)
    for quantity in quantities:
        assert quantity in found.usable_quantities, (quantity, found.reasons)
        for name in MEASURES[quantity]:
            assert name not in away or abs(away[name].pull) < 5.0, (name, away[name])


ALL = ("position", "atoms", "width", "fringe", "contrast", "phase")


@pytest.mark.parametrize("turn", np.linspace(0.0, math.pi, 9))
def test_a_fringe_of_any_direction(turn: float) -> None:
    wanted = truth(
        fringe_horizontal_rad_per_m=8000 * math.cos(turn),
        fringe_vertical_rad_per_m=8000 * math.sin(turn),
    )
    assert_right(fitted(wanted), wanted, *ALL)


@pytest.mark.parametrize("period_px", [6.0, 9.0, 20.0, 60.0, 120.0, 150.0, 250.0])
def test_a_fringe_from_six_pixels_to_five_widths(period_px: float) -> None:
    wanted = truth(fringe_horizontal_rad_per_m=2 * math.pi / (period_px * PIXEL_M))
    assert_right(fitted(wanted), wanted, *ALL)


@pytest.mark.parametrize("contrast", [0.05, 0.2, 1.0])
def test_any_contrast(contrast: float) -> None:
    wanted = truth(contrast=contrast)
    assert_right(fitted(wanted), wanted, *ALL)


@pytest.mark.parametrize("width_px", [8.0, 15.0, 90.0])
def test_narrow_and_wide_clouds(width_px: float) -> None:
    size = width_px * PIXEL_M
    wanted = truth(
        width_horizontal_m=size, width_vertical_m=size, fringe_horizontal_rad_per_m=6.0 / size
    )
    assert_right(fitted(wanted), wanted, *ALL)


def test_clouds_that_overlap_each_other() -> None:
    wanted = truth(
        width_horizontal_m=2.5e-3,
        width_vertical_m=2.9e-3,
        port_a_electrons=4e6,
        port_b_electrons=5e6,
    )
    assert_right(fitted(wanted), wanted, *ALL)


def test_clouds_a_quarter_of_the_frame_wide() -> None:
    """The frame cuts them, so nothing is used, but the numbers are right."""
    wanted = truth(
        width_horizontal_m=3.6e-3,
        width_vertical_m=5.6e-3,
        port_a_electrons=4e6,
        port_b_electrons=5e6,
    )
    found = fitted(wanted)
    assert any("cut by the edge" in one for one in found.reasons), found.reasons
    assert max(abs(one.pull) for one in deviations(found, wanted).values()) < 5.0


@pytest.mark.parametrize("port", ["a", "b"])
def test_one_port_alone_is_found_and_used_only_where_the_cloud_was_expected(port: str) -> None:
    """Offline the other port may as well lie outside the frame."""
    dark = {"a": "b", "b": "a"}[port]
    wanted = truth(**{f"port_{dark}_electrons": 0.0})
    image = from_counts(photograph(np.random.default_rng(1), wanted, FACTS), FACTS)
    assert_right(estimate_image(image, CAMERA, Expected((7000.0, 500.0))), wanted, *ALL)
    offline = estimate_image(image, CAMERA)
    assert max(abs(one.pull) for one in deviations(offline, wanted).values()) < 5.0
    assert not offline.usable
    assert f"port_{dark}_horizontal_m" not in offline.parameters
    assert any("one port alone" in one for one in offline.reasons), offline.reasons


def test_a_lone_port_without_a_fringe_may_hide_a_long_one() -> None:
    found = fitted(truth(port_b_electrons=0.0, contrast=0.0))
    assert not found.usable
    assert any("one port alone" in one for one in found.reasons), found.reasons


def test_a_cloud_far_from_its_place() -> None:
    wanted = truth(port_a_horizontal_m=-3.9e-3, port_b_horizontal_m=-3.9e-3)
    assert_right(fitted(wanted), wanted, *ALL)


def test_hot_pixels_tracks_and_a_steep_background() -> None:
    rng = np.random.default_rng(8)
    wanted = truth(background_gradient_horizontal=80.0, background_gradient_vertical=-50.0)
    counts = photograph(rng, wanted, FACTS, response_spread=0.006)
    add_hot_pixels(rng, counts, FACTS, 1e-3)
    add_tracks(rng, counts, FACTS, 12)
    assert_right(estimate_image(from_counts(counts, FACTS), CAMERA), wanted, *ALL)


def test_dim_hot_pixels_under_the_light_are_found_against_the_model() -> None:
    """Too dim to be told from a fringe before there is a model: twelve of their standard deviations
    above it.
    """
    wanted, rng = truth(contrast=0.3), np.random.default_rng(4)
    counts = photograph(rng, wanted, FACTS)
    mean = sum(mean_of(wanted, FACTS).part(slice(None)))
    lit = np.flatnonzero(mean > 8.0)
    at = rng.choice(lit, 40, replace=False)
    sigma = np.sqrt(1.9 * mean.flat[at] + FACTS.quantised_read_variance)
    counts.flat[at] = np.rint((mean.flat[at] + 12.0 * sigma) / FACTS.gain / 16) * 16 + 1600
    image = from_counts(counts, FACTS)
    missed = set(at.tolist()) - set(image.bad.tolist())
    assert len(missed) > 30
    found = estimate_image(image, CAMERA)
    assert found.masked_px >= image.bad.size + len(missed)
    assert found.masked_px < image.bad.size + len(missed) + 5
    assert_right(found, wanted, *ALL)


def test_light_that_no_model_fits_is_not_masked_away() -> None:
    """A bright fringe fitted by a model without one: chi-square refuses it, and its light is still
    counted.
    """
    wanted = truth(port_a_electrons=4e6, port_b_electrons=4e6)
    image = from_counts(photograph(np.random.default_rng(5), wanted, FACTS), FACTS)
    found = estimate_image(image, CAMERA.model_copy(update={"model": "two_port"}))
    assert not found.usable
    assert any("chi-square" in one for one in found.reasons), found.reasons
    assert found.parameters["port_a_electrons"].value == pytest.approx(4e6, rel=0.1)


def test_a_dead_column_through_the_fringe_does_not_bias_it() -> None:
    """The mean of a bin's good pixels is not the light of all of them."""
    wanted = truth(fringe_horizontal_rad_per_m=6000.0, port_a_electrons=4e6, port_b_electrons=4e6)
    pulls = []
    defects = np.zeros((FACTS.rows, FACTS.columns), bool)
    defects[:, 430:480:5] = True
    for seed in range(6):
        counts = photograph(np.random.default_rng(seed), wanted, FACTS)
        counts[defects] = 1600
        away = deviations(estimate_image(from_counts(counts, FACTS, defects), CAMERA), wanted)
        pulls.append([one.pull for one in away.values()])
    assert np.abs(np.mean(pulls, axis=0)).max() < 4.5 / math.sqrt(6)


def test_saturated_light_is_refused_and_saturated_defects_are_not() -> None:
    dim = replace(FACTS, saturation=1600 + 400)
    rng = np.random.default_rng(3)
    counts = photograph(rng, truth(port_a_electrons=4e6, port_b_electrons=4e6), dim)
    found = estimate_image(from_counts(counts, dim), CAMERA)
    assert not found.usable
    assert any("saturated" in one for one in found.reasons), found.reasons
    counts = photograph(rng, truth(), FACTS)
    counts.flat[rng.choice(counts.size, 300, replace=False)] = FACTS.saturation
    clean = estimate_image(from_counts(counts, FACTS), CAMERA)
    assert "phase" in clean.usable_quantities
    assert clean.saturated_px == 0


def test_a_faint_fringe_is_believed_only_where_it_was_expected() -> None:
    wanted = truth(contrast=0.0115)
    scores = []
    for seed in range(12):
        counts = photograph(np.random.default_rng(seed), wanted, FACTS)
        image = from_counts(counts, FACTS)
        free = "fringe" in estimate_image(image, CAMERA).usable_quantities
        near = (
            "fringe" in estimate_image(image, CAMERA, Expected((7000.0, 500.0))).usable_quantities
        )
        far = (
            "fringe" in estimate_image(image, CAMERA, Expected((12000.0, 500.0))).usable_quantities
        )
        scores.append((free, near, far))
    free, near, far = np.sum(scores, axis=0)
    assert near > free
    assert far == free
