from __future__ import annotations

import math
import tomllib
from pathlib import Path

import numpy as np
import pytest

from magis_calib.cli.main import main as magis_calib
from magis_calib.domain.camera import VIEWS
from magis_calib.domain.errors import ConfigError
from magis_calib.domain.quantities import OBSERVABLES
from simulators.cameras.exposure import Job, develop
from simulators.faults.active import Faults, Flaws
from simulators.faults.file import load_faults
from simulators.faults.kinds import ControllerRestart, Displacement, NoAtoms, Timed, Wild
from simulators.instrument.sensor import Sensor
from simulators.main import main as magis_sim
from simulators.plant import Plant, Scene
from tests.benchmarks.faults.table import ROWS

SEED = 5
SCENE = Scene(1, (0.0, 0.0, 0.0), (6283.0, 0.0, 0.0), 0.4, 0.7)


def table(kind: str, **fields) -> str:
    words = [
        f'{name} = "{value}"' if isinstance(value, str) else f"{name} = {value}"
        for name, value in fields.items()
    ]
    return "\n".join(["[[fault]]", f'kind = "{kind}"', *words, ""])


@pytest.fixture
def read(numbers, tmp_path):
    """Faults from a file of these tables."""

    def of(*tables: str, seed: int = SEED, first_drop: int = 1) -> Faults:
        path = tmp_path / "faults.toml"
        path.write_text("\n".join(tables))
        return Faults(load_faults(path, numbers), seed, first_drop)

    return of


@pytest.fixture
def drops(numbers):
    """Truths of a plant whose trap is told to move 10 µm further with each drop."""

    def of(faults: Faults, count: int) -> list:
        plant = Plant(numbers, "short", SEED, faults)
        return [plant.drop(k, plant.nominal | {"trap_x_m": k * 10e-6}) for k in range(1, count + 1)]

    return of


def added_up(drop) -> bool:
    parts = (drop.disturbance, drop.noise_free_response, drop.jitter)
    misses = [drop.observables[name] - sum(part[name] for part in parts) for name in OBSERVABLES]
    return all(abs(math.remainder(miss, 2 * math.pi)) < 1e-9 for miss in misses)


def test_a_schedule_counts_drops_from_the_first_of_the_run(read):
    faults = read(table("no_atoms", from_drop=3, until_drop=5), first_drop=100)
    assert [k for k in range(99, 112) if faults.active(NoAtoms, k)] == [102, 103, 104]
    assert [k for k in range(1, 9) if read(table("no_atoms", from_drop=6)).active(NoAtoms, k)] == [
        6,
        7,
        8,
    ]


def test_a_momentary_fault_is_over_after_one_drop(read):
    faults = read(
        table("wild", observable="x_m", size=1e-3, from_drop=4),
        table("controller_restart", controller="laser", from_drop=6),
    )
    assert [k for k in range(1, 20) if faults.active(Wild, k)] == [4]
    assert [k for k in range(1, 20) if faults.active(ControllerRestart, k)] == [6]
    lasting = read(table("wild", observable="x_m", size=1e-3, from_drop=4, until_drop=6))
    assert [k for k in range(1, 20) if lasting.active(Wild, k)] == [4, 5, 6]


def test_a_rate_strikes_that_often_and_the_same_drops_again(read):
    text = table("no_atoms", rate=0.1, from_drop=101, until_drop=2100)
    struck = [k for k in range(1, 3000) if read(text).active(NoAtoms, k)]
    assert len(struck) == pytest.approx(200, abs=4 * math.sqrt(2000 * 0.1 * 0.9))
    assert (struck[0] > 100, struck[-1] <= 2100) == (True, True)
    backwards = read(text)
    assert [k for k in range(2999, 0, -1) if backwards.active(NoAtoms, k)] == struck[::-1]
    assert struck != [k for k in range(1, 3000) if read(text, seed=6).active(NoAtoms, k)]


def test_rates_of_two_faults_strike_independently(read):
    faults = read(
        table("wild", observable="x_m", size=1e-3, rate=0.2),
        table("wild", observable="x_m", size=-1e-3, rate=0.2),
    )
    both = sum(len(faults.active(Displacement, k)) == 2 for k in range(1, 2001))
    assert both == pytest.approx(80, abs=40)


@pytest.mark.parametrize(("factor", "moved"), [(0.0, 0.0), (-1.0, -1.0), (3.0, 3.0)])
def test_an_actuator_moves_by_its_factor_from_where_it_stood(read, drops, factor, moved):
    truths = drops(
        read(table("actuator", name="trap_x_m", factor=factor, from_drop=4, until_drop=6)), 8
    )
    stood = 30e-6
    wanted = [10e-6, 20e-6, stood, *(stood + moved * k * 10e-6 for k in (1, 2, 3)), 70e-6, 80e-6]
    assert [one.noise_free_response["x_m"] for one in truths] == pytest.approx(wanted, abs=1e-12)
    assert [one.actuators["trap_x_m"] for one in truths] == pytest.approx(
        [k * 10e-6 for k in range(1, 9)]
    )
    assert all(map(added_up, truths))


