"""Drops that were not made for the interferometer, photographed by the simulated station and fitted
as in a run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from magis_calib.config.station import Camera, ParameterRule, Station
from magis_calib.domain.camera import VIEWS, Frame, FrameHeader, SequenceType
from magis_calib.domain.estimate import StationEstimate
from magis_calib.domain.quantities import wrap_phase
from magis_calib.estimation.models import model_for
from magis_calib.estimation.sequence import camera_for
from magis_calib.estimation.station import combine, fringe_y
from magis_calib.estimation.view import estimate_view
from simulators.cameras.exposure import Job, Print, develop
from simulators.hidden import put_off
from simulators.instrument.numbers import PlantNumbers, load_plant_numbers
from simulators.instrument.scene import Scene
from simulators.instrument.sensor import Sensor
from simulators.plant import Plant

DROPS = 6
SIGMAS = 4.0


@dataclass
class SimulatedEye:
    """The simulated station's pictures with the application's fit,
    without the wire between them.
    """

    station: Station
    numbers: PlantNumbers
    seed: int = 4

    def __post_init__(self) -> None:
        size = self.numbers.sensors["small"]
        self.sensors = {view: Sensor(self.numbers.camera, size, view, self.seed) for view in VIEWS}

    def drop(
        self,
        drop_id: int,
        kind: SequenceType,
        off: dict[str, float] | None = None,
        **setpoints: float,
    ) -> tuple[Scene, StationEstimate]:
        numbers = put_off(self.numbers, off or {})
        plant = Plant(numbers, "short", self.seed)
        scene = plant.drop(drop_id, plant.nominal | setpoints, kind).scene
        prints = develop(Job(scene, 0), self.sensors, numbers.cloud, self.seed)
        return scene, combine({one.view: self.fitted(one) for one in prints})

    def fitted(self, one: Print):
        rows, columns = one.counts.shape
        header = FrameHeader(
            "bottom",
            one.view,
            one.view,
            one.drop_id,
            one.sequence_type,
            "s",
            one.drop_id,
            1,
            1e-4,
            rows,
            columns,
            "Mono16",
            12,
            "left",
            one.checksum,
        )
        frame = Frame(header, one.counts, self.sensors[one.view].facts, 0.0)
        return estimate_view(frame, camera_for(self.station.camera(one.view), one.sequence_type))


@pytest.fixture
def eye(station: Station) -> SimulatedEye:
    return SimulatedEye(station, load_plant_numbers())


def test_a_z_shear_tells_all_three_components_and_the_phase(eye):
    for drop_id in range(1, DROPS + 1):
        off = {"fringe_y_rad_per_m": 300.0 * (drop_id - 3), "fringe_x_rad_per_m": 400.0}
        scene, found = eye.drop(drop_id, "z_shear", off)
        assert found.reasons == ()
        x, y, z = scene.fringe_rad_per_m
        assert z > 6283.0 + 300.0
        along = fringe_y(found)
        assert 1.0 < along.stderr < 6.0
        assert abs(along.value - y) < SIGMAS * along.stderr
        for name, wanted in (("fringe_x_rad_per_m", x), ("fringe_z_rad_per_m", z)):
            assert abs(found.values[name] - wanted) < SIGMAS * found.stderr[name], name
        away = wrap_phase(found.values["phase_rad"] - scene.phase_rad)
        assert abs(away) < SIGMAS * found.stderr["phase_rad"]


def test_the_mirror_that_nulls_the_fringe_along_y_shows_it_in_a_z_shear(eye):
    _, before = eye.drop(1, "z_shear", {"fringe_y_rad_per_m": -500.0})
    _, after = eye.drop(
        1, "z_shear", {"fringe_y_rad_per_m": -500.0}, mirror_tilt_y_rad=500.0 / 16.18e6
    )
    assert abs(fringe_y(before).value + 500.0) < SIGMAS * fringe_y(before).stderr
    assert abs(fringe_y(after).value) < SIGMAS * fringe_y(after).stderr


def test_the_fringe_along_y_is_not_known_from_the_interferometer(eye):
    _, found = eye.drop(1, "interferometer")
    assert math.isnan(fringe_y(found).value)
    assert math.isnan(fringe_y(combine({"x": found.views["x"]})).value)


@pytest.mark.parametrize(
    ("setpoints", "off"),
    [
        ({}, {}),
        ({"detuning_hz": 4e3}, {}),
        ({"pulse_area": 0.7}, {}),
        ({"detuning_hz": 9e3}, {"pulse_area": 0.1}),
        ({"detuning_hz": -20e3}, {"detuning_hz": 500.0}),
    ],
)
def test_the_port_fraction_of_a_pi_test_is_the_population(eye, setpoints, off):
    scene, found = eye.drop(2, "pi_test", off, **setpoints)
    assert found.reasons == ()
    assert {view.model for view in found.views.values()} == {"two_port"}
    assert (
        abs(found.values["port_fraction"] - scene.population)
        < SIGMAS * found.stderr["port_fraction"]
    )
    assert found.stderr["port_fraction"] < 1e-3
    assert abs(found.values["x_m"] - scene.centre_m[0]) < SIGMAS * found.stderr["x_m"]
    assert math.isnan(found.values["phase_rad"])


def test_out_of_focus_clouds_are_wider_and_fringes_fainter(eye):
    """Known from physics: σ² = s² + σ_psf², C' = C exp(-κ² s² σ_psf² / (2 σ²)), κ' = κ s² / σ², all
    magnified.
    """
    sharp, blurred = (
        eye.drop(1, "interferometer", {"focus_m": best}, focus_m=3e-3)[1] for best in (3e-3, -1e-3)
    )
    blur, s, magnified = 4e-3 * 0.023, 1.2e-3, 1.0 + 2.6 * 4e-3
    width = math.hypot(s, blur)
    kappa = math.hypot(*(sharp.values[f"fringe_{axis}_rad_per_m"] for axis in "xz"))
    faded = math.exp(-((kappa * s * blur / width) ** 2) / 2)
    wanted = {
        "contrast": sharp.values["contrast"] * faded,
        "width_x_m": math.hypot(sharp.values["width_x_m"] * magnified, blur),
        "fringe_x_rad_per_m": sharp.values["fringe_x_rad_per_m"] * (s / width) ** 2 / magnified,
    }
    for name, value in wanted.items():
        sigma = math.hypot(sharp.stderr[name], blurred.stderr[name])
        assert abs(blurred.values[name] - value) < SIGMAS * sigma, name
    ports = [
        one.views["x"].value("port_a_vertical_m") - one.views["x"].value("port_b_vertical_m")
        for one in (sharp, blurred)
    ]
    assert ports[1] / ports[0] == pytest.approx(magnified, abs=1e-3)


def test_a_rolled_camera_leans_what_it_sees_to_the_right(eye):
    """It turns part of κx into κz, and brings the ports, which are 15 mm apart,
    out of antiphase.
    """
    lean = 1e-3
    scene, found = eye.drop(1, "interferometer", {"roll_rad": lean})
    for view in found.views.values():
        roll = view.diagnostics["roll_rad"]
        assert abs(roll.value - lean) < SIGMAS * roll.stderr
    x, _, z = scene.fringe_rad_per_m
    assert (
        abs(found.values["fringe_z_rad_per_m"] - (z - lean * x))
        < SIGMAS * found.stderr["fringe_z_rad_per_m"]
    )
    apart = found.views["x"].diagnostics["port_phase_difference_rad"]
    assert apart.value == pytest.approx(
        -lean * x * 15e-3, abs=SIGMAS * apart.stderr + 0.05 * lean * x * 15e-3
    )


def test_a_station_in_focus_and_upright_is_photographed_as_it_is(eye):
    scene, _ = eye.drop(1, "interferometer")
    places = np.linspace(-1, 1, 5, dtype=np.float32)
    assert scene.optics.seen(places, places, np.random.default_rng(1))[0] is places
    assert scene.optics.around((-1.0, 2.0, -3.0, 4.0)) == (-1.0, 2.0, -3.0, 4.0)


FRINGED = Camera(
    name="LM1",
    view="x",
    model="two_port_fringe",
    parameters={
        "fringe_vertical_rad_per_m": ParameterRule(fixed=0.0),
        "width_vertical_m": ParameterRule(minimum=1e-4),
    },
)


@pytest.mark.parametrize(
    ("kind", "model", "rules", "direction"),
    [
        (
            "interferometer",
            "two_port_fringe",
            {"fringe_vertical_rad_per_m", "width_vertical_m"},
            (1.0, 0.0),
        ),
        (
            "no_atoms",
            "two_port_fringe",
            {"fringe_vertical_rad_per_m", "width_vertical_m"},
            (1.0, 0.0),
        ),
        ("z_shear", "two_port_fringe", {"width_vertical_m"}, (0.0, 1.0)),
        ("pi_test", "two_port", {"width_vertical_m"}, (1.0, 0.0)),
    ],
)
def test_rules_for_the_fringe_are_for_the_interferometer_alone(kind, model, rules, direction):
    found = camera_for(FRINGED, kind)
    assert (found.model, set(found.parameters), found.expected_fringe) == (model, rules, direction)
    assert model_for(found).name == model


def test_a_model_that_has_no_two_ports_is_kept():
    found = camera_for(Camera(name="LM1", view="x", model="gaussian_fringe"), "z_shear")
    assert (found.model, found.expected_fringe) == ("gaussian_fringe", (0.0, 1.0))
