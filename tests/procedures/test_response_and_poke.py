"""Response and poke on the simulated plant: what is found is what is there, with honest errors."""

from __future__ import annotations

import re
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import mean

import numpy as np
import pytest

from magis_calib.cli import procedures as cli_procedures
from magis_calib.cli.main import parser_of
from magis_calib.domain.errors import ProcedureError
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES
from magis_calib.feedback.response_matrix import Response
from magis_calib.procedures import protocol
from magis_calib.procedures.catalogue import KNOWN
from magis_calib.procedures.poke import poke
from magis_calib.procedures.response import response
from tests.procedures.procedure_bench import HOME, LOOP_ACTUATORS, play, true_response


def matrix(product, key: str) -> np.ndarray:
    return np.array(
        [
            [product[key][observable][actuator] for actuator in LOOP_ACTUATORS]
            for observable in OBSERVABLES
        ]
    )


def test_the_response_is_the_true_one_within_honest_errors(station) -> None:
    pulls, shares = [], []
    for seed in range(21, 31):
        result, _, drops = play(station, seed, response)
        assert drops <= 120
        found, errors = matrix(result.product, "matrix"), matrix(result.product, "stderr")
        pulls.append((found - true_response()) / errors)
        shares.append(np.diag(errors) / np.abs(np.diag(true_response())))
    assert np.max(shares) < 0.08
    assert np.max(np.abs(pulls)) < 5
    assert np.mean(np.abs(pulls) > 3) <= 0.01
    assert 0.85 <= np.std(pulls) <= 1.15
    assert result.product["condition_number"] == pytest.approx(1.26, abs=0.1)
    assert result.product["correlation_with_matrix_in_force"] > 0.99


@pytest.mark.parametrize("procedure", [response, poke])
def test_no_move_is_longer_than_its_cap_or_leaves_its_range(station, procedure) -> None:
    _, asked, _ = play(station, 1, procedure)
    way = [HOME, *(ask.setpoints for ask in asked)]
    for name, one in station.loop.actuators.items():
        assert all(abs(b[name] - a[name]) <= one.step_cap * (1 + 1e-9) for a, b in pairwise(way))
        assert all(one.minimum <= step[name] <= one.maximum for step in way)


def test_a_healthy_station_passes_the_poke(station) -> None:
    results = [play(station, seed, poke) for seed in range(1, 41)]
    assert all(result.good for result, _, _ in results), [
        result.words for result, _, _ in results if not result.good
    ]
    assert max(drops for _, _, drops in results) <= 30


@pytest.mark.parametrize("name", LOOP_ACTUATORS)
@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (-1.0, "moves the wrong way"),
        (0.0, "does not move"),
        (1000.0, "is its unit wrong?"),
        (1e-3, "does not move"),
    ],
)
def test_what_is_wrong_with_an_actuator_is_found_by_name(
    station, name: str, factor: float, words: str
) -> None:
    result, asked, _ = play(station, 3, poke, {name: factor})
    assert not result.good
    assert f"{ACTUATORS[name].label} " in result.words
    assert words in result.words
    if factor == 1000.0:
        assert len(asked) <= 4, "the first, harmless moves were enough"


def test_the_example_of_the_document_runs_and_is_a_command(station, monkeypatch) -> None:
    text = (Path(__file__).parents[2] / "docs" / "procedures.md").read_text(encoding="utf-8")
    names = {**vars(protocol), "mean": mean}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(block, names)
    spec = names["SPEC"]
    result, asked, drops = play(station, 1, spec.begin)
    assert result.good, result.words
    assert (len(asked), drops) == (2, spec.drops) == (2, 8)
    monkeypatch.setitem(KNOWN, spec.name, spec)
    said = parser_of(spec.name, cli_procedures).parse_args(["--size", "1e-5", "--auto"])
    assert (said.of_size, said.auto) == (1e-5, True)


def test_too_few_drops_or_an_unknown_actuator_is_refused_before_anything_moves(station) -> None:
    with pytest.raises(ProcedureError, match="wanted at least 9 for 6 actuators, got 8"):
        play(station, 1, partial(response, drops=8))
    with pytest.raises(ProcedureError, match="trap_q_m"):
        play(station, 1, partial(response, actuators=["trap_q_m"]))


def test_two_actuators_that_are_swapped_are_both_named(station) -> None:
    known = Response.of(station)
    unit = dict(zip(known.actuators, known.unit, strict=True))
    one, other = "launch_frequency_hz", "timing_asymmetry_s"
    swapped = {one: (other, unit[one] / unit[other]), other: (one, unit[other] / unit[one])}
    result, _, _ = play(station, 4, poke, swapped=swapped)
    for words in (
        "launch frequency does not move",
        "timing asymmetry does not move",
        "timing asymmetry moves z",
    ):
        assert words in result.words
