"""What a run decided, asked afterwards from its recording."""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path

import pytest

from magis_calib.cli.main import main
from tests.app.test_whole_runs import magis_calib

pytestmark = pytest.mark.station


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sessions")
    done = magis_calib(
        "--simulate",
        "--auto",
        "--sensor",
        "small",
        "--drops",
        "14",
        "--interval",
        "0",
        "--seed",
        "7",
        "--session-dir",
        str(folder),
    )
    assert done.returncode == 0, done.stderr
    return next(folder.iterdir())


def test_why_tells_every_step_of_a_decision(session: Path, capsys) -> None:
    assert main(["why", str(session), "--drop", "1"]) == 0
    told = capsys.readouterr().out
    for words in (
        "drop 1 ",
        "applied",
        "x: measured",
        "error expected 2",
        "waits until x, y, z",
        "matrix in force: nominal",
        "limited: trap x: step cap",
        "trap x: in force 0.00 → proposed −2",
    ):
        assert words in told, told
    assert main(["why", str(session), "--drop", "12"]) == 0
    told = capsys.readouterr().out
    assert "innovation" in told
    assert told.count("read back") == 6


def test_why_names_what_is_not_there(session: Path, tmp_path: Path, capsys) -> None:
    assert main(["why", str(session), "--drop", "99"]) == 2
    assert "no drop 99, it has drops 1 to 14" in capsys.readouterr().err
    assert main(["why", str(tmp_path), "--drop", "1"]) == 2
    assert "not a session" in capsys.readouterr().err


def test_the_ledger_lists_filters_and_exports(session: Path, tmp_path: Path, capsys) -> None:
    assert main(["ledger", str(session)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 14
    assert main(["ledger", str(session), "--from", "3", "--to", "5", "--outcome", "applied"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["3", "4", "5"]
    assert main(["ledger", str(session), "--outcome", "held"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["ledger", str(session), "--csv", str(tmp_path / "all.csv")]) == 0
    with (tmp_path / "all.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["drop_id"]) for row in rows] == list(range(1, 15))
    assert float(rows[0]["x_m measured"]) == pytest.approx(250e-6, abs=80e-6)
    assert float(rows[0]["trap_x_m limited"]) == pytest.approx(-50e-6, rel=1e-3)
    for row, following in pairwise(rows):
        assert following["trap_x_m in_force"] == row["trap_x_m readback"]
