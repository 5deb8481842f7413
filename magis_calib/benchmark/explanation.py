"""Other truths of the same image: a port seen alone can be either, in another place.

Where one port is dark or lies outside the frame, the image alone does not say which one is seen.
Then the fit can only trust that the cloud is near the place where it should be, and is right when
it finds the answer that says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from magis_calib.benchmark.picture import Truth, mean_of
from magis_calib.domain.camera import CameraFacts
from magis_calib.domain.quantities import wrap_phase

SAME_SIGMA = 6.0
"""Two truths that differ by less than this in all pixels together are the same image."""


def explanations(truth: Truth, facts: CameraFacts) -> Iterator[Truth]:
    """Yield the truth, and what explains the image as well with the cloud nearer its place."""
    yield truth
    for seen in ("a", "b"):
        other = renamed(truth, seen)
        if (
            _displacement(other, _other(seen)) < _displacement(truth, seen)
            and _distance(truth, other, facts) < SAME_SIGMA
        ):
            yield other


def renamed(truth: Truth, seen: str) -> Truth:
    """Return the truth in which the light of port `seen` is that of the other, `seen` dark.

    The other port has the opposite sign of the fringe and another reference, so that the phase
    changes by π + κ·(d_other - d_seen).
    """
    name = _other(seen)
    seen_u, seen_v = _nominal(truth, seen)
    name_u, name_v = _nominal(truth, name)
    step_u, step_v = name_u - seen_u, name_v - seen_v
    turn = (
        math.pi
        + truth.fringe_horizontal_rad_per_m * step_u
        + truth.fringe_vertical_rad_per_m * step_v
    )
    at_u, at_v = truth.value(f"port_{seen}_horizontal_m"), truth.value(f"port_{seen}_vertical_m")
    electrons = truth.value(f"port_{seen}_electrons")
    ports = {
        name: (electrons, at_u, at_v),
        seen: (0.0, at_u - step_u, at_v - step_v),
    }
    return replace(
        truth,
        port_a_electrons=ports["a"][0],
        port_a_horizontal_m=ports["a"][1],
        port_a_vertical_m=ports["a"][2],
        port_b_electrons=ports["b"][0],
        port_b_horizontal_m=ports["b"][1],
        port_b_vertical_m=ports["b"][2],
        phase_rad=wrap_phase(truth.phase_rad + turn),
    )


def _other(port: str) -> str:
    return "b" if port == "a" else "a"


def _nominal(truth: Truth, port: str) -> tuple[float, float]:
    return truth.displacement_a_m if port == "a" else truth.displacement_b_m


def _displacement(truth: Truth, port: str) -> float:
    """Return how far the cloud is from its nominal place (m), by this port."""
    place = truth.value(f"port_{port}_horizontal_m"), truth.value(f"port_{port}_vertical_m")
    return math.dist(place, _nominal(truth, port))


def _distance(one: Truth, other: Truth, facts: CameraFacts) -> float:
    """Return by how many standard deviations all pixels together tell the two apart."""
    signal, background = mean_of(one, facts).part(slice(None))
    variance = background + (1.0 + facts.excess) * signal + facts.quantised_read_variance
    away = signal - mean_of(other, facts).part(slice(None))[0]
    return math.sqrt(float(np.sum(away**2 / variance)))
