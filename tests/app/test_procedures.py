"""Procedures as their users start them: measured, listed, compared, promoted.

A station poked before it is trusted.
"""

from __future__ import annotations

import difflib
import json
import re
import time
import tomllib
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from magis_calib.cli.main import main
from magis_calib.config.loading import load_config, select_station
from magis_calib.config.station import default_text
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.products.store import JOURNAL, Product, products_in, read_product, write_product
from magis_calib.recording.reader import Session
from tests.app.test_whole_runs import NO_QT, magis_calib

pytestmark = pytest.mark.station

MEASUREMENTS = 32


def asked(procedure: str, folder: Path, *more: str, first: str = "") -> CompletedProcess[str]:
    return magis_calib(
        procedure,
        "--simulate",
        "--auto",
        "--sensor",
        "small",
        "--interval",
        "0",
        "--seed",
        "7",
        "--session-dir",
        str(folder / "sessions"),
        "--products-dir",
        str(folder / "products"),
        *more,
        first=first,
    )


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[CompletedProcess[str], Path]:
    """A measured response, without Qt: what was said, and the folder with sessions and products."""
    folder = tmp_path_factory.mktemp("response")
    return asked("response", folder, "--measurements", str(MEASUREMENTS), first=NO_QT), folder


@pytest.fixture(scope="module")
def made(measured: tuple[CompletedProcess[str], Path]) -> tuple[Path, Product]:
    ((path, product),) = products_in(measured[1] / "products")
    return path, product


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A copy of the shipped configuration."""
    file = tmp_path / "mine.toml"
    file.write_text(default_text())
    return file


def products(*words: str, folder: Path) -> int:
    return main(["products", "--products-dir", str(folder), *words])


# ---- response


def test_a_response_is_measured_and_told(measured, made) -> None:
    said, folder = measured
    assert said.returncode == 0, said.stderr
    path, product = made
    assert "response measured; main gains known to x " in said.stderr
    assert str(path) in said.stderr
    assert re.search(rf"response: drop \d+ of {MEASUREMENTS}", said.stdout), "on its way"
    assert f"response ended after {MEASUREMENTS} drops: response measured" in said.stdout
    assert "loop PROCEDURE" in said.stdout
    assert product.good
    (session,) = (folder / "sessions").iterdir()
    assert product.session == session.name
    assert f"picture {path.with_suffix('.png').name}" in said.stderr
    assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_the_setpoints_are_those_of_before(measured, made) -> None:
    _, folder = measured
    _, product = made
    (path,) = (folder / "sessions").iterdir()
    final = json.loads((path / "final.json").read_text())
    assert final["readback"] == pytest.approx(product.operating_point, abs=1e-12)
    assert {name: one["limit_violations"] for name, one in final["controllers"].items()} == {
        "laser": 0,
        "drop_system": 0,
    }
    with Session(path) as session:
        moved = [
            one
            for one in session.records
            if one.in_force["trap_x_m"] != product.operating_point["trap_x_m"]
        ]
        assert len(moved) >= MEASUREMENTS / 2
        first, last = product.drops
        assert last - first + 1 == MEASUREMENTS
        assert {one.decision.outcome for one in session.records} == {"held"}


def test_its_main_gains_are_those_of_the_matrix_it_was_made_with(made) -> None:
    _, station = select_station(load_config(None), None)
    nominal, numbers = station.matrices["nominal"], made[1].numbers
    assert set(numbers["mains"]) == set(OBSERVABLES)
    for observable, actuator in numbers["mains"].items():
        found, error = (numbers[key][observable][actuator] for key in ("matrix", "stderr"))
        assert error < 0.15 * abs(found)
        assert abs(found - nominal[observable][actuator]) < 5 * error + 0.05 * abs(found)


def test_products_are_listed_and_shown(measured, made, capsys) -> None:
    folder, (path, _) = measured[1] / "products", made
    assert products("list", folder=folder) == 0
    assert re.search(rf"{path.name} +0\.0 days  valid +response measured", capsys.readouterr().out)
    assert products("list", "--kind", "poke", folder=folder) == 0
    assert "no products in" in capsys.readouterr().out
    assert products("show", path.name[:15], folder=folder) == 0
    shown = capsys.readouterr().out
    assert "response of bottom, 20" in shown
    assert "κx: " in shown
    assert "mirror_tilt_x_rad" in shown
    assert products("show", "1999", folder=folder) == 2
    assert "wanted one product of" in capsys.readouterr().err


def test_a_broken_product_is_named_in_the_list(made, tmp_path, capsys) -> None:
    path = write_product(tmp_path, made[1])
    (tmp_path / "half.json").write_text(path.read_text()[:100])
    assert products("list", folder=tmp_path) == 0
    listed = capsys.readouterr().out
    assert path.name in listed
    assert "half.json  broken" in listed
    assert products("show", "half.json", folder=tmp_path) == 2
    assert "half.json: not a product" in capsys.readouterr().err


def test_two_responses_are_compared_in_standard_errors(made, tmp_path, capsys) -> None:
    path, product = made
    numbers = json.loads(json.dumps(product.numbers))
    numbers["matrix"]["x_m"]["trap_x_m"] += 10 * numbers["stderr"]["x_m"]["trap_x_m"]
    other = write_product(tmp_path, replace(product, numbers=numbers))
    assert products("compare", str(path), str(other), folder=tmp_path) == 0
    lines = capsys.readouterr().out.splitlines()
    differing = [line for line in lines if "differs" in line]
    assert len(lines) == 36
    assert len(differing) == 1
    assert differing[0].startswith("x_m")
    assert "-7.1 s.e." in differing[0]
    bare = write_product(tmp_path, replace(product, kind="poke", numbers={}))
    assert products("compare", str(path), str(bare), folder=tmp_path) == 2
    assert "has no matrix to compare" in capsys.readouterr().err


# ---- promotion


def test_a_promoted_matrix_is_in_force_and_the_rest_of_the_file_as_it_was(
    made, tmp_path, own, capsys
) -> None:
    _, product = made
    path = write_product(tmp_path / "products", product)
    before = own.read_text()
    assert products("promote", path.name, "--config", str(own), folder=path.parent) == 0
    said = capsys.readouterr().out
    assert "is in force for station bottom, before it was 'nominal'" in said
    after = own.read_text().splitlines()
    gone = [line for line in difflib.ndiff(before.splitlines(), after) if line.startswith("- ")]
    assert len(gone) == 1
    assert gone[0].startswith('- matrix = "nominal"')
    (named,) = [line for line in after if line.startswith("matrix =")]
    assert named.endswith("# one of [stations.bottom.matrices]")
    _, station = select_station(load_config(own), None)
    assert station.loop.matrix.startswith("response_20")
    force, nominal = station.matrices[station.loop.matrix], station.matrices["nominal"]
    for observable, row in product.numbers["matrix"].items():
        for actuator, value in row.items():
            found, error = (
                force[observable].get(actuator, 0.0),
                product.numbers["stderr"][observable][actuator],
            )
            doubtful = actuator not in nominal[observable] and abs(value) <= 3 * error
            assert found == (0.0 if doubtful else value)
    (line,) = (path.parent / JOURNAL).read_text().splitlines()
    assert json.loads(line)["product"] == path.name
    assert json.loads(line)["configuration"] == str(own)
    assert magis_calib("config", "--check", str(own)).returncode == 0


def test_a_matrix_can_be_promoted_again_after_another_one(made, tmp_path, own) -> None:
    folder, names = tmp_path / "products", []
    for _ in range(2):
        path = write_product(folder, replace(made[1], created_ns=time.time_ns()))
        names.append(path.name)
        assert products("promote", path.name, "--config", str(own), folder=folder) == 0
    assert products("promote", names[0], "--config", str(own), folder=folder) == 0
    _, station = select_station(load_config(own), None)
    assert station.loop.matrix == f"response_{names[0].partition('_')[0]}"
    assert len(station.matrices) == 3
    assert len((folder / JOURNAL).read_text().splitlines()) == 3


def without(numbers: dict, actuator: str) -> dict:
    return {
        **numbers,
        "actuator_units": {k: v for k, v in numbers["actuator_units"].items() if k != actuator},
    }


def nothing(matrix: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """A matrix by which no actuator moves anything."""
    return {name: dict.fromkeys(row, 0.0) for name, row in matrix.items()}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (lambda one: {"station": "top"}, "of another station: wanted 'bottom', got 'top'"),
        (lambda one: {"good": False, "words": "gave up"}, "not valid: gave up"),
        (lambda one: {"created_ns": time.time_ns() - 31 * 86_400 * 10**9}, "not valid: too old"),
        (lambda one: {"numbers": without(one.numbers, "trap_x_m")}, "missing ['trap_x_m']"),
        (lambda one: {"numbers": {}}, "wanted a response of all the loop's actuators"),
        (
            lambda one: {"numbers": {**one.numbers, "matrix": nothing(one.numbers["matrix"])}},
            "singular",
        ),
    ],
)
def test_what_may_not_be_promoted_is_refused_and_nothing_is_changed(
    made, tmp_path, own, changes, words, capsys
) -> None:
    path = write_product(tmp_path / "products", replace(made[1], **changes(made[1])))
    before = own.read_text()
    assert products("promote", path.name, "--config", str(own), folder=path.parent) == 2
    assert words in capsys.readouterr().err
    assert own.read_text() == before
    assert sorted(tmp_path.iterdir()) == sorted([own, path.parent])
    assert not (path.parent / JOURNAL).exists()


def test_a_matrix_named_in_another_stations_loop_is_left_alone(made, tmp_path, own) -> None:
    text = default_text()
    own.write_text(
        text.replace('matrix = "nominal" ', '"matrix" = "nominal"')
        + "\n"
        + re.sub(r"stations\.bottom", "stations.top", text[text.index("[stations.bottom]") :])
    )
    assert set(tomllib.loads(own.read_text())["stations"]) == {"bottom", "top"}
    before = own.read_text()
    path = write_product(tmp_path / "products", made[1])
    assert products("promote", path.name, "--config", str(own), folder=path.parent) == 0
    stations = tomllib.loads(own.read_text())["stations"]
    assert stations["bottom"]["loop"]["matrix"] in stations["bottom"]["matrices"]
    assert stations["bottom"]["loop"]["matrix"] != "nominal"
    assert stations["top"] == tomllib.loads(before)["stations"]["top"]
    gone = set(before.splitlines()) - set(own.read_text().splitlines())
    assert [line.partition("#")[0].strip() for line in gone] == ['"matrix" = "nominal"']


def test_a_matrix_of_another_operating_point_moves_nothing(made, tmp_path, own) -> None:
    path = write_product(tmp_path / "products", made[1])
    assert products("promote", path.name, "--config", str(own), folder=path.parent) == 0
    applied = {}
    for preset in ("short", "long"):
        report = tmp_path / f"{preset}.json"
        magis_calib(
            "--simulate",
            "--auto",
            "--sensor",
            "small",
            "--interval",
            "0",
            "--drops",
            "3",
            "--preset",
            preset,
            "--config",
            str(own),
            "--session-dir",
            str(tmp_path / preset),
            "--report",
            str(report),
        )
        with Session(next((tmp_path / preset).iterdir())) as session:
            decisions = [one.decision for one in session.records]
        applied[preset] = sum(one.outcome == "applied" for one in decisions)
    assert applied == {"short": 3, "long": 0}
    assert (
        "is of another operating point: interrogation time reads 500.000, wanted 50.000 ms"
        in decisions[-1].reason
    )


# ---- poke and its exit code


def test_a_healthy_station_passes_the_poke(tmp_path) -> None:
    said = asked("poke", tmp_path, "--report", str(tmp_path / "r.json"))
    assert said.returncode == 0, said.stderr
    assert "poke passed" in said.stderr
    report = json.loads((tmp_path / "r.json").read_text())
    assert json.loads((Path(report["session"]) / "final.json").read_text())["poke"].startswith(
        "poke passed"
    )
    assert report["corrections"]["sent"] == 0


@pytest.mark.parametrize(
    ("name", "factor", "words"),
    [
        ("mirror_tilt_x_rad", 0.0, "mirror tilt x does not move"),
        ("trap_y_m", 1000.0, "trap y moves y although hardly"),
    ],
)
def test_a_broken_actuator_fails_the_poke_by_name(
    tmp_path, name: str, factor: float, words: str
) -> None:
    faults = tmp_path / "faults.toml"
    faults.write_text(f'[[fault]]\nkind = "actuator"\nname = "{name}"\nfactor = {factor}\n')
    said = asked("poke", tmp_path, "--faults", str(faults))
    assert said.returncode == 1
    assert f"poke failed: {words}" in said.stderr
    ((path, product),) = products_in(tmp_path / "products")
    assert not product.good
    assert read_product(path).numbers["wrong"][0].startswith(words)
    (session,) = (tmp_path / "sessions").iterdir()
    final = json.loads((session / "final.json").read_text())
    assert final["readback"] == pytest.approx(product.operating_point, abs=1e-12)


def test_a_run_whose_procedure_cannot_begin_ends_with_1_and_says_why(tmp_path) -> None:
    said = asked("response", tmp_path, "--actuator", "trap_q_m")
    assert said.returncode == 1
    assert "actuators: wanted some of" in said.stderr


def test_a_run_that_is_cut_short_says_that_its_procedure_did_not_end(tmp_path) -> None:
    said = asked("response", tmp_path, "--drops", "5")
    assert said.returncode == 1
    assert "cancelled: the run stops" in said.stderr
