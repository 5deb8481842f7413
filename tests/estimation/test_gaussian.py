"""One rotated cloud or beam, with and without a fringe, from counts and from floats, and as a
profile.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from magis_calib.config.station import Camera
from magis_calib.domain.camera import CameraFacts
from magis_calib.domain.quantities import wrap_phase
from magis_calib.estimation.grid import Grid
from magis_calib.estimation.models import model_for
from magis_calib.estimation.station import combine
from magis_calib.estimation.view import estimate_image
from magis_calib.imaging.electrons import from_counts, from_floats

ROWS, COLUMNS = 300, 400
FACTS = CameraFacts(ROWS, COLUMNS, 5e-6, 1.0, 0.0, 3.0, 65535, 16, 1, 0.0, "normal")
TRUTH = {
    "amplitude": 800.0,
    "horizontal_px": 210.3,
    "vertical_px": 140.6,
    "sigma_major_px": 42.0,
    "sigma_minor_px": 25.0,
    "angle_rad": 0.5,
    "background": 30.0,
    "background_gradient_horizontal": 0.02,
    "background_gradient_vertical": -0.03,
    "contrast": 0.5,
    "phase_rad": 1.2,
    "fringe_horizontal_rad_per_px": 0.35,
    "fringe_vertical_rad_per_px": -0.12,
}


def light(values: dict[str, float], fine: int = 4) -> np.ndarray:
    """Electrons per pixel from the definition, summed over `fine`² points of each pixel."""
    sub = (np.arange(fine) + 0.5) / fine - 0.5
    column = (np.arange(COLUMNS)[:, None] + sub).ravel()[None, :]
    row = (np.arange(ROWS)[:, None] + sub).ravel()[:, None]
    right, down = column - values["horizontal_px"], row - values["vertical_px"]
    cosine, sine = math.cos(values["angle_rad"]), math.sin(values["angle_rad"])
    along, beside = right * cosine + down * sine, down * cosine - right * sine
    bright = values["amplitude"] * np.exp(
        -0.5 * (along / values["sigma_major_px"]) ** 2
        - 0.5 * (beside / values["sigma_minor_px"]) ** 2
    )
    theta = values["phase_rad"] + values["fringe_horizontal_rad_per_px"] * column
    theta = theta + values["fringe_vertical_rad_per_px"] * row
    plane = values["background"] + values["background_gradient_horizontal"] * column
    plane = plane + values["background_gradient_vertical"] * row
    image = plane + bright * (1 + values["contrast"] * np.cos(theta))
    return image.reshape(ROWS, fine, COLUMNS, fine).mean(axis=(1, 3))


def counts(values: dict[str, float], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    seen = rng.poisson(light(values)) + 3.0 * rng.standard_normal((ROWS, COLUMNS)) + 0.0
    return np.clip(np.rint(seen), 0, 65535).astype(np.uint16)


def camera(model: str) -> Camera:
    return Camera(name="beam", view="x", model=model)


def away(found, name: str, values: dict[str, float]) -> float:
    one = found.parameters[name]
    error = one.value - values[name]
    return (wrap_phase(error) if name == "phase_rad" else error) / one.stderr


@pytest.mark.parametrize("name", TRUTH)
def test_the_jacobian_is_the_derivative_of_the_image(name: str) -> None:
    model = model_for(camera("gaussian_fringe"))
    rows = np.array([*range(0, ROWS, 5), ROWS], dtype=np.intp)
    columns = np.array([*range(0, COLUMNS, 4), COLUMNS], dtype=np.intp)
    grid = Grid(rows, columns, (ROWS, COLUMNS), 5e-6)
    step = 1e-5 * max(1.0, abs(TRUTH[name])) * (0.01 if "fringe" in name else 1.0)
    up, down = ({**TRUTH, name: TRUTH[name] + sign * step} for sign in (1, -1))
    images = [model.background(grid, values) + model.signal(grid, values) for values in (up, down)]
    wanted = ((images[0] - images[1]) / (2 * step)).ravel()
    got = model.jacobian(grid, TRUTH, tuple(TRUTH))[tuple(TRUTH).index(name)]
    assert got == pytest.approx(wanted, abs=2e-4 * np.abs(wanted).max())


def test_errors_are_honest_for_every_parameter() -> None:
    fits = [
        estimate_image(from_counts(counts(TRUTH, seed), FACTS), camera("gaussian_fringe"))
        for seed in range(20)
    ]
    assert all(
        one.usable_quantities == ("position", "amplitude", "width", "fringe", "contrast", "phase")
        for one in fits
    ), fits[0].reasons
    for name in TRUTH:
        one = [away(found, name, TRUTH) for found in fits]
        assert abs(np.mean(one)) < 4.5 / math.sqrt(20), name
        assert abs(np.std(one) - 1.0) < 4.5 / math.sqrt(40), name


@pytest.mark.parametrize("angle", [-1.2, 0.0, 0.8, 1.5])
def test_a_beam_of_any_angle(angle: float) -> None:
    values = TRUTH | {"angle_rad": angle, "contrast": 0.0}
    found = estimate_image(from_counts(counts(values, 3), FACTS), camera("gaussian"))
    assert found.usable
    for name in found.names:
        assert abs(away(found, name, values)) < 5, name


def test_floats_of_any_unit_take_their_noise_from_the_residuals() -> None:
    """Uniform noise in units of 10¹²: the errors come out of the scatter, and are said to."""
    scale, noise = 1e12, 12.0
    pulls = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        image = scale * (light(TRUTH) + noise * rng.standard_normal((ROWS, COLUMNS)))
        found = estimate_image(from_floats(image), camera("gaussian_fringe"))
        assert found.noise_estimated
        assert math.isnan(found.chi2_per_dof)
        values = {
            name: value * (scale if name == "amplitude" or "background" in name else 1)
            for name, value in TRUTH.items()
        }
        pulls.append([away(found, name, values) for name in TRUTH])
    assert np.abs(np.mean(pulls, axis=0)).max() < 4.5 / math.sqrt(12)
    assert np.abs(np.std(pulls, axis=0) - 1).max() < 4.5 / math.sqrt(24)


@pytest.mark.parametrize("lying", [True, False])
def test_a_profile_tells_what_one_axis_can(lying: bool) -> None:
    at = np.arange(90)
    rng = np.random.default_rng(1)
    mean = 20 + 400 * np.exp(-0.5 * ((at - 40.4) / 9) ** 2) * (1 + 0.5 * np.cos(0.9 * at + 1.0))
    profile = rng.poisson(mean).astype(np.uint16).reshape((1, 90) if lying else (90, 1))
    facts = CameraFacts(*profile.shape, 5e-6, 1.0, 0.0, 0.0, 65535, 16, 1, 0.0, "normal")
    way = "horizontal" if lying else "vertical"
    found = estimate_image(from_counts(profile, facts), camera("gaussian_fringe"))
    values = {
        "sigma_major_px": 9.0,
        f"{way}_px": 40.4,
        "contrast": 0.5,
        "phase_rad": 1.0,
        f"fringe_{way}_rad_per_px": 0.9,
    }
    for name in values:
        assert abs(away(found, name, values)) < 5, name
    assert "sigma_minor_px" not in found.parameters


def test_the_station_learns_where_a_single_cloud_is() -> None:
    found = combine(
        {"x": estimate_image(from_counts(counts(TRUTH, 1), FACTS), camera("gaussian_fringe"))}
    )
    assert found.values["x_m"] == pytest.approx((210.3 - 199.5) * 5e-6, abs=6 * found.stderr["x_m"])
    assert found.values["z_m"] == pytest.approx((149.5 - 140.6) * 5e-6, abs=6 * found.stderr["z_m"])
    assert found.values["fringe_x_rad_per_m"] == pytest.approx(
        0.35 / 5e-6, abs=6 * found.stderr["fringe_x_rad_per_m"]
    )
    assert found.values["fringe_z_rad_per_m"] == pytest.approx(
        0.12 / 5e-6, abs=6 * found.stderr["fringe_z_rad_per_m"]
    )
    middle = 1.2 + 0.35 * 199.5 - 0.12 * 149.5
    assert wrap_phase(found.values["phase_rad"] - middle) == pytest.approx(
        0, abs=6 * found.stderr["phase_rad"]
    )
