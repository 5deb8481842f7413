"""Two views as one station: shared heights, a z-shear seen from both sides, views that disagree."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from magis_calib.config.station import Camera
from magis_calib.domain.quantities import wrap_phase
from magis_calib.estimation.station import combine
from magis_calib.estimation.view import estimate_view
from tests.pictures import PORT_M, SMALL, Scene, expose, frame, pair

FRINGED = {view: Camera(name=view, view=view, model="two_port_fringe") for view in ("x", "y")}
Z_SHEAR = 6000.0
DROPS = 12


def z_shear_drop(rng: np.random.Generator, kappa_y: float, y: float, phase: float):
    """Both views of atoms whose phase runs along z, with a little shear along the line of sight of
    view x.
    """
    number = rng.poisson(1_500_000)
    places = np.array([1e-4, y, 0.0])[:, None] + 1.2e-3 * rng.standard_normal((3, number))
    angle = phase + Z_SHEAR * places[2] + kappa_y * places[1]
    upper = rng.random(number) < 0.5 * (1.0 + 0.8 * np.cos(angle))
    height = places[2] + np.where(upper, PORT_M["a"], PORT_M["b"])
    return {
        view: estimate_view(frame(expose(rng, across, height, SMALL), view), FRINGED[view])
        for view, across in (("x", places[0]), ("y", places[1]))
    }


@pytest.fixture(scope="module")
def z_shear():
    """Drops with a cloud far off along y, so that κy·y moves the phase of view x by 0.3 rad."""
    rng = np.random.default_rng(9)
    return [combine(z_shear_drop(rng, 300.0, 1e-3, 0.4)) for _ in range(DROPS)]


def pulls(estimates, name: str, wanted: float) -> np.ndarray:
    return np.array(
        [
            wrap_phase(one.values[name] - wanted) / one.stderr[name]
            if name == "phase_rad"
            else (one.values[name] - wanted) / one.stderr[name]
            for one in estimates
        ]
    )


def test_the_phase_is_corrected_along_the_line_of_sight_where_the_other_view_measured_it(
    z_shear,
) -> None:
    away = pulls(z_shear, "phase_rad", 0.4)
    assert abs(away.mean()) < 4.5 / math.sqrt(DROPS)
    assert abs(away.std() - 1.0) < 4.5 / math.sqrt(2 * DROPS)
    for one in z_shear:
        raw = one.views["x"].parameters["phase_rad"]
        assert raw.value == pytest.approx(0.4 + 300.0 * 1e-3, abs=6 * raw.stderr)
        assert one.stderr["phase_rad"] > 0.5 * raw.stderr


def test_both_views_measure_the_vertical_wavevector(z_shear) -> None:
    assert np.abs(pulls(z_shear, "fringe_z_rad_per_m", Z_SHEAR)).max() < 5
    for one in z_shear:
        alone = [view.parameters["fringe_vertical_rad_per_m"].stderr for view in one.views.values()]
        assert one.stderr["fringe_z_rad_per_m"] < min(alone)


def test_views_that_agree_have_the_chi_square_of_their_common_numbers(z_shear) -> None:
    assert all(one.consistency_dof == 3 for one in z_shear)
    total, dof = sum(one.consistency_chi2 for one in z_shear), 3 * DROPS
    assert abs(total - dof) < 4.5 * math.sqrt(2 * dof)


def test_only_the_height_is_common_without_fringes_in_the_second_view(station) -> None:
    rng = np.random.default_rng(2)
    found = []
    for _ in range(DROPS):
        frames = pair(rng, Scene(y=3e-4)).frames
        found.append(
            combine({view: estimate_view(frames[view], station.camera(view)) for view in frames})
        )
    assert all(one.consistency_dof == 1 for one in found)
    assert abs(sum(one.consistency_chi2 for one in found) - DROPS) < 4.5 * math.sqrt(2 * DROPS)
    assert np.abs(pulls(found, "phase_rad", 1.0)).max() < 5


def test_views_that_disagree_about_the_height_give_none(station) -> None:
    frames = pair(np.random.default_rng(2), Scene()).frames
    counts = np.roll(frames["y"].counts, 2, axis=0)
    views = {"x": frames["x"], "y": replace(frames["y"], counts=counts)}
    found = combine({view: estimate_view(one, station.camera(view)) for view, one in views.items()})
    assert math.isnan(found.values["z_m"])
    assert found.consistency_chi2 > 36
    assert any("the views disagree: z by" in one for one in found.reasons), found.reasons
    assert math.isfinite(found.values["x_m"])
    assert math.isfinite(found.values["phase_rad"])
