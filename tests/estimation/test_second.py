"""The second estimator: right by itself, with honest errors, and a disagreement that gates."""

from __future__ import annotations

import math

import numpy as np
import pytest

from magis_calib.config.station import Camera, Station
from magis_calib.domain.camera import CameraFacts
from magis_calib.domain.quantities import wrap_phase
from magis_calib.estimation.models import model_for
from magis_calib.estimation.start.second import disagreement
from magis_calib.estimation.view import estimate_image, estimate_view
from magis_calib.imaging.electrons import from_counts, to_electrons
from tests.pictures import PORT_M, SMALL, Scene, expose, frame, pair

PICTURES = 30
WHAT = (
    "horizontal position",
    "vertical position",
    "horizontal wavevector",
    "vertical wavevector",
    "phase",
)


@pytest.fixture(scope="module")
def said() -> list[tuple[Scene, dict]]:
    """What the second estimator says of random scenes, before any fit."""
    camera = Camera(name="LM1", view="x", model="two_port_fringe")
    rng = np.random.default_rng(11)
    found = []
    for _ in range(PICTURES):
        scene = Scene(
            *rng.normal(0, 2e-4, 3),
            rng.uniform(5000, 9000),
            rng.normal(0, 300),
            rng.uniform(-3, 3),
            0.6,
        )
        start = model_for(camera).guess(
            to_electrons(pair(rng, scene).frames["x"]), (scene.kappa_x, scene.kappa_z)
        )
        found.append((scene, {check.what: check for check in start.checks}))
    return found


def wanted(scene: Scene, check) -> float:
    """The check's combination of parameters for the true scene; the peak's sign is arbitrary."""
    values = {
        "fringe_horizontal_rad_per_m": scene.kappa_x,
        "fringe_vertical_rad_per_m": scene.kappa_z,
        "phase_rad": scene.phase,
    }
    for port, up in PORT_M.items():
        values |= {f"port_{port}_horizontal_m": scene.x, f"port_{port}_vertical_m": scene.z + up}
    return sum(part * values[name] for name, part in check.terms.items())


def test_its_errors_are_honest(said) -> None:
    pulls = {what: [] for what in WHAT}
    for scene, checks in said:
        sign = math.copysign(1.0, checks["horizontal wavevector"].value * scene.kappa_x)
        for what in WHAT:
            turn = sign if "position" not in what else 1.0
            away = turn * checks[what].value - wanted(scene, checks[what])
            pulls[what].append((wrap_phase(away) if what == "phase" else away) / checks[what].sigma)
    for what, one in pulls.items():
        assert abs(np.mean(one)) < 4.5 / math.sqrt(PICTURES), what
        assert 0.4 < np.std(one) < 1.0 + 4.5 / math.sqrt(2 * PICTURES), what


def test_the_score_is_the_largest_difference_in_its_standard_errors(said) -> None:
    checks = said[0][1]
    only = (checks["horizontal wavevector"],)
    moved = {"fringe_horizontal_rad_per_m": only[0].value + 7.5 * only[0].sigma}
    assert disagreement(only, moved)[0] == pytest.approx(7.5)
    assert disagreement(only, moved)[1] == "horizontal wavevector"
    assert math.isnan(disagreement((), moved)[0])
    turned = dict.fromkeys(checks["phase"].terms, 0.0) | {
        "phase_rad": checks["phase"].value + 2 * math.pi
    }
    assert disagreement((checks["phase"],), turned)[0] == pytest.approx(0.0, abs=1e-9)


def test_a_good_fit_agrees(station: Station) -> None:
    found = estimate_view(pair(np.random.default_rng(1), Scene()).frames["x"], station.camera("x"))
    assert 0 < found.disagreement_sigma < 5


def test_a_fit_that_was_led_astray_disagrees_and_is_not_used() -> None:
    """A bound keeps the fit off the cloud's place: the moments still say where it is."""
    rules = {"port_a_horizontal_m": {"maximum": -3e-4}, "port_b_horizontal_m": {"maximum": -3e-4}}
    camera = Camera.model_validate(
        {"name": "LM1", "view": "x", "model": "two_port", "parameters": rules}
    )
    found = estimate_view(pair(np.random.default_rng(1), Scene()).frames["y"], camera)
    assert not found.usable
    assert found.disagreement_sigma > 20
    assert any(
        "disagreement with the second estimator: horizontal position" in one
        for one in found.reasons
    )


def test_roll_and_antiphase_are_reported() -> None:
    """A camera rolled by 3 mrad, and a port whose fringe lags by 0.2 rad."""
    rng = np.random.default_rng(4)
    pulls = []
    for _ in range(8):
        number = 1_000_000
        x, z = 1.2e-3 * rng.standard_normal((2, number))
        upper = rng.random(number) < 0.5
        angle = 6283.0 * x + np.where(upper, 0.1, -0.1)
        bright = rng.random(number) < 0.5 * (1 + 0.7 * np.where(upper, 1, -1) * np.cos(angle))
        height = np.where(upper, PORT_M["a"], PORT_M["b"]) + z
        counts = expose(rng, (x + 3e-3 * height)[bright], height[bright], SMALL)
        found = estimate_view(
            frame(counts, "x"), Camera(name="LM1", view="x", model="two_port_fringe")
        )
        roll, phase = found.diagnostics["roll_rad"], found.diagnostics["port_phase_difference_rad"]
        shift = -6283.0 * 3e-3 * (PORT_M["a"] - PORT_M["b"])
        pulls.append(
            [
                (roll.value - 3e-3) / roll.stderr,
                wrap_phase(phase.value - 0.2 - shift) / phase.stderr,
            ]
        )
    roll_pulls, phase_pulls = np.transpose(pulls)
    assert abs(roll_pulls.mean()) < 4.5 / math.sqrt(8)
    assert abs(phase_pulls.mean()) < 4.5 / math.sqrt(8)


def test_an_image_of_one_grey_is_no_cloud() -> None:
    facts = CameraFacts(300, 400, 16e-6, 1.0, 0.0, 2.0, 65535, 16, 1, 0.0, "normal")
    for grey, reason in {
        0: "no cloud",
        100: "no cloud",
        65535: "saturated: 120000 of 120000 pixels",
    }.items():
        found = estimate_image(
            from_counts(np.full((300, 400), grey, np.uint16), facts),
            Camera(name="LM1", view="x", model="two_port_fringe"),
        )
        assert not found.usable
        assert any(reason in one for one in found.reasons), found.reasons
