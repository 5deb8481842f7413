"""Pictures of floats are judged by the noise between their pixels, as counts are by chi-square."""

from __future__ import annotations

import numpy as np
import pytest

from magis_calib.config.station import Station
from magis_calib.domain.estimate import Array, ViewEstimate
from magis_calib.estimation.view import estimate_image
from magis_calib.imaging.electrons import from_floats

ROWS, COLUMNS = np.mgrid[:300, :400]
WIDTH_PX = 25.0


def spot(row: float, column: float, width: float = WIDTH_PX) -> Array:
    away = (ROWS - row) ** 2 + (COLUMNS - column) ** 2
    light: Array = np.exp(-away / (2 * width**2))
    return light


def ring(radius: float, width: float) -> Array:
    away = np.hypot(ROWS - 150, COLUMNS - 200) - radius
    light: Array = np.exp(-(away**2) / (2 * width**2))
    return light


def noise(sigma: float, seed: int) -> Array:
    return np.random.default_rng(seed).normal(0.0, sigma, ROWS.shape)


def smooth(values: Array) -> Array:
    """Relate each pixel to its neighbours, as turning or scaling a picture does."""
    return (values + np.roll(values, 1, 0) + np.roll(values, 1, 1) + np.roll(values, (1, 1))) / 2


def found(station: Station, picture: Array) -> ViewEstimate:
    camera = station.camera("y").model_copy(update={"model": "gaussian", "parameters": {}})
    return estimate_image(from_floats(picture), camera)


WRONG = {
    "two clouds": spot(150, 200) + 0.6 * spot(150, 275),
    "clipped": np.minimum(5.0 * spot(150, 200), 3.0),
    "hardly clipped": np.minimum(3.5 * spot(150, 200), 3.0),
    "ring": ring(37.0, 8.0),
    "halo": spot(150, 200) + 0.3 * ring(62.0, 8.0),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("sigma", [0.003, 0.05])
def test_what_is_not_the_model_is_not_used(station: Station, name: str, sigma: float) -> None:
    estimate = found(station, WRONG[name] + noise(sigma, 1))
    assert not estimate.usable
    assert any("noise between neighbouring pixels" in one for one in estimate.reasons)


@pytest.mark.parametrize("width", [6.0, 25.0, 50.0])
@pytest.mark.parametrize("sigma", [0.003, 0.02, 0.1])
def test_what_is_the_model_is_used_whatever_its_noise(station, width: float, sigma: float) -> None:
    cloud = spot(150.3, 200.4, width)
    atoms = np.random.default_rng(3)
    pictures = {
        "white": cloud + noise(sigma, 2),
        "smoothed": cloud + smooth(noise(sigma, 3)),
        "of the light": atoms.poisson((cloud + 0.05) / sigma**2) * sigma**2,
        "none": cloud,
    }
    for name, picture in pictures.items():
        estimate = found(station, picture)
        assert estimate.usable, (name, estimate.reasons)
        one = estimate.parameters["sigma_major_px"]
        assert abs(one.value - width) < 8 * one.stderr + 0.02 * width, name


def test_pixels_without_a_number_are_masked(station: Station) -> None:
    picture = spot(150, 200) + noise(0.02, 4)
    whole = found(station, picture)
    picture[140:150, 195:205] = np.nan
    picture[0, 0] = np.inf
    estimate = found(station, picture)
    assert estimate.usable
    assert estimate.left_out.masked_px == 101
    for name in ("sigma_major_px", "horizontal_px"):
        one = estimate.parameters[name]
        assert abs(one.value - whole.parameters[name].value) < 4 * one.stderr
