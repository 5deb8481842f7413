"""Ticks of logarithmic axes."""

from __future__ import annotations

import pytest

from ui.models.log_ticks import MOST_TICKS, doubling_ticks, round_ticks


@pytest.mark.parametrize("largest", [1, 2, 16, 64, 4096, 32768])
def test_doubling_ticks_begin_at_one_and_are_few(largest: int) -> None:
    ticks = doubling_ticks(largest)
    assert ticks[0] == (0.0, "1")
    assert len(ticks) <= MOST_TICKS + 1
    assert all(10**place == pytest.approx(float(text)) for place, text in ticks)
    assert max(int(text) for _, text in ticks) <= largest


@pytest.mark.parametrize(("low", "high"), [(0.4, 30.0), (1e-9, 1e3), (2.1, 4.0), (3e5, 8e7)])
def test_round_ticks_lie_inside_and_say_their_place(low: float, high: float) -> None:
    ticks = round_ticks(low, high)
    assert len(ticks) <= MOST_TICKS + 1
    assert all(low <= 10**place * 1.0000001 and 10**place <= high * 1.0000001 for place, _ in ticks)
    assert all(10**place == pytest.approx(float(text), rel=1e-6) for place, text in ticks)
