"""A second cloud in the picture: which one is meant, nobody can tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from magis_calib.estimation.view import estimate_view
from tests.pictures import SMALL, Scene, pair


def both(share: float, right_m: float, seed: int = 3):
    """View y with a share of the atoms of its cloud in another one, so far to the right."""
    first = pair(np.random.default_rng(seed), Scene(atoms=1e6 * (1 - share))).frames["y"]
    second = pair(
        np.random.default_rng(seed + 1), Scene(atoms=max(1.0, 1e6 * share), y=right_m)
    ).frames["y"]
    light = np.clip(second.counts.astype(float) - SMALL.offset, 0.0, None) if share else 0.0
    counts = np.clip(first.counts + light, 0, SMALL.saturation).astype(np.uint16)
    return replace(first, counts=counts)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("right_m", [-8e-3, 6e-3, 12e-3])
def test_a_second_cloud_spoils_the_view(station, share: float, right_m: float) -> None:
    estimate = estimate_view(both(share, right_m), station.camera("y"))
    assert not estimate.usable
    assert any(one.startswith("light elsewhere: ") for one in estimate.reasons), estimate.reasons


def test_one_cloud_has_no_light_elsewhere(station) -> None:
    for seed in range(20):
        assert estimate_view(both(0.0, 0.0, seed), station.camera("y")).reasons == ()
