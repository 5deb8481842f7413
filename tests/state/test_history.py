"""Numbers of many drops: all of them, unchanged for whoever looks, bounded."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from magis_calib.domain.control import Decision
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.estimate import unusable_station
from magis_calib.state.history import History, column, words


def record(drop_id: int, *reasons: str) -> DropRecord:
    decision = Decision(drop_id, 0, "held", "no gate was asked; µ")
    return DropRecord(
        drop_id,
        10 * drop_id,
        "interferometer",
        True,
        unusable_station(drop_id, *reasons),
        decision,
        {"trap_x_m": 1e-6 * drop_id},
        {},
        targets={"z_m": 2e-5},
    )


def test_numbers_of_a_drop_are_found_by_name() -> None:
    given = record(7, "no atoms")
    estimate = dataclasses.replace(
        given.estimate,
        values={**given.estimate.values, "z_m": 3e-5},
        stderr={**given.estimate.stderr, "z_m": 1e-6},
    )
    history = History()
    history.add(dataclasses.replace(given, estimate=estimate))
    history.add(dataclasses.replace(given, estimate=dataclasses.replace(estimate, usable=True)))
    rows = history.rows
    values, stderr = column(rows, "z_m")
    assert values.tolist() == [3e-5, 3e-5]
    assert stderr.tolist() == pytest.approx([1e-6, 1e-6])
    assert np.isnan(column(rows, "x_m")[0]).all()
    assert column(rows, "trap_x_m")[0].tolist() == pytest.approx([7e-6, 7e-6])
    assert np.isnan(column(rows, "trap_y_m")[0]).all()
    assert [words(rows, at) for at in (0, 1)] == ["no atoms", "held: no gate was asked; µ"]


def test_words_that_do_not_fit_are_cut_between_letters() -> None:
    history = History()
    history.add(record(1, "µ" * 31 + "mµm"))
    assert words(history.rows, 0) == "µ" * 31 + "m"


def test_what_was_looked_at_does_not_change_and_the_oldest_are_let_go() -> None:
    history, seen = History(capacity=4), []
    for drop in range(1, 8):
        history.add(record(drop))
        seen.append(history.rows)
    assert [rows["drop_id"].tolist() for rows in seen] == [
        [1],
        [1, 2],
        [1, 2, 3],
        [1, 2, 3, 4],
        [3, 4, 5],
        [3, 4, 5, 6],
        [5, 6, 7],
    ]
    with pytest.raises(ValueError, match="read-only"):
        seen[0]["drop_id"][0] = 0
