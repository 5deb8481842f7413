"""`magis-calib fit` as a user meets it: files in, one JSON line each out."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
from PIL import Image

from magis_calib.cli.main import main
from magis_calib.config.station import default_text
from magis_calib.domain.quantities import DIAGNOSTICS, OBSERVABLES
from tests.pictures import BACKGROUND, PORT_M, SMALL, Scene, pair

SCENE = Scene(x=1.1e-4, y=-0.8e-4, z=-0.5e-4, kappa_z=90.0)
FACTS = (
    "--object-pixel-m",
    "64e-6",
    "--gain",
    "0.24",
    "--offset",
    "1600",
    "--read-noise",
    "2.4",
    "--bits",
    "12",
    "--lsb-counts",
    "16",
    "--excess",
    "0.9",
)
KEYS = {
    "file",
    "view",
    "model",
    "usable",
    "usable_quantities",
    "reasons",
    "chi2_per_dof",
    "parameters",
    "correlation",
    "disagreement_sigma",
    "seconds",
}


@dataclass(frozen=True)
class Said:
    """What one command said."""

    code: int
    lines: list[dict[str, Any]]
    errors: list[str]


Run = Callable[..., Said]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pair of one drop in several formats, a picture without fringes and a dark
    one.
    """
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(11)
    frames = pair(rng, SCENE).frames
    for view, frame in frames.items():
        Image.fromarray(frame.counts).save(folder / f"{view}.png")
        Image.fromarray(frame.counts).save(folder / f"{view}.tif")
        np.save(folder / f"{view}.npy", frame.counts)
        np.save(folder / f"{view}_floats.npy", (frame.counts - SMALL.offset) * SMALL.gain)
        (folder / f"{view}.pgm").write_bytes(
            b"P5 768 512 65535\n" + frame.counts.astype(">u2").tobytes()
        )
        with h5py.File(folder / "pair.h5", "a") as file:
            file[f"{view}/frames"] = np.stack([np.zeros_like(frame.counts), frame.counts])
    np.save(folder / "plain.npy", pair(rng, Scene(contrast=0.0)).frames["x"].counts)
    np.save(folder / "dark.npy", pair(rng, Scene(atoms=0.0)).frames["x"].counts)
    return folder


@pytest.fixture
def run(
    images: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Run]:
    """Run the command in the folder of the images; every line must be strict JSON."""

    def fit(*words: str) -> Said:
        monkeypatch.chdir(images)
        capfd.readouterr()
        try:
            code = main(["fit", *words])
        except SystemExit as leaving:
            code = int(str(leaving.code))
        out, err = capfd.readouterr()
        lines = [json.loads(line, parse_constant=pytest.fail) for line in out.splitlines()]
        return Said(code, lines, err.splitlines())

    return fit


def truth(view: str, scene: Scene = SCENE) -> dict[str, float]:
    wanted = {
        "background_electrons_per_px": BACKGROUND,
        "background_gradient_horizontal": 0.0,
        "background_gradient_vertical": 0.0,
        "width_horizontal_m": scene.width,
        "width_vertical_m": scene.width,
    }
    for port, up in PORT_M.items():
        wanted[f"port_{port}_electrons"] = scene.atoms * SMALL.excess / 2
        wanted[f"port_{port}_horizontal_m"] = scene.x if view == "x" else scene.y
        wanted[f"port_{port}_vertical_m"] = scene.z + up
    if view == "x":
        wanted |= {
            "fringe_horizontal_rad_per_m": scene.kappa_x,
            "fringe_vertical_rad_per_m": scene.kappa_z,
            "contrast": scene.contrast,
            "phase_rad": scene.phase,
        }
    return wanted


def assert_true(parameters: dict[str, Any], wanted: dict[str, float]) -> None:
    """All within five standard errors of what was really there."""
    assert set(parameters) == set(wanted)
    for name, value in wanted.items():
        found = parameters[name]
        assert abs(found["value"] - value) < 5.0 * found["stderr"], name


def values(line: dict[str, Any]) -> dict[str, float]:
    return {name: found["value"] for name, found in line["parameters"].items()}


