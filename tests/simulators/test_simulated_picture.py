from __future__ import annotations

import math

import numpy as np
import pytest

from magis_calib.domain.camera import VIEWS
from simulators.cameras.exposure import Job, develop
from simulators.instrument.sensor import Sensor
from simulators.plant import Plant, Scene

SEED = 5


@pytest.fixture(scope="module")
def sensors(numbers):
    return {view: Sensor(numbers.camera, numbers.sensors["small"], view, SEED) for view in VIEWS}


def pictures(numbers, sensors, scene, cloud=None):
    return {
        one.view: one.counts
        for one in develop(Job(scene, 0), sensors, cloud or numbers.cloud, SEED)
    }


def electrons(counts, facts):
    return (counts.astype(float) - facts.offset) * facts.gain


def axes(facts):
    """u of each column and v of each row, m."""
    u = (np.arange(facts.columns) - (facts.columns - 1) / 2) * facts.object_pixel_m
    v = ((facts.rows - 1) / 2 - np.arange(facts.rows)) * facts.object_pixel_m
    return u, v


def good(image):
    """Hot pixels are far brighter than any atom cloud."""
    return image < 700.0


def test_background_is_what_the_facts_say(numbers, sensors):
    facts = sensors["x"].facts
    image = electrons(
        pictures(numbers, sensors, Scene(1, (0, 0, 0), (6283, 0, 0), 0, 0.7))["x"], facts
    )
    corner = image[:150, :200]
    corner = corner[good(corner) & (corner < 40)]
    assert corner.mean() == pytest.approx(4.0, abs=0.1)
    assert corner.var() == pytest.approx(4.0 + facts.quantised_read_variance, rel=0.05)
    assert set(
        np.unique(pictures(numbers, sensors, Scene(2, (0, 0, 0), (0, 0, 0), 0, 0.7))["y"] % 16)
    ) == {0}


def test_cloud_is_where_the_scene_says(numbers, sensors):
    scene = Scene(3, (250e-6, -250e-6, 300e-6), (6283, 0, 0), 0.4, 0.7)
    for view, wanted_u in (("x", 250e-6), ("y", -250e-6)):
        facts = sensors[view].facts
        image = electrons(pictures(numbers, sensors, scene)[view], facts) - 4.0
        u, v = axes(facts)
        near = (np.abs(u - wanted_u) < 5e-3)[None, :] & (np.abs(np.abs(v) - 7.5e-3) < 5e-3)[:, None]
        image = np.where(near & good(image), image, 0.0)
        total = image.sum()
        assert total == pytest.approx(900e3, rel=0.02)
        assert (image.sum(axis=0) @ u) / total == pytest.approx(wanted_u, abs=30e-6)
        for displacement in (7.5e-3, -7.5e-3):
            port = image[np.sign(v) == np.sign(displacement)]
            middle = (port.sum(axis=1) @ v[np.sign(v) == np.sign(displacement)]) / port.sum()
            assert middle - displacement == pytest.approx(300e-6, abs=40e-6)


@pytest.mark.parametrize("fringe_y", [0.0, 324.0])
def test_fringes_have_the_phase_of_the_model(numbers, sensors, fringe_y):
    scene = Scene(4, (100e-6, -250e-6, 300e-6), (6283.0, fringe_y, 350.0), 1.2, 0.7)
    facts = sensors["x"].facts
    image = electrons(pictures(numbers, sensors, scene)["x"], facts) - 4.0
    u, v = axes(facts)
    sign = np.where(v > 0, 1.0, -1.0)
    angle = 6283.0 * u[None, :] + 350.0 * (v - sign * 7.5e-3)[:, None]
    bright = good(image) & (
        (np.abs(np.abs(v) - 7.5e-3) < 5e-3)[:, None] & (np.abs(u) < 5e-3)[None, :]
    )
    found = np.sum(np.where(bright, image, 0.0) * sign[:, None] * np.exp(-1j * angle))
    assert math.remainder(
        np.angle(found) - (1.2 + fringe_y * -250e-6), 2 * math.pi
    ) == pytest.approx(0, abs=0.03)
    contrast = 2 * abs(found) / 900e3 / np.sinc(6283.0 * 64e-6 / (2 * math.pi))
    assert contrast == pytest.approx(0.7 * math.exp(-((fringe_y * 1.2e-3) ** 2) / 2), rel=0.03)