def test_a_dead_actuator_from_the_first_drop_stands_at_its_nominal_place(read, drops):
    truths = drops(read(table("actuator", name="trap_x_m", factor=0.0)), 3)
    assert [one.noise_free_response["x_m"] for one in truths] == pytest.approx([0.0] * 3, abs=1e-12)


def test_a_displacement_is_a_step_of_the_true_disturbance(read, drops):
    healthy = drops(Faults(), 6)
    faulty = drops(
        read(
            table(
                "disturbance", observable="fringe_x_rad_per_m", size=50.0, from_drop=2, until_drop=4
            ),
            table("wild", observable="z_m", size=-1e-3, from_drop=5),
        ),
        6,
    )
    for name, wanted in (
        ("fringe_x_rad_per_m", [0, 50, 50, 50, 0, 0]),
        ("z_m", [0, 0, 0, 0, -1e-3, 0]),
    ):
        steps = [
            one.disturbance[name] - two.disturbance[name]
            for one, two in zip(faulty, healthy, strict=True)
        ]
        assert steps == pytest.approx(wanted, abs=1e-9)
        seen = [
            one.observables[name] - two.observables[name]
            for one, two in zip(faulty, healthy, strict=True)
        ]
        assert seen == pytest.approx(wanted, abs=1e-9)
    assert all(map(added_up, faulty))
    assert faulty[4].scene.centre_m[2] - healthy[4].scene.centre_m[2] == pytest.approx(-1e-3)


def test_no_random_number_depends_on_faults(read, drops):
    faulty = drops(
        read(
            table("actuator", name="trap_x_m", factor=0.0),
            table("no_atoms", rate=0.5),
            table("actuator", name="mirror_tilt_x_rad", factor=-1.0, rate=0.3),
        ),
        6,
    )
    for one, two in zip(faulty, drops(Faults(), 6), strict=True):
        assert one.jitter == two.jitter
        assert one.disturbance["x_m"] == two.disturbance["x_m"]


@pytest.fixture(scope="module")
def picture(numbers):
    sensors = {view: Sensor(numbers.camera, numbers.sensors["small"], view, SEED) for view in VIEWS}

    def of(flaws: Flaws):
        facts = sensors["x"].facts
        counts = {
            one.view: one.counts
            for one in develop(Job(SCENE, 0, flaws), sensors, numbers.cloud, SEED)
        }["x"]
        electrons = (counts.astype(float) - facts.offset) * facts.gain
        return counts, np.where(
            electrons < 700.0, electrons, 4.0
        )  # hot pixels are far brighter than any cloud

    return of


@pytest.mark.parametrize("share", [1.0, 0.1, 0.0])
def test_a_picture_has_its_share_of_the_atoms(picture, read, numbers, share):
    flaws = read(table("few_atoms", factor=share) if share else table("no_atoms")).flaws(1)
    _, electrons = picture(flaws)
    light = electrons.sum() - picture(Flaws(atoms_fraction=0.0))[1].sum()
    whole = numbers.cloud.atoms * numbers.camera.electrons_per_atom
    assert light == pytest.approx(share * whole, abs=0.02 * whole)


def test_a_dark_picture_has_no_background_either(picture, read):
    _, electrons = picture(read(table("dark")).flaws(1))
    assert np.median(electrons) == pytest.approx(0.0, abs=0.1)
    assert electrons[electrons < 40].mean() == pytest.approx(0.0, abs=0.1)


def test_a_saturated_picture_is_at_full_scale_where_the_atoms_are(picture, read, numbers):
    counts, _ = picture(read(table("saturated")).flaws(1))
    middle = counts.shape[0] // 2
    assert (counts[middle - 200 : middle + 200] == numbers.camera.saturation_counts).all()
    assert np.median(counts[:20]) < 2000


def test_a_half_exposed_picture_is_dark_below_and_as_always_above(picture, read):
    _, whole = picture(Flaws())
    _, half = picture(read(table("half_exposed")).flaws(1))
    middle = whole.shape[0] // 2
    assert np.array_equal(half[:middle], whole[:middle])
    assert np.median(half[middle:]) == pytest.approx(0.0, abs=0.1)
    assert np.mean(whole[middle:]) > 1.0


def centroid_m(numbers, light) -> float:
    columns = np.arange(light.shape[1]) - (light.shape[1] - 1) / 2
    return float(
        (light.sum(axis=0) @ columns) / light.sum() * numbers.sensors["small"].object_pixel_m
    )


def test_half_of_two_clouds_are_to_the_right(picture, read, numbers):
    background = picture(Flaws(atoms_fraction=0.0))[1]
    one, two = (
        picture(flaws)[1] - background for flaws in (Flaws(), read(table("two_clouds")).flaws(1))
    )
    assert two.sum() == pytest.approx(one.sum(), rel=0.02)
    assert centroid_m(numbers, two) - centroid_m(numbers, one) == pytest.approx(3e-3, abs=0.2e-3)