def test_a_picture_is_fitted_as_promised(run: Run) -> None:
    said = run(*FACTS, "x.png")
    assert said.code == 0
    assert said.errors == []
    (line,) = said.lines
    assert set(line) >= KEYS
    assert (line["file"], line["view"], line["model"]) == ("x.png", "x", "two_port_fringe")
    assert line["usable"] is True
    assert line["reasons"] == []
    assert {"position", "fringe", "phase"} <= set(line["usable_quantities"])
    assert_true(line["parameters"], truth("x"))
    assert line["parameters"]["fringe_vertical_rad_per_m"]["unit"] == "rad/m"
    assert line["chi2_per_dof"] == pytest.approx(1.0, abs=0.2)
    assert line["atoms"]["value"] == pytest.approx(SCENE.atoms, rel=0.01)
    assert line["noise"] == "given"
    assert 0.0 < line["seconds"] < 10.0
    names = list(line["parameters"])
    assert len(line["correlation"]) == len(names) * (len(names) - 1) // 2
    assert set(line["correlation"]) == {
        f"{a},{b}" for i, a in enumerate(names) for b in names[i + 1 :]
    }
    assert all(-1.0 <= r <= 1.0 for r in line["correlation"].values())


def test_every_format_gives_the_same_numbers_in_the_order_given(run: Run) -> None:
    names = ["x.npy", "x.pgm", "pair.h5:/x/frames[1]", "x.tif", "x.png"]
    said = run(*FACTS, *names)
    assert [line["file"] for line in said.lines] == names
    assert all(values(line) == values(said.lines[0]) for line in said.lines)


def test_a_bad_file_is_named_and_the_others_are_fitted(run: Run, images: Path) -> None:
    (images / "cut.png").write_bytes((images / "x.png").read_bytes()[:5000])
    Image.fromarray(np.full((20, 20, 3), 9, dtype=np.uint8)).save(images / "colour.png")
    np.save(images / "nan.npy", np.full((20, 20), np.nan))
    np.save(images / "zero.npy", np.zeros((20, 20), dtype=np.uint16))
    np.save(images / "full.npy", np.full((20, 20), 65520, dtype=np.uint16))
    np.save(images / "stack.npy", np.zeros((2, 20, 20), dtype=np.uint16))
    wanted = {
        "cut.png": "readable .png",
        "colour.png": "one grey channel",
        "nan.npy": "finite",
        "no.npy": "no such",
        "zero.npy": "differ",
        "full.npy": "saturation at 65520",
        "stack.npy": "stack.npy[0]",
    }
    said = run(*FACTS, "x.png", *wanted, "y.png")
    assert said.code == 2
    assert [line["file"] for line in said.lines] == ["x.png", "y.png"]
    assert len(said.errors) == len(wanted)
    for error, (name, words) in zip(said.errors, wanted.items(), strict=True):
        assert error.startswith(f"magis-calib fit: {name}: wanted ")
        assert words in error


def test_a_pair_is_one_line_with_what_the_station_learns(run: Run) -> None:
    said = run("--pair", *FACTS, "x.png", "y.npy")
    (line,) = said.lines
    assert said.code == 0
    assert line["files"] == ["x.png", "y.npy"]
    assert_true(line["views"]["x"]["parameters"], truth("x"))
    assert_true(line["views"]["y"]["parameters"], truth("y"))
    assert line["views"]["y"]["model"] == "two_port"
    station = line["station"]
    assert station["usable"] is True
    assert station["reasons"] == []
    assert (
        list(station["values"])
        == list(station["stderr"])
        == list(station["units"])
        == [*OBSERVABLES, *DIAGNOSTICS]
    )
    wanted = {
        "x_m": SCENE.x,
        "y_m": SCENE.y,
        "z_m": SCENE.z,
        "fringe_x_rad_per_m": SCENE.kappa_x,
        "fringe_z_rad_per_m": SCENE.kappa_z,
        "phase_rad": SCENE.phase,
    }
    for name, value in wanted.items():
        assert abs(station["values"][name] - value) < 5.0 * station["stderr"][name], name
    assert station["covariance"]["names"] == list(OBSERVABLES)
    spread = np.sqrt(np.diag(station["covariance"]["matrix"]))
    np.testing.assert_allclose(spread, [station["stderr"][name] for name in OBSERVABLES])