def test_noise_is_that_of_atoms_which_scatter_many_photons(numbers, sensors):
    facts = sensors["x"].facts
    image = electrons(
        pictures(numbers, sensors, Scene(6, (0, 0, 0), (0, 0, 0), math.pi / 2, 0.0))["x"], facts
    )
    u, v = axes(facts)
    width, per_port = 1.2e-3, 450e3
    shape_v = sum(np.exp(-((v - d) ** 2) / (2 * width**2)) for d in (7.5e-3, -7.5e-3))
    density = per_port * facts.object_pixel_m**2 / (2 * math.pi * width**2)
    signal = density * shape_v[:, None] * np.exp(-(u**2) / (2 * width**2))[None, :]
    variance = 4.0 + (1 + facts.excess) * signal + facts.quantised_read_variance
    squared_pull = (image - signal - 4.0) ** 2 / variance
    chi2 = np.mean(squared_pull[(signal > 20) & (squared_pull < 8.0**2)])  # beyond are hot pixels
    assert chi2 == pytest.approx(1.0, abs=0.08)


def test_same_seed_gives_the_same_pictures(numbers, sensors):
    def first_pictures(seed):
        plant = Plant(numbers, "short", seed)
        scene = plant.drop(1, plant.nominal).scene
        mine = {
            view: Sensor(numbers.camera, numbers.sensors["small"], view, seed) for view in VIEWS
        }
        return {one.view: one.checksum for one in develop(Job(scene, 0), mine, numbers.cloud, seed)}

    once = first_pictures(11)
    assert once == first_pictures(11)
    assert set(once.values()).isdisjoint(first_pictures(12).values())


def test_views_and_drops_differ(numbers, sensors):
    scenes = [Scene(k, (0, 0, 0), (0, 0, 0), 0, 0.7) for k in (1, 2)]
    checksums = {
        one.checksum
        for scene in scenes
        for one in develop(Job(scene, 0), sensors, numbers.cloud, SEED)
    }
    assert len(checksums) == 4


def test_cloud_off_the_sensor_leaves_a_dark_picture(numbers, sensors):
    image = pictures(numbers, sensors, Scene(1, (1.0, 0, 0), (0, 0, 0), 0, 0.7))["x"]
    assert np.median(image) == pytest.approx(1616, abs=16)


def test_saturation_is_clipped(numbers, sensors):
    cloud = numbers.cloud.model_copy(update={"atoms": 2e6, "width_m": 0.1e-3})
    image = pictures(numbers, sensors, Scene(1, (0, 0, 0), (0, 0, 0), 0, 0.0), cloud)["x"]
    assert image.max() == 65520


def test_no_two_drops_share_their_noise_beneath_the_atoms(numbers, sensors):
    """Noise that is only shifted from drop to drop pulls every fit of a run to the same side."""
    nothing = numbers.cloud.model_copy(update={"atoms": 0.0})
    dark = []
    for drop_id in (1, 2):
        image = pictures(numbers, sensors, Scene(drop_id, (0, 0, 0), (0, 0, 0), 0, 0.7), nothing)[
            "x"
        ]
        image = electrons(image[100:412, 300:468], sensors["x"].facts)
        image = np.where(image < 40, image, 4.0)
        dark.append((image - image.mean()) / image.std())
    spectra = [np.fft.rfft2(image) for image in dark]
    correlation = np.fft.irfft2(spectra[0] * spectra[1].conj(), dark[0].shape) / dark[0].size
    assert np.abs(correlation).max() < 0.04
