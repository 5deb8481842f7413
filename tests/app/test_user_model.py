"""The package of docs/models.md, installed as its users install it, in the loop and on files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from magis_calib.config.station import default_text
from magis_calib.recording.reader import Session
from tests.pictures import Scene, pair

pytestmark = pytest.mark.station

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "flat_top_model"
RULES = "\n[stations.bottom.cameras.parameters]\nflatness = { minimum = 0.5, maximum = 4.0 }\n\n"
Y_SD_M = 16.6e-6
"""What the atoms scatter in y from drop to drop."""
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


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a machine where the package is installed."""
    target = tmp_path_factory.mktemp("installed")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "--no-index",
            "--disable-pip-version-check",
            "--target",
            str(target),
            str(EXAMPLE),
        ],
        check=True,
    )
    unset = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    return {**kept, "PYTHONPATH": str(target)}


def magis_calib(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "magis_calib", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped configuration with view y fitted by the user's model, one of its parameters
    bounded.
    """
    text = default_text().replace('model = "two_port"\n', 'model = "flat_top"\n')
    file = tmp_path_factory.mktemp("configuration") / "mine.toml"
    file.write_text(text.replace("\n[stations.bottom.loop]\n", f"{RULES}[stations.bottom.loop]\n"))
    return file


@pytest.fixture(scope="module")
def run(installed, configuration, tmp_path_factory):
    """Thirty drops of the small sensor."""
    folder = tmp_path_factory.mktemp("run")
    said = magis_calib(
        installed,
        "--config",
        str(configuration),
        "--simulate",
        "--auto",
        "--sensor",
        "small",
        "--drops",
        "30",
        "--interval",
        "0",
        "--seed",
        "7",
        "--session-dir",
        str(folder / "sessions"),
        "--report",
        str(folder / "r.json"),
        "--truth",
        str(folder / "t.jsonl"),
    )
    assert said.returncode == 0, said.stderr
    truth = [json.loads(line) for line in (folder / "t.jsonl").read_text().splitlines()][1:]
    return json.loads((folder / "r.json").read_text()), truth


def test_the_configuration_is_accepted_where_the_package_is_installed(
    installed, configuration
) -> None:
    said = magis_calib(installed, "config", "--check", str(configuration))
    assert said.returncode == 0, said.stderr
    assert "LM2 view y flat_top" in said.stdout
    said = magis_calib({**installed, "PYTHONPATH": ""}, "config", "--check", str(configuration))
    assert said.returncode == 2
    assert (
        "wanted one of ['gaussian', 'gaussian_fringe', 'two_port', 'two_port_fringe'], got "
        "'flat_top'" in said.stderr
    )


def test_every_drop_is_fitted_by_the_model_with_values_and_errors(run) -> None:
    report, _ = run
    assert report["drops"] == {"expected": 30, "complete": 30, "incomplete": 0, "usable": 30}
    with Session(Path(report["session"])) as session:
        views = [record.estimate.views for record in session.records]
    assert {one["x"].model for one in views} == {"two_port_fringe"}
    assert {one["y"].model for one in views} == {"flat_top"}
    for fitted in (one["y"] for one in views):
        assert fitted.usable_quantities == ("position", "atoms", "width", "flatness")
        assert fitted.names == tuple(fitted.parameters)
        assert all(0 < one.stderr < np.inf for one in fitted.parameters.values())
    pulls = [
        (one["y"].value("flatness") - 1.0) / one["y"].parameters["flatness"].stderr for one in views
    ]
    assert max(map(abs, pulls)) < 5
    assert 0.6 < np.sqrt(np.mean(np.square(pulls))) < 1.5


def test_the_loop_corrects_with_what_the_model_says(run) -> None:
    report, truth = run
    y = [drop["observables"]["y_m"] for drop in truth]
    assert abs(y[0]) > 10 * Y_SD_M
    assert np.sqrt(np.mean(np.square(y[-12:]))) < 2 * Y_SD_M
    with Session(Path(report["session"])) as session:
        records = session.records
    assert all("y_m" in record.decision.used for record in records)
    pulls = [
        (record.estimate.values["y_m"] - drop["observables"]["y_m"]) / record.estimate.stderr["y_m"]
        for record, drop in zip(records, truth, strict=True)
    ]
    assert max(map(abs, pulls)) < 5
    assert 0.6 < np.std(pulls) < 1.5


def test_a_replay_with_the_package_is_identical_and_without_it_says_what_is_missing(
    installed, run
) -> None:
    report, _ = run
    words = ("replay", report["session"], "--auto", "--speed", "max")
    said = magis_calib(installed, *words)
    assert said.returncode == 0, said.stderr
    assert "30 estimates compared: all identical" in said.stdout
    said = magis_calib({**installed, "PYTHONPATH": ""}, *words)
    assert said.returncode == 2
    assert "got 'flat_top'" in said.stderr
    assert "Traceback" not in said.stderr


def test_files_are_fitted_with_it(installed, tmp_path) -> None:
    scene = Scene(y=2e-4, z=-1e-4)
    np.save(tmp_path / "y.npy", pair(np.random.default_rng(3), scene).frames["y"].counts)
    said = magis_calib(
        installed, "fit", "--model", "flat_top", "--view", "y", str(tmp_path / "y.npy"), *FACTS
    )
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout)
    assert (found["model"], found["usable"]) == ("flat_top", True)
    wanted = {
        "flatness": 1.0,
        "port_a_horizontal_m": scene.y,
        "port_b_vertical_m": scene.z - 7.5e-3,
        "width_vertical_m": scene.width,
    }
    for name, value in wanted.items():
        assert (
            abs(found["parameters"][name]["value"] - value)
            < 5 * found["parameters"][name]["stderr"]
        ), name
    assert found["parameters"]["flatness"]["unit"] == "1"
    assert found["atoms"]["value"] == pytest.approx(scene.atoms, rel=0.01)