def test_a_pair_that_does_not_fit_together_is_one_error(run: Run, images: Path) -> None:
    np.save(images / "half.npy", np.load(images / "y.npy")[:256])
    said = run("--pair", *FACTS, "x.png", "half.npy", "no.png", "y.png", "x.png", "y.png")
    assert said.code == 2
    assert [line["files"] for line in said.lines] == [["x.png", "y.png"]]
    assert said.errors == [
        "magis-calib fit: half.npy: wanted shape (512, 768) as in x.png, got (256, 768)",
        "magis-calib fit: no.png: wanted an image file, got no such file",
    ]


def test_what_is_not_there_is_null_and_no_error(run: Run) -> None:
    said = run(*FACTS, "plain.npy", "dark.npy")
    assert said.code == 0
    plain, dark = said.lines
    assert plain["usable"] is True
    assert plain["reasons"]
    assert not {"phase", "fringe"} & set(plain["usable_quantities"])
    found = plain["parameters"]["port_a_vertical_m"]
    assert abs(found["value"] - PORT_M["a"]) < 5.0 * found["stderr"]
    assert dark["usable"] is False
    assert dark["usable_quantities"] == []
    assert dark["reasons"]
    assert dark["chi2_per_dof"] is None
    assert dark["correlation"] == {}
    assert set(dark["parameters"]) == set(truth("x"))
    assert all(found["value"] is found["stderr"] is None for found in dark["parameters"].values())


def test_negative_values_are_understood_both_ways(run: Run) -> None:
    told = [
        run(*FACTS, *words, "x.png").lines[0]
        for words in (
            ("--offset", "-1e1", "--port-b-displacement-m", "-7.4e-3"),
            ("--offset=-10", "--port-b-displacement-m=-7.4e-3"),
        )
    ]
    assert values(told[0]) == values(told[1])
    background = told[0]["parameters"]["background_electrons_per_px"]["value"]
    assert background == pytest.approx(BACKGROUND + 1610 * SMALL.gain, rel=1e-3)


def test_a_displaced_port_moves_the_phase_of_fringes_that_run_upwards(run: Run) -> None:
    """Both ports' phases count from their nominal places: moving both by 0.2 mm turns it by κv ·
    0.2 mm.
    """
    usual = run(*FACTS, "x.png").lines[0]["parameters"]
    words = ("--port-a-displacement-m", "7.7e-3", "--port-b-displacement-m", "-7.3e-3")
    moved = run(*FACTS, *words, "x.png").lines[0]["parameters"]
    turn = usual["fringe_vertical_rad_per_m"]["value"] * 0.2e-3
    assert moved["phase_rad"]["value"] - usual["phase_rad"]["value"] == pytest.approx(
        turn, abs=1e-3
    )


def configured(folder: Path, facts: str, model: str) -> str:
    text = default_text().replace('model = "two_port_fringe"', f'model = "{model}"', 1)
    (folder / "own.toml").write_text(
        text.replace('name = "LM1"', f'name = "LM1"\nfacts = {{ {facts} }}', 1)
    )
    return "own.toml"


def test_the_configuration_gives_what_no_option_says(run: Run, images: Path) -> None:
    facts = (
        "object_pixel_m = 64e-6, gain = 0.24, offset = 1600.0, read_noise = 2.4, bits = 12, "
        "lsb_counts = 16, excess = 0.5, rows = 512"
    )
    config = configured(images, facts, "two_port")
    (line,) = run("--config", config, "x.png").lines
    assert line["model"] == "two_port"
    assert line["atoms"]["value"] == pytest.approx(SCENE.atoms * 0.9 / 0.5, rel=0.05)
    (line,) = run(
        "--config", config, "--excess", "0.9", "--model", "two_port_fringe", "x.png"
    ).lines
    assert_true(line["parameters"], truth("x"))
    assert line["atoms"]["value"] == pytest.approx(SCENE.atoms, rel=0.01)


def test_a_shape_other_than_the_configured_is_an_error(run: Run, images: Path) -> None:
    said = run("--config", configured(images, "rows = 500", "two_port"), "x.png")
    assert said.code == 2
    assert said.errors == [
        "magis-calib fit: x.png: wanted shape (500, 768) as configured for camera LM1, got (512, "
        "768)"
    ]


