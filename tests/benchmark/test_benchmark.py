"""The benchmark runs, says what it found, and gives the same picture for the same key."""

from __future__ import annotations

import json

import numpy as np
import pytest

from magis_calib.benchmark.clocked import Setup
from magis_calib.benchmark.grid import try_grid
from magis_calib.benchmark.hostile_picture import hostile_picture
from magis_calib.benchmark.plain import try_plain
from magis_calib.benchmark.scenes import Cell
from magis_calib.benchmark.statistic import Statistic
from magis_calib.benchmark.timing import try_timing
from magis_calib.cli.main import main

SETUP = Setup("small", 512, 400, 64e-6, 1e-3)


def no_tick() -> None:
    pass


def test_the_command_prints_one_json_document(capsys) -> None:
    words = "benchmark --sections hostile,good --hostile 3 --good 1 --processes 1 --json"
    code = main(words.split())
    document = json.loads(capsys.readouterr().out)
    assert code == (0 if document["passed"] else 1)
    assert document["sections"]["hostile"]["pictures"] == 3
    assert document["sections"]["good"]["pictures"] == 1


def test_the_command_prints_tables(capsys) -> None:
    main(
        [
            "benchmark",
            "--sections",
            "hostile,good",
            "--hostile",
            "1",
            "--good",
            "1",
            "--processes",
            "1",
        ]
    )
    assert "hostile: 1 pictures" in capsys.readouterr().out
    main(["benchmark", "--only", "0"])
    assert "hostile picture 0:" in capsys.readouterr().out


@pytest.mark.parametrize("words", ["--sections nonsense", "--views 0", "--seed -1"])
def test_wrong_usage_is_exit_2(words: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["benchmark", *words.split()])
    assert stopped.value.code == 2


def test_a_picture_can_be_had_again_by_its_key() -> None:
    first, again, other = hostile_picture(7, 3), hostile_picture(7, 3), hostile_picture(7, 4)
    assert np.array_equal(first.counts, again.counts)
    assert first.truth == again.truth != other.truth


def test_an_easy_cell_is_measured_and_judged() -> None:
    result = try_grid(1, 3, 1, no_tick, [Cell(1e7, 1e-3, 0.9)])
    assert result.pooled.refused.total() == 0
    assert all(one.views == 3 and 0 < one.rmse_over_bound < 4 for one in result.pooled.statistics)
    assert len(result.verdicts()) == 1 + 2 * 3 * 15


def test_the_clock_and_the_plain_fit_measure_the_same_picture() -> None:
    clocked = try_timing(1, 1, no_tick, [SETUP]).setups[0]
    assert clocked.usable
    assert set(clocked.stages_p50_s) == {"electrons", "estimate x", "estimate y", "combine"}
    assert 0 < max(clocked.stages_p50_s.values()) < clocked.p50_s <= clocked.p99_s
    plain = try_plain(1, no_tick, SETUP)
    assert all(abs(one.pull) < 5 for one in plain.plain.values())
    assert plain.precision("phase_rad") == pytest.approx(1.0, abs=0.1)


def test_verdicts_find_what_is_wrong_and_leave_chance_alone() -> None:
    rng = np.random.default_rng(5)
    honest = rng.standard_normal(400).tolist()
    assert all(one.passed for one in Statistic.of("phase", honest, honest).judged_alone())
    biased = [one + 0.4 for one in honest]
    narrow = [1.4 * one for one in honest]
    assert [one.passed for one in Statistic.of("phase", biased, honest).judged_alone()] == [
        True,
        False,
        True,
    ]
    assert [one.passed for one in Statistic.of("phase", narrow, narrow).judged_alone()] == [
        False,
        True,
        False,
    ]


def test_one_picture_can_be_shown_and_kept(tmp_path, capsys) -> None:
    main(["benchmark", "--show", "good", "--only", "9", "--save", str(tmp_path / "counts.npy")])
    assert "1e+07 atoms" in capsys.readouterr().out
    assert np.load(tmp_path / "counts.npy").dtype == np.uint16