def test_clouds_out_of_view_leave_the_background(picture, read, drops):
    (drop,) = drops(read(table("out_of_view")), 1)
    (there,) = drops(Faults(), 1)
    assert abs(drop.scene.centre_m[0] - there.scene.centre_m[0]) == pytest.approx(40e-3)
    assert abs(drop.scene.centre_m[1] - there.scene.centre_m[1]) == pytest.approx(40e-3)


def test_a_lost_contrast_leaves_a_cloud_without_a_fringe(picture, read, numbers):
    background = picture(Flaws(atoms_fraction=0.0))[1]
    seen = []
    for flaws in (Flaws(), read(table("contrast_lost")).flaws(1)):
        light = picture(flaws)[1] - background
        light = light[: len(light) // 2].sum(
            axis=0
        )  # of one port: the other one has the opposite phase
        x_m = np.arange(light.size) * numbers.sensors["small"].object_pixel_m
        seen.append(abs(light @ np.exp(-1j * SCENE.fringe_rad_per_m[0] * x_m)) / light.sum())
    assert seen[0] == pytest.approx(SCENE.contrast / 2, rel=0.2)
    assert seen[1] < 0.05


def test_a_scrambled_phase_is_another_one_each_time(read, drops):
    faulty, healthy = drops(read(table("phase_scrambled", until_drop=30)), 31), drops(Faults(), 31)
    off = [
        math.remainder(one.observables["phase_rad"] - two.observables["phase_rad"], 2 * math.pi)
        for one, two in zip(faulty, healthy, strict=True)
    ]
    assert np.std(off[:30]) == pytest.approx(math.pi / math.sqrt(3), rel=0.3)
    assert off[30] == pytest.approx(0.0, abs=1e-9)
    assert all(map(added_up, faulty))


def test_what_drifts_goes_further_with_each_drop(read, drops):
    faulty = drops(read(table("drifts", observable="x_m", size=2e-5, from_drop=2, until_drop=4)), 5)
    healthy = drops(Faults(), 5)
    off = [
        one.disturbance["x_m"] - two.disturbance["x_m"]
        for one, two in zip(faulty, healthy, strict=True)
    ]
    assert off == pytest.approx([0.0, 2e-5, 4e-5, 6e-5, off[4]])
    assert all(map(added_up, faulty))


MISTAKES = {
    table("explode"): "line 1, fault 1: kind: wanted one of 'actuator', 'disturbance'",
    table(
        "actuator", name="trap_q_m", factor=0.0
    ): "line 3, fault 1, name: wanted one of ['coriolis_rate_x",
    table("actuator", name="trap_x_m"): "line 1, fault 1, factor: must be given",
    table("dark")
    + table(
        "wild", observable="q_m", size=1.0
    ): "line 5, fault 2, observable: Input should be 'x_m'",
    table("dark", rat=0.1): "line 3, fault 1, rat: no field of this name",
    table(
        "dark", rate=1.5
    ): "line 3, fault 1, rate: Input should be less than or equal to 1, got 1.5",
    table(
        "dark", from_drop=0
    ): "line 3, fault 1, from_drop: Input should be greater than or equal to 1, got 0",
    table("dark", from_drop=9, until_drop=3): "until_drop: wanted at least from_drop = 9, got 3",
    table(
        "clamps", name="pulse_area", minimum=2, maximum=1
    ): "maximum: wanted at least minimum = 2, got 1",
    table("frame_lost", view="z"): "line 3, fault 1, view: Input should be 'x' or 'y', got 'z'",
    table(
        "refuses", controller="camera"
    ): "controller: wanted one of ['drop_system', 'laser'], got 'camera'",
    "[[fault": "not valid TOML",
    "fault = 3": "line 1, fault: wanted tables [[fault]], got 3",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_in_the_file_is_named(numbers, tmp_path, text):
    path = tmp_path / "faults.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as refused:
        load_faults(path, numbers)
    assert str(path) in str(refused.value)
    assert MISTAKES[text] in str(refused.value)


@pytest.mark.parametrize(
    "command", [magis_sim, lambda words: magis_calib(["--simulate", "--auto", *words])]
)
def test_a_bad_file_ends_both_commands_with_2(tmp_path, capsys, command):
    assert command([f"--faults={tmp_path / 'none.toml'}"]) == 2
    assert "none.toml: cannot be read" in capsys.readouterr().err


def test_every_fault_has_its_place_in_the_document():
    document = (Path(__file__).parents[2] / "docs" / "faults.md").read_text()
    for kind in kinds(Timed):
        assert f"`{kind}`" in document


def kinds(model: type[Timed]) -> list[str]:
    below = [kind for one in model.__subclasses__() for kind in kinds(one)]
    field = model.model_fields.get("kind")
    return below + ([field.annotation.__args__[0]] if field else [])


def test_every_fault_has_its_row_in_the_table_of_what_is_expected():
    rows = {one["kind"] for row in ROWS for one in tomllib.loads(row.faults).get("fault", [])}
    assert rows == set(kinds(Timed))
