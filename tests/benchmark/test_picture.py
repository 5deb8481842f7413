"""The pictures and the bound that the estimator is judged by, against sums and formulas made in
another way.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from magis_calib.benchmark.bound import bound
from magis_calib.benchmark.explanation import explanations, renamed
from magis_calib.benchmark.picture import Truth, mean_of, middles, photograph
from magis_calib.domain.camera import CameraFacts

FACTS = CameraFacts(512, 384, 64e-6, 0.24, 1600.0, 2.4, 65520, 12, 16, 0.9, "normal")
TRUTH = Truth(
    4.0,
    30.0,
    -20.0,
    4.0e5,
    2e-4,
    7.6e-3,
    5.0e5,
    1e-4,
    -7.3e-3,
    1.2e-3,
    1.0e-3,
    6283.0,
    -900.0,
    0.7,
    1.0,
    (1e-4, 7.5e-3),
    (-1e-4, -7.5e-3),
)
CENTRED = replace(
    TRUTH,
    background_gradient_horizontal=0.0,
    background_gradient_vertical=0.0,
    port_a_horizontal_m=1e-4,
    port_b_horizontal_m=-1e-4,
    port_a_vertical_m=7.5e-3,
    port_b_vertical_m=-7.5e-3,
    fringe_vertical_rad_per_m=0.0,
)
FINE = replace(
    TRUTH,
    fringe_horizontal_rad_per_m=-12_000.0,
    fringe_vertical_rad_per_m=9000.0,
    width_horizontal_m=5e-3,
)
NONE = replace(TRUTH, fringe_horizontal_rad_per_m=0.0, fringe_vertical_rad_per_m=0.0)


def oversampled(truth: Truth, row: int, column: int, samples: int = 120) -> float:
    """The electrons of one pixel as the mean of the density of docs/contracts.md on a fine
    lattice.
    """
    inside = (np.arange(samples) + 0.5) / samples - 0.5
    pixel = FACTS.object_pixel_m
    u = (column - (FACTS.columns - 1) / 2 + inside[None, :]) * pixel
    v = ((FACTS.rows - 1) / 2 - row + inside[:, None]) * pixel
    total = (
        truth.background_electrons_per_px
        + truth.background_gradient_horizontal * u
        + truth.background_gradient_vertical * v
    )
    for port, sign, (right, up) in (
        ("a", 1, truth.displacement_a_m),
        ("b", -1, truth.displacement_b_m),
    ):
        at_u, at_v = (
            truth.value(f"port_{port}_horizontal_m"),
            truth.value(f"port_{port}_vertical_m"),
        )
        angle = (
            truth.phase_rad
            + truth.fringe_horizontal_rad_per_m * (u - right)
            + truth.fringe_vertical_rad_per_m * (v - up)
        )
        bell = np.exp(
            -(
                ((u - at_u) / truth.width_horizontal_m) ** 2
                + ((v - at_v) / truth.width_vertical_m) ** 2
            )
            / 2
        )
        scale = truth.value(f"port_{port}_electrons") * pixel**2
        scale /= 2 * math.pi * truth.width_horizontal_m * truth.width_vertical_m
        total = total + scale * bell * (1 + sign * truth.contrast * np.cos(angle))
    return float(total.mean())


@pytest.mark.parametrize("truth", [TRUTH, FINE, NONE])
def test_a_pixel_holds_the_integral_of_the_contract_over_it(truth: Truth) -> None:
    signal, background = mean_of(truth, FACTS).part(slice(None))
    for row, column in ((136, 191), (141, 200), (369, 180), (372, 193), (130, 230), (20, 30)):
        wanted = oversampled(truth, row, column)
        assert signal[row, column] + background[row, column] == pytest.approx(wanted, rel=2e-5)


def test_the_whole_frame_holds_all_electrons() -> None:
    signal, background = mean_of(TRUTH, FACTS).part(slice(None))
    assert signal.sum() == pytest.approx(9e5, rel=1e-9)
    assert background.mean() == pytest.approx(4.0, rel=1e-9)
    fine = (
        mean_of(replace(FINE, width_vertical_m=1.2e-3), FACTS)
        .part(slice(0, FACTS.rows // 2))[0]
        .sum()
    )
    assert fine == pytest.approx(
        4e5 * math.erf(0.5 * FACTS.columns * 64e-6 / 5e-3 / math.sqrt(2)), rel=2e-3
    )


def test_up_is_positive_and_the_middle_lies_between_the_middle_pixels() -> None:
    u, v = middles(FACTS)
    assert u[0] == pytest.approx(-191.5 * 64e-6)
    assert v[0] == pytest.approx(255.5 * 64e-6)


@pytest.mark.parametrize("excess", [0.0, 0.9])
def test_a_photograph_has_the_mean_and_the_variance_of_the_contract(excess: float) -> None:
    facts, truth = (
        replace(FACTS, excess=excess),
        replace(TRUTH, width_vertical_m=3e-3, width_horizontal_m=3e-3),
    )
    signal, background = mean_of(truth, facts).part(slice(None))
    bright = signal > 5.0
    variance = (background + (1.0 + excess) * signal + facts.quantised_read_variance)[bright]
    rng = np.random.default_rng(3)
    away = np.concatenate(
        [
            (
                (photograph(rng, truth, facts)[bright] - facts.offset) * facts.gain
                - (signal + background)[bright]
            )
            / np.sqrt(variance)
            for _ in range(4)
        ]
    )
    assert abs(away.mean()) < 4.5 / math.sqrt(away.size)
    assert abs((away**2).mean() - 1.0) < 4.5 * (away**2).std() / math.sqrt(away.size)


def test_light_beyond_the_range_of_the_adc_saturates_and_steps_are_whole() -> None:
    facts = replace(FACTS, saturation=1600 + 16 * 20)
    counts = photograph(np.random.default_rng(1), TRUTH, facts)
    assert counts.max() == facts.saturation
    assert not np.any((counts.astype(int) - 1600) % 16)


def test_the_bound_is_shot_noise_where_nothing_else_makes_noise() -> None:
    """physics: many fringes, ideal: σφ = 1/√(N(1-√(1-C²))); one port's centroid: s√(1 +
    excess)/√electrons.
    """
    ideal = replace(FACTS, excess=0.0, read_noise=1e-3, gain=1e-5)
    even = replace(
        CENTRED, background_electrons_per_px=1e-6, port_a_electrons=4.5e5, port_b_electrons=4.5e5
    )
    found = bound(even, ideal)
    assert found["phase_rad"] == pytest.approx(
        1 / math.sqrt(9e5 * (1 - math.sqrt(1 - 0.7**2))), rel=0.03
    )
    plain = bound(replace(even, contrast=0.01), replace(ideal, excess=0.9))
    assert plain["port_a_horizontal_m"] == pytest.approx(1.2e-3 * math.sqrt(1.9 / 4.5e5), rel=0.01)
    assert plain["width_vertical_m"] == pytest.approx(1.0e-3 * math.sqrt(1.9 / 9e5 / 2), rel=0.01)


def test_the_bound_with_read_noise_is_that_of_the_physics() -> None:
    """physics: σφ² = (2/C²)((1 + 1/n)/N + 2Aσ²/(Nn)²) for small C, A = 4π s_u s_v in pixels, exact
    in both limits.
    """
    even = replace(CENTRED, port_a_electrons=4.5e4, port_b_electrons=4.5e4, contrast=0.2)
    facts = replace(FACTS, read_noise=20.0)
    area = 4 * math.pi * even.width_horizontal_m * even.width_vertical_m / FACTS.object_pixel_m**2
    floor = facts.quantised_read_variance + 4.0
    variance = 1.9 / 9e4 + 2 * area * floor / 9e4**2
    assert bound(even, facts)["phase_rad"] == pytest.approx(math.sqrt(2 * variance) / 0.2, rel=0.03)


def test_what_the_picture_does_not_say_has_no_bound() -> None:
    found = bound(replace(TRUTH, port_b_electrons=0.0, contrast=0.0), FACTS)
    assert math.isinf(found["port_b_vertical_m"])
    assert math.isinf(found["phase_rad"])
    assert math.isfinite(found["port_a_vertical_m"])


def test_one_port_seen_alone_is_the_same_image_under_the_other_name() -> None:
    alone = replace(TRUTH, port_a_electrons=0.0)
    other = renamed(alone, "b")
    one, two = (mean_of(truth, FACTS).part(slice(None))[0] for truth in (alone, other))
    assert np.allclose(one, two, atol=1e-9)
    assert other.port_a_electrons == alone.port_b_electrons
    assert list(explanations(alone, FACTS)) == [alone]
    moved = replace(alone, port_b_vertical_m=7e-3, displacement_a_m=(0.0, 7.5e-3))
    assert len(list(explanations(moved, FACTS))) == 2
    assert (
        len(list(explanations(replace(moved, port_a_electrons=1e5, port_a_vertical_m=0.0), FACTS)))
        == 1
    )