def test_known_bad_pixels_are_masked(run: Run, images: Path) -> None:
    mask = np.zeros((512, 768), dtype=bool)
    mask[:10] = True
    np.save(images / "mask.npy", mask)
    np.save(images / "small_mask.npy", mask[:100])
    for name, code in (("mask.npy", 0), ("small_mask.npy", 2)):
        (images / "masked.toml").write_text(
            default_text().replace('defects = ""', f'defects = "{name}"', 1)
        )
        said = run(*FACTS, "--config", "masked.toml", "x.png")
        assert said.code == code
        assert all(line["masked_px"] >= mask.sum() for line in said.lines)
        assert all(
            error.startswith("magis-calib fit: x.png: defect mask: wanted (512, 768)")
            for error in said.errors
        )


def test_floats_are_fitted_with_noise_from_the_image(run: Run) -> None:
    said = run("--object-pixel-m", "64e-6", "x_floats.npy")
    (line,) = said.lines
    assert line["noise"] == "estimated from the image"
    assert line["usable"] is True
    wanted = truth("x")
    for name in (
        "port_a_horizontal_m",
        "port_b_vertical_m",
        "fringe_horizontal_rad_per_m",
        "phase_rad",
        "contrast",
    ):
        found = line["parameters"][name]
        assert abs(found["value"] - wanted[name]) < 5.0 * found["stderr"], name


def test_the_plot_is_a_picture(run: Run, images: Path) -> None:
    assert run(*FACTS, "x.png", "--plot", "seen.png").code == 0
    with Image.open(images / "seen.png") as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 600
        assert len(set(np.asarray(picture.convert("L")).ravel())) > 50


def test_every_image_has_a_plot_of_its_own(run: Run, images: Path) -> None:
    (images / "other").mkdir(exist_ok=True)
    np.save(images / "other" / "dark.npy", np.load(images / "dark.npy"))
    said = run(*FACTS, "dark.npy", "other/dark.npy", "pair.h5:/y/frames[1]", "--plot", "many.png")
    assert said.code == 0
    assert {path.name for path in images.glob("many*")} == {
        "many_dark.png",
        "many_dark_2.png",
        "many_pair_y_frames_1.png",
    }


def test_a_plot_that_cannot_be_written_is_an_error(run: Run, images: Path) -> None:
    (images / "folder.png").mkdir(exist_ok=True)
    said = run(*FACTS, "x.png", "--plot", "folder.png")
    assert said.code == 2
    assert not said.lines  # nothing is fitted for what could not be drawn
    assert said.errors == [
        "magis-calib fit: folder.png: cannot be written: wanted a regular file, got a folder"
    ]


def test_the_report_leaves_stdout_alone(run: Run) -> None:
    said = run(*FACTS, "x.png", "--report")
    assert len(said.lines) == 1
    assert said.errors[0] == "x.png, view x"
    assert any("[[Variables]]" in line for line in said.errors)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "IMAGE"),
        (("x.png", "--model", "cubic"), "two_port_fringe"),
        (("x.png", "--gain", "0"), "above 0"),
        (("x.png", "--gain", "nan"), "above 0"),
        (("x.png", "--read-noise", "-1"), "at least 0"),
        (("x.png", "--bits", "17"), "from 1 to 16"),
        (("x.png", "--saturation", "1.5"), "whole number"),
        (("x.png", "--pair"), "even number"),
        (("x.png", "y.png", "--pair", "--view", "x"), "not with --pair"),
        (("x.png", "--plot", "plot.bmp"), ".png, .pdf, .svg"),
        (("x.png", "--plot", "nowhere/plot.png"), "existing folder"),
        (("x.png", "--config", "no.toml"), "no.toml: cannot be read"),
        (("x.png", "--station", "moon"), "bottom"),
    ],
)
def test_bad_usage_is_said_before_anything_is_fitted(
    run: Run, words: tuple[str, ...], said: str
) -> None:
    answer = run(*words)
    assert answer.code == 2
    assert answer.lines == []
    assert said in answer.errors[-1]


