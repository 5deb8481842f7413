from __future__ import annotations

import tracemalloc
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from magis_calib.domain.errors import FitError
from magis_calib.estimation.view import estimate_image
from magis_calib.imaging.defects import area_of
from magis_calib.imaging.electrons import from_counts, to_electrons
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
    assert set(image.saturated.tolist()) == set()
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


def test_saturated_pixels_are_masked_with_their_rim_and_areas_of_them_are_light() -> None:
    counts = QUIET.copy()
    counts[100, 100] = 65520
    counts[200:203, 300:304] = 65520
    image = to_electrons(frame(counts, "x"))
    assert image.saturated.size == 13
    assert image.bad.size == 1 + 5 * 6
    assert area_of(image.saturated, 768) == 2


def test_the_dim_rim_of_a_particles_track_is_masked_too() -> None:
    counts = QUIET.copy()
    counts[50, 60:70] = 9000
    counts[49, 60:70] = counts[51, 60:70] = 1600 + 90
    image = to_electrons(frame(counts, "x"))
    assert image.binned(edges(0, 512), edges(0, 768)).electrons[0, 0] == pytest.approx(
        512 * 768 * 16 * 0.24
    )


def test_a_narrow_bright_cloud_with_fringes_is_no_defect() -> None:
    row, column = np.mgrid[:512, :768]
    bright = 5000 * np.exp(-0.5 * (((row - 200.3) / 8) ** 2 + ((column - 300.7) / 8) ** 2))
    light = np.random.default_rng(1).poisson(4 + bright * (1 + np.cos(2 * np.pi * column / 6)))
    image = to_electrons(frame((1600 + light / 0.24).astype(np.uint16), "x"))
    assert image.bad.size == 0


def test_bins_lose_further_pixels_exactly() -> None:
    rng = np.random.default_rng(5)
    counts = rng.integers(1600, 1700, (512, 768)).astype(np.uint16)
    image = to_electrons(frame(counts, "x"))
    more = np.array([5, 768 * 100 + 20, 768 * 300 + 700])
    cut = (edges(0, 200, 512), edges(0, 100, 768))
    again, at_once = (
        image.masking(more).binned(*cut),
        image.binned(*cut).without(image.counts, more),
    )
    assert np.array_equal(again.sums, at_once.sums)
    assert np.array_equal(again.good, at_once.good)
    assert at_once.good.sum() == counts.size - 3


def test_a_bin_without_a_good_pixel_says_nothing() -> None:
    defects = np.zeros((512, 768), bool)
    defects[:8, :8] = True
    binned = to_electrons(frame(QUIET, "x"), defects).binned(edges(0, 8, 512), edges(0, 8, 768))
    assert binned.electrons[0, 0] == 0
    assert np.isinf(binned.scale[0, 0])


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
def test_orientation_is_mirrored_first_then_turned_counter_clockwise(
    orientation: str, wanted: list
) -> None:
    assert upright(np.array([[1, 2], [3, 4]], np.uint16), orientation).tolist() == wanted


@pytest.mark.parametrize("row_edges", [(0, 16, 24, 512), (0, 15, 24, 510), (8, 40, 64)])
def test_bins_hold_the_good_pixels_between_their_edges_however_they_are_summed(
    row_edges: tuple[int, ...],
) -> None:
    """Edges at multiples of eight rows are summed from bands, others from pixels."""
    rng = np.random.default_rng(7)
    counts = rng.poisson(1700, QUIET.shape).astype(np.uint16)
    counts.flat[rng.choice(counts.size, 300, replace=False)] = 30_000
    image = to_electrons(frame(counts, "x"))
    good = np.ones(counts.shape, bool)
    good.flat[image.bad] = False
    column_edges = (3, 50, 60, 765)
    binned = image.binned(edges(*row_edges), edges(*column_edges))
    for row, (top, bottom) in enumerate(pairwise(row_edges)):
        for column, (left, right) in enumerate(pairwise(column_edges)):
            part = np.s_[top:bottom, left:right]
            assert binned.sums[row, column] == counts[part][good[part]].sum(dtype=np.int64)
            assert binned.good[row, column] == good[part].sum()


def test_bins_of_bright_pixels_do_not_overflow() -> None:
    bright = np.full((1024, 1024), 65_000, np.uint16)
    facts = replace(SMALL, rows=1024, columns=1024, saturation=65_535)
    binned = to_electrons(frame(bright, "x", facts=facts)).binned(edges(0, 1024), edges(0, 1024))
    assert binned.sums[0, 0] == 65_000 * 1024**2


def test_a_picture_that_is_saturated_over_large_parts_is_not_looked_at_pixel_by_pixel(
    station,
) -> None:
    counts = np.full((2048, 3072), 1600, np.uint16)
    counts[200:1800] = 65520
    facts = replace(SMALL, rows=2048, columns=3072)
    tracemalloc.start()
    try:
        found = estimate_image(from_counts(counts, facts), station.camera("x"))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.reasons == ("saturated: 4915200 of 6291456 pixels",)
    assert found.left_out.saturated_px == 4_915_200
    assert most < 400e6


def test_many_hot_pixels_still_leave_a_picture() -> None:
    counts = QUIET.copy()
    counts.flat[np.random.default_rng(1).choice(counts.size, counts.size // 200, replace=False)] = (
        65520
    )
    assert to_electrons(frame(counts, "x")).blinded == ""


@pytest.mark.parametrize("stuck", [65520, 30_000])
def test_a_large_part_that_is_known_to_be_bad_leaves_a_picture_of_the_rest(stuck: int) -> None:
    counts, defects = QUIET.copy(), np.zeros(QUIET.shape, bool)
    counts[:, 700:], defects[:, 700:] = stuck, True
    assert to_electrons(frame(counts, "x"), defects).blinded == ""
    with pytest.raises(FitError, match="defect mask"):
        to_electrons(frame(np.full_like(counts, 65520), "x"), np.zeros((2, 2), bool))
