"""Fit models as the commands meet them: described in the docs, found by entry point, refused at the
door.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from magis_calib.cli.main import main
from magis_calib.config.loading import parse_config, select_station
from magis_calib.config.station import default_text
from magis_calib.domain.errors import ConfigError
from magis_calib.estimation.models import BUILT_IN
from magis_calib.pipeline import Pipeline
from magis_calib.replay.recorded_actuators import RecordedActuators
from tests.pictures import Scene, pair

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLE = DOCS / "examples" / "flat_top_model"
TEXT = (DOCS / "models.md").read_text(encoding="utf-8")
STRANGE = {
    "broken": (
        "strange_model:Model",
        "model 'broken' of strange_model:Model cannot be loaded: ZeroDivisionError",
    ),
    "gone": (
        "not_installed:Model",
        "model 'gone' of not_installed:Model cannot be loaded: ModuleNotFoundError",
    ),
    "function": (
        "json:loads",
        "json:loads wanted a subclass of magis_calib.estimation.model.FitModel, got <function",
    ),
}


@pytest.mark.parametrize("name", ["pyproject.toml", "flat_top_model.py"])
def test_the_docs_show_the_example_as_it_is(name: str) -> None:
    language = {"toml": "toml", "py": "python"}[name.rpartition(".")[2]]
    assert f"```{language}\n{(EXAMPLE / name).read_text(encoding='utf-8')}```\n" in TEXT


def test_the_docs_list_every_built_in_parameter_with_its_unit() -> None:
    rows = re.findall(
        r"^\| (`\w+`(?:, `\w+`)*) \| (\S+) \|", TEXT.partition("## Fixed")[0], re.MULTILINE
    )
    listed = {(name, unit) for names, unit in rows for name in re.findall(r"\w+", names)}
    wanted = {pair for model in BUILT_IN.values() for pair in model.parameters.items()}
    assert wanted == listed
    assert all(f"`{name}`" in TEXT for name in BUILT_IN)


@pytest.fixture
def strange(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine where a package with models that cannot be used is installed."""
    (tmp_path / "strange_model.py").write_text("1 / 0\n")
    info = tmp_path / "strange-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: strange\nVersion: 1.0\n")
    points = "".join(f"{name} = {value}\n" for name, (value, _) in STRANGE.items())
    (info / "entry_points.txt").write_text(f"[magis_calib.models]\n{points}")
    return {**os.environ, "PYTHONPATH": str(tmp_path)}


def with_models(*names: str) -> str:
    """The shipped configuration with these models, one camera each; the third one is a spare."""
    first, second, spare = (*names, "two_port")[:3]
    text = default_text().replace('model = "two_port_fringe"', f'model = "{first}"')
    text = text.replace('model = "two_port"\n', f'model = "{second}"\n')
    table = (
        f'[[stations.bottom.cameras]]\nname = "LM3"\nview = "x"\nenabled = false\nmodel = '
        f'"{spare}"\n\n'
    )
    return text.replace("[stations.bottom.loop]\n", f"{table}[stations.bottom.loop]\n")


def test_every_model_that_cannot_be_used_is_named_with_its_line(tmp_path: Path, strange) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(with_models(*STRANGE))
    words = [sys.executable, "-m", "magis_calib", "config", "--check", str(file)]
    said = subprocess.run(words, env=strange, capture_output=True, text=True)
    assert said.returncode == 2
    assert said.stdout == ""
    lines = said.stderr.removeprefix("magis-calib config: ").splitlines()
    for number, (name, (_, reason)) in enumerate(STRANGE.items()):
        at = next(
            n
            for n, line in enumerate(file.read_text().splitlines(), 1)
            if line.startswith(f'model = "{name}"')
        )
        assert lines[number].startswith(
            f"{file}: line {at}, stations.bottom.cameras.{number}.model: "
        )
        assert reason in lines[number]


def test_fit_refuses_a_package_that_cannot_be_imported(tmp_path: Path, strange) -> None:
    np.save(tmp_path / "image.npy", pair(np.random.default_rng(1), Scene()).frames["y"].counts)
    words = [
        sys.executable,
        "-m",
        "magis_calib",
        "fit",
        "--model",
        "broken",
        str(tmp_path / "image.npy"),
    ]
    said = subprocess.run(words, env=strange, capture_output=True, text=True)
    assert said.returncode == 2
    assert STRANGE["broken"][1] in said.stderr
    assert "Traceback" not in said.stderr


RULE = "\n[stations.bottom.cameras.parameters]\ncontrast = { fixed = 0.5 }\n"
DOOR = {
    "unknown model": (
        with_models("two_port_fringe", "flattop"),
        "model: wanted one of ['gaussian'",
    ),
    "rule for nothing": (
        default_text().replace("\n[stations.bottom.loop]\n", f"{RULE}\n[stations.bottom.loop]\n"),
        "parameters: camera LM2, parameters: model 'two_port' has no ['contrast'], known are "
        "['background",
    ),
}


@pytest.mark.parametrize("name", DOOR)
@pytest.mark.parametrize("command", ["config", "run"])
def test_a_mistake_is_found_by_the_check_and_by_a_run_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, command: str
) -> None:
    text, reason = DOOR[name]
    file, sessions = tmp_path / "mine.toml", tmp_path / "sessions"
    file.write_text(text)
    words = (
        ["config", "--check", str(file)]
        if command == "config"
        else ["--auto", "--config", str(file), "--session-dir", str(sessions)]
    )
    assert main(words) == 2
    said = capsys.readouterr().err
    assert f"{file}: line " in said
    assert reason in said
    assert not sessions.exists()


def test_a_spare_camera_hinders_no_run_but_is_judged_by_the_check(tmp_path: Path, capsys) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(with_models("two_port_fringe", "two_port", "flattop"))
    assert main(["config", "--check", str(file)]) == 2
    assert "cameras.2.model: wanted one of" in capsys.readouterr().err
    np.save(tmp_path / "image.npy", pair(np.random.default_rng(1), Scene()).frames["x"].counts)
    assert main(["fit", "--config", str(file), str(tmp_path / "image.npy")]) == 0


def test_a_pipeline_is_not_made_with_a_model_that_cannot_be_used() -> None:
    station = select_station(
        parse_config(with_models("two_port_fringe", "flattop"), "mine.toml"), None
    )[1]
    with pytest.raises(ConfigError, match=r"wanted one of .*got 'flattop'"):
        Pipeline(station, RecordedActuators([], station))