def test_a_reader_that_leaves_early_is_no_error(images: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "magis_calib",
        "fit",
        *FACTS,
        "x.png",
        "y.png",
        "x.png",
        "y.png",
    ]
    where = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, cwd=images, env=where, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as fitting:
        assert fitting.stdout is not None
        assert fitting.stderr is not None
        assert json.loads(fitting.stdout.readline())["file"] == "x.png"
        fitting.stdout.close()
        assert fitting.stderr.read() == b""
    assert fitting.returncode == 0


def real_images(name: str) -> Path:
    """Return a measured image: in a folder `shared/data` beside the checkout, or wherever the user
    says.
    """
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    path = Path(os.environ.get("MAGIS_CALIB_REAL_IMAGES", beside)) / name
    if not path.exists():
        pytest.skip(f"{path.name} is not there: set MAGIS_CALIB_REAL_IMAGES")
    return path


def test_a_laser_beam_is_where_its_second_moments_are(run: Run) -> None:
    path = real_images("laserbeamsize/t-hene.pgm")
    (reference,) = json.loads(next(path.parent.glob("reference*.json")).read_text()).values()
    (line,) = run("--model", "gaussian", str(path)).lines
    found = values(line)
    column, row = reference["beam_size_xc_yc_dmaj_dmin_phi"][:2]
    assert math.hypot(found["horizontal_px"] - column, found["vertical_px"] - row) < 1.0


def test_matter_waves_are_as_published(run: Run, images: Path) -> None:
    """The sum over z of two interfering Bose gases.

    The reference counts the phase from the origin of its axis (µm).
    """
    stored = scipy.io.loadmat(real_images("vienna_double_well/interference_picture_example.mat"))
    axis = np.ravel(stored["x_axis"])
    step = float(axis[1] - axis[0])
    np.save(images / "waves.npy", stored["rho_tof"].sum(axis=0)[None].astype(float))
    (line,) = run("--model", "gaussian_fringe", "waves.npy").lines
    found = values(line)
    kappa = found["fringe_horizontal_rad_per_px"] / step
    measured = {
        "place": axis[0] + step * found["horizontal_px"],
        "width": step * found["sigma_major_px"],
        "contrast": found["contrast"],
        "period": 2.0 * math.pi / kappa,
        "phase": math.remainder(found["phase_rad"] - kappa * axis[0], 2.0 * math.pi),
    }
    published = {
        "place": (3.24, 0.37),
        "width": (32.4, 0.9),
        "contrast": (0.425, 0.020),
        "period": (25.23, 0.12),
        "phase": (-1.910, 0.028),
    }
    for name, (value, error) in published.items():
        assert abs(measured[name] - value) < 3.0 * error, name


def test_a_shadow_is_said_to_be_dark(run: Run, images: Path) -> None:
    rng = np.random.default_rng(1)
    rows, columns = np.mgrid[:300, :400]
    cloud = np.exp(-((rows - 150) ** 2 + (columns - 200) ** 2) / (2 * 25.0**2))
    np.save(images / "shadow.npy", rng.poisson(3000 * np.exp(-cloud)).astype(np.uint16))
    np.save(images / "density.npy", cloud + rng.normal(0, 0.02, cloud.shape))
    for name in ("shadow.npy", "density.npy"):
        (line,) = run("--model", "gaussian", name).lines
        assert line["usable"] == (name == "density.npy"), line["reasons"]
        assert any(one.startswith("dark") for one in line["reasons"]) == (name == "shadow.npy")


@pytest.mark.parametrize(("step", "option"), [(1, "--bits 12"), (16, "--bits 12 --lsb-counts 16")])
def test_the_full_scale_of_fewer_bits_is_named(
    run: Run, images: Path, step: int, option: str
) -> None:
    counts = np.load(images / "x.npy")
    few = np.minimum(counts // 4, 4095)
    few[100:110, 100:110] = 4095
    np.save(images / "few.npy", (few * step).astype(np.uint16))
    said = run("few.npy")
    assert any("pixels stand at" in one and option in one for one in said.errors)
    assert not run(*option.split(), "few.npy").errors
    assert not run("x.npy").errors
