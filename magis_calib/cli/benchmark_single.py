"""One picture of the benchmark by its key: truth, what was found, and what was called usable."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from magis_calib.benchmark.deviation import deviations
from magis_calib.benchmark.good import good_task
from magis_calib.benchmark.grid import fitted, good_picture, missing_from
from magis_calib.benchmark.hostile import undergo
from magis_calib.benchmark.hostile_picture import hostile_picture
from magis_calib.benchmark.picture import PARAMETERS, Truth
from magis_calib.domain.camera import CameraFacts, Counts
from magis_calib.domain.estimate import ViewEstimate
from magis_calib.estimation.view import estimate_image
from magis_calib.imaging.electrons import from_counts


def show_hostile(seed: int, index: int, save: Path | None) -> int:
    """Print one hostile picture; return 1 where something usable is wrong."""
    picture, ordeal = hostile_picture(seed, index), undergo((seed, index))
    estimate = estimate_image(from_counts(picture.counts, picture.facts), picture.camera)
    print(f"hostile picture {index}: {', '.join(ordeal.ingredients) or 'nothing special'}")
    print(f"camera {picture.camera}")
    _show(estimate, picture.truth, picture.facts, [offence.in_words() for offence in ordeal.offences])
    print(f"easy to find: {', '.join(ordeal.easy) or 'nothing'}")
    _save(picture.counts, save)
    return int(bool(ordeal.offences))


def show_good(seed: int, index: int, save: Path | None) -> int:
    """Print one good picture; return 1 where it is refused."""
    task = good_task(seed, index)
    counts, truth, facts = good_picture(task)
    estimate = fitted(counts, truth, facts)
    missing = missing_from(estimate)
    print(f"good picture {index}: {task.cell.in_words()}")
    _show(estimate, truth, facts, [f"{name} is missing" for name in missing])
    _save(counts, save)
    return int(bool(missing))


def _show(estimate: ViewEstimate, truth: Truth, facts: CameraFacts, wrong: Sequence[str]) -> None:
    print(f"{facts}\nports at {truth.displacement_a_m} and {truth.displacement_b_m} m")
    found = deviations(estimate, truth)
    print(f"{'parameter':32}{'truth':>14}{'error':>14}{'stderr':>14}{'pull':>9}")
    for name in PARAMETERS:
        one = found.get(name)
        said = f"{one.error:14.6g}{one.stderr:14.6g}{one.pull:+9.2f}" if one else ""
        print(f"{name:32}{truth.value(name):14.6g}{said}")
    print(f"model {estimate.model}, chi-square {estimate.chi2_per_dof:.3f}, {estimate.evaluations} evaluations")
    print(f"usable: {', '.join(estimate.usable_quantities) or 'nothing'}")
    for reason in estimate.reasons:
        print(f"because {reason}")
    for one_wrong in wrong:
        print(f"WRONG {one_wrong}")


def _save(counts: Counts, save: Path | None) -> None:
    if save is not None:
        np.save(save, counts)
