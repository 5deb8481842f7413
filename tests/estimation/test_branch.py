"""(κ, φ) and (-κ, -φ) are the same image: which of them is reported, and when nobody can know."""

from __future__ import annotations

import math

import numpy as np
import pytest

from magis_calib.config.station import Station
from magis_calib.domain.quantities import wrap_phase
from magis_calib.estimation.view import Expected, estimate_view
from tests.pictures import Scene, pair

KAPPA = ("fringe_horizontal_rad_per_m", "fringe_vertical_rad_per_m")


def view_x(scene: Scene, seed: int = 3):
    return pair(np.random.default_rng(seed), scene).frames["x"]


@pytest.mark.parametrize(
    ("kappa_x", "kappa_z", "sign"),
    [
        (-6283.0, 0.0, -1.0),
        (-6283.0, 3000.0, -1.0),
        (30.0, -6283.0, -1.0),
        (-30.0, 6283.0, 1.0),
        (-3000.0, 6283.0, 1.0),
    ],
)
def test_offline_the_larger_component_is_positive(
    station: Station, kappa_x: float, kappa_z: float, sign: float
) -> None:
    """Also for vertical shear, where the sign of a horizontal component near 0 is chance."""
    found = estimate_view(view_x(Scene(kappa_x=kappa_x, kappa_z=kappa_z)), station.camera("x"))
    for name, wanted in zip(KAPPA, (kappa_x, kappa_z), strict=True):
        assert found.value(name) == pytest.approx(
            sign * wanted, abs=6 * found.parameters[name].stderr
        )
    assert wrap_phase(found.value("phase_rad") - sign * 1.0) == pytest.approx(0, abs=0.05)
    assert max(found.value(name) for name in KAPPA) > 0


def test_the_configured_direction_turns_the_rule(station: Station) -> None:
    frame = view_x(Scene(kappa_x=6283.0, kappa_z=500.0))
    turned = station.camera("x").model_copy(update={"expected_fringe": (-1.0, 0.0)})
    assert estimate_view(frame, turned).value(KAPPA[0]) == pytest.approx(-6283.0, abs=60)
    upwards = station.camera("x").model_copy(update={"expected_fringe": (0.0, -1.0)})
    found = estimate_view(frame, upwards)
    assert abs(found.value(KAPPA[0])) == pytest.approx(6283.0, abs=60)


@pytest.mark.parametrize("kappa", [(0.0, -5000.0), (-4000.0, -4000.0), (-6283.0, 0.0)])
def test_in_the_loop_the_prediction_decides(station: Station, kappa: tuple[float, float]) -> None:
    frame = view_x(Scene(kappa_x=kappa[0], kappa_z=kappa[1]))
    found = estimate_view(
        frame, station.camera("x"), Expected((kappa[0] + 200.0, kappa[1] - 200.0))
    )
    for name, wanted in zip(KAPPA, kappa, strict=True):
        assert found.value(name) == pytest.approx(wanted, abs=6 * found.parameters[name].stderr)
    assert wrap_phase(found.value("phase_rad") - 1.0) == pytest.approx(0, abs=0.05)
    assert "phase" in found.usable_quantities


def test_a_scan_of_the_wavevector_through_zero_never_reports_the_wrong_branch(
    station: Station,
) -> None:
    """Near zero the phase is refused, beyond two radians across the cloud it is right, with its own
    sign.
    """
    used = {}
    for kappa in np.linspace(-4000.0, 4000.0, 17):
        frame = view_x(Scene(kappa_x=float(kappa), phase=0.6))
        found = estimate_view(frame, station.camera("x"), Expected((float(kappa), 0.0)))
        used[float(kappa)] = "phase" in found.usable_quantities
        if used[float(kappa)]:
            assert found.value(KAPPA[0]) == pytest.approx(
                kappa, abs=6 * found.parameters[KAPPA[0]].stderr
            )
            away = wrap_phase(found.value("phase_rad") - 0.6)
            assert abs(away) < 6 * found.parameters["phase_rad"].stderr
        else:
            assert any("branch ambiguous" in one or "fringe" in one for one in found.reasons), (
                found.reasons
            )
    assert all(phase == (abs(kappa * 1.2e-3) > 2.0) for kappa, phase in used.items()), used


def test_offline_a_long_fringe_keeps_every_number_and_error(station: Station) -> None:
    found = estimate_view(view_x(Scene(kappa_x=1257.0)), station.camera("x"))
    assert "phase" in found.usable_quantities
    assert found.value(KAPPA[0]) == pytest.approx(1257.0, abs=6 * found.parameters[KAPPA[0]].stderr)
    assert all(math.isfinite(one.stderr) and one.stderr > 0 for one in found.parameters.values())
