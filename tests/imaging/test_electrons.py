from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from magis_calib.domain.errors import FitError
from magis_calib.imaging.electrons import to_electrons
from magis_calib.imaging.orientation import upright
from tests.pictures import SMALL, frame

QUIET = np.full((512, 768), 1600 + 16, np.uint16)


def edges(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.intp)


def test_counts_become_electrons_with_offset_and_gain() -> None:
    binned = to_electrons(frame(QUIET, "x")).binned(edges(0, 100, 512), edges(0, 768))
    assert binned.electrons[:, 0] == pytest.approx([100 * 768 * 16 * 0.24, 412 * 768 * 16 * 0.24])
    assert binned.pixels[:, 0].tolist() == [100 * 768, 412 * 768]


def test_a_bin_of_a_part_of_the_image_holds_just_its_pixels() -> None:
    counts = QUIET.copy()
    counts[:, 700:] = 3000
    binned = to_electrons(frame(counts, "x")).binned(edges(10, 20), edges(5, 15, 25))
    assert binned.electrons[0].tolist() == pytest.approx([100 * 16 * 0.24] * 2)


def test_hot_pixels_are_masked_before_they_are_summed_and_count_as_their_bins_mean() -> None:
    counts = QUIET.copy()
    rng = np.random.default_rng(3)
    at = rng.choice(counts.size, 200, replace=False)
    counts.flat[at] = 40_000
    image = to_electrons(frame(counts, "x"))
    assert set(at) <= set(image.bad.tolist())
    assert image.saturated_px == 0
    binned = image.binned(edges(0, 512), edges(0, 768))
    assert binned.electrons[0, 0] == pytest.approx(512 * 768 * 16 * 0.24, rel=1e-12)
    assert binned.scale[0, 0] == pytest.approx(counts.size / (counts.size - image.bad.size))


def test_configured_defects_are_never_used_and_turn_with_the_image() -> None:
    counts = QUIET.copy()
    defects = np.zeros(counts.shape, bool)
    defects[3, 5] = True
    turned = frame(counts, "x", facts=replace(SMALL, orientation="rotated_90"))
    image = to_electrons(turned, defects)
    assert image.shape == (768, 512)
    assert image.bad.tolist() == [(768 - 1 - 5) * 512 + 3]
    with pytest.raises(FitError, match=r"wanted \(512, 768\), got \(2, 2\)"):
        to_electrons(turned, np.zeros((2, 2), bool))


def test_light_that_saturates_an_area_is_told_from_a_single_saturated_pixel() -> None:
    counts = QUIET.copy()
    counts[100, 100] = 65520
    counts[200:203, 300:304] = 65520
    assert to_electrons(frame(counts, "x")).saturated_px == 12


@pytest.mark.parametrize(
    ("orientation", "wanted"),
    [
        ("normal", [[1, 2], [3, 4]]),
        ("mirrored", [[2, 1], [4, 3]]),
        ("rotated_90", [[2, 4], [1, 3]]),
        ("rotated_180", [[4, 3], [2, 1]]),
        ("rotated_270", [[3, 1], [4, 2]]),
        ("mirrored_rotated_90", [[1, 3], [2, 4]]),
    ],
)
def test_orientation_is_mirrored_first_then_turned_counter_clockwise(orientation: str, wanted: list) -> None:
    assert upright(np.array([[1, 2], [3, 4]], np.uint16), orientation).tolist() == wanted
