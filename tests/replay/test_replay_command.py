"""`magis-calib replay` on a session that the simulated station recorded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import h5py
import pytest

from magis_calib.cli.main import main
from magis_calib.config.station import default_text

pytestmark = pytest.mark.station

DROPS = 40


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    words = [
        "--simulate",
        "--auto",
        "--sensor",
        "small",
        "--interval",
        "0",
        "--seed",
        "8",
        "--drops",
        str(DROPS),
        "--session-dir",
        str(folder),
    ]
    assert main(words) == 0
    return next(folder.iterdir())


@pytest.fixture
def replay(tmp_path: Path, session: Path, capsys: pytest.CaptureFixture[str]):
    """Return what replays with these options, and gives exit code, stdout and stderr."""

    def run(*options: str, of: Path = session) -> tuple[int, str, str]:
        code = main(["replay", str(of), "--results", str(tmp_path / "results"), *options])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_verify_finds_all_identical_and_the_second_time_fits_nothing(replay) -> None:
    code, said, _ = replay("--verify")
    assert code == 0
    assert f"{DROPS} estimates compared: all identical" in said
    assert f"{DROPS} of {DROPS} estimated anew" in said
    code, said, _ = replay("--verify")
    assert (code, f"0 of {DROPS} estimated anew" in said) == (0, True)


def test_verify_names_what_differs(replay, session: Path, tmp_path: Path) -> None:
    copy = tmp_path / session.name
    shutil.copytree(session, copy)
    replay("--verify")
    with h5py.File(copy / "segment-0001.h5", "r+") as file:
        file["entry/view_x/counts"][4, 100:300, 200:500] += 16
    code, said, _ = replay("--verify", of=copy)
    assert code == 1
    assert "1 differ, first of them drops 5" in said
    assert "drop 5, view x, parameters background_electrons_per_px value: recorded " in said


def test_another_configuration_tells_what_moved(replay, tmp_path: Path) -> None:
    other, numbers = tmp_path / "other.toml", tmp_path / "differences.json"
    other.write_text(
        default_text().replace(
            "port_a_displacement_m = [0.0, 7.5e-3]", "port_a_displacement_m = [0.0, 7.7e-3]"
        )
    )
    code, said, _ = replay("--config", str(other), "--differences", str(numbers))
    assert code == 0
    assert "moved furthest:\n  drop " in said
    found = {one["observable"]: one for one in json.loads(numbers.read_text())["observables"]}
    assert found["z_m"]["moved"] == DROPS
    assert found["x_m"]["moved"] == 0


def test_what_if_with_the_recorded_gains_is_what_happened(replay, tmp_path: Path) -> None:
    file, plot, numbers = (tmp_path / name for name in ("same.toml", "plot.png", "numbers.json"))
    file.write_text("[observables.x_m]\ngain = 'auto'\n")
    code, said, _ = replay(
        "--what-if", str(file), "--plot", str(plot), "--differences", str(numbers)
    )
    assert code == 0
    assert "reproduces what happened exactly" in said
    assert plot.read_bytes().startswith(b"\x89PNG")
    drops = json.loads(numbers.read_text())["drops"]
    assert len(drops) == DROPS
    assert all(one["happened"] == one["predicted"] for one in drops)


def test_what_if_says_where_its_loop_would_hold(replay, tmp_path: Path) -> None:
    file, numbers = tmp_path / "gains.toml", tmp_path / "numbers.json"
    file.write_text("[observables.x_m]\ntarget = -300e-6\n")
    code, said, _ = replay("--what-if", str(file), "--differences", str(numbers))
    assert code == 0
    assert "nothing would have been sent, first after drop " in said
    held = [one for one in json.loads(numbers.read_text(encoding="utf-8"))["drops"] if one["held"]]
    assert all("at a limit: trap x" in one["held"] for one in held)
    assert f"after {len(held)} drops" in said


def test_what_if_with_another_target_goes_there(replay, tmp_path: Path) -> None:
    file, numbers = tmp_path / "there.toml", tmp_path / "numbers.json"
    file.write_text("observables.x_m.target = 80e-6\n")
    code, said, _ = replay("--what-if", str(file), "--differences", str(numbers))
    assert (code, "first difference from what happened: drop " in said) == (0, True)
    last = json.loads(numbers.read_text())["drops"][-10:]
    assert sum(one["predicted"]["values"]["x_m"] for one in last) / 10 == pytest.approx(
        80e-6, abs=25e-6
    )
    assert sum(one["happened"]["values"]["x_m"] for one in last) / 10 == pytest.approx(
        0.0, abs=25e-6
    )


MISTAKES = {
    "observables.q_m.gain = 1": "line 1, observables.q_m: wanted one of ['x_m', ",
    "observables.x_m.gian = 1": "line 1, observables.x_m.gian: unknown name, wanted one of "
    "['gain', 'target']",
    "\nobservables.x_m.gain = 3": 'line 2, observables.x_m.gain: wanted "auto" or a number',
    'matrix = "other"': "wanted one of ['nominal'], got 'other'",
    "matrix.z_m.trap_w_m = 1": "['trap_w_m'] are not actuators of the loop",
    "gain = ": "not valid TOML",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_in_the_file_is_named(replay, tmp_path: Path, text: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(text)
    code, _, said = replay("--what-if", str(file))
    assert code == 2
    assert str(file) in said
    assert MISTAKES[text] in said
