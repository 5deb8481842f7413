"""Trial by hostile pictures: whatever is called usable must be right within six standard errors."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass

import numpy as np

from magis_calib.benchmark.bound import bound
from magis_calib.benchmark.deviation import MEASURES, deviations
from magis_calib.benchmark.explanation import explanations
from magis_calib.benchmark.hostile_picture import HostilePicture, hostile_picture
from magis_calib.benchmark.picture import PORTS, Truth
from magis_calib.benchmark.statistic import BenchmarkVerdict
from magis_calib.benchmark.workers import Tick, spread
from magis_calib.domain.camera import CameraFacts
from magis_calib.domain.estimate import ViewEstimate
from magis_calib.estimation.view import estimate_image
from magis_calib.imaging.electrons import from_counts

LIMIT_SIGMA = 6.0
EASY_CONTRAST = 20.0
"""A fringe is easy where the bound on the contrast is this many times smaller than the contrast."""
EASY_POSITION = 0.1
"""A position is easy where its bound is below this much of the width."""
EASY_RADIANS = 3.0
WHOLE_WIDTHS = 3.0
"""A port is whole where the frame reaches this many widths beyond its centre."""


@dataclass(frozen=True, slots=True)
class Offence:
    """A number (SI) that was called usable and is wrong."""

    name: str
    error: float
    stderr: float

    def in_words(self) -> str:
        """The offence for a person."""
        if not math.isfinite(self.error):
            return self.name
        return (
            f"{self.name} off by {self.error:.3g} = {self.error / self.stderr:+.1f} standard errors"
        )


@dataclass(frozen=True, slots=True)
class Ordeal:
    """What became of one hostile picture."""

    index: int
    ingredients: tuple[str, ...]
    usable: tuple[str, ...]
    """The quantities that the estimator let pass."""
    reasons: tuple[str, ...]
    offences: tuple[Offence, ...]
    easy: tuple[str, ...]
    """Of "position" and "fringe": what a perfect observer would have found without effort."""


@dataclass(frozen=True, slots=True)
class HostileTrial:
    """All ordeals of one trial."""

    seed: int
    ordeals: tuple[Ordeal, ...]

    @property
    def offenders(self) -> tuple[Ordeal, ...]:
        """Pictures with something usable and wrong."""
        return tuple(one for one in self.ordeals if one.offences)

    @property
    def refused(self) -> Counter[str]:
        """Pictures of which nothing may be used, by kind of reason; a picture can have several."""
        return Counter(
            kind
            for one in self.ordeals
            if not one.usable
            for kind in {kind_of(r) for r in one.reasons}
        )

    def found(self, quantity: str) -> tuple[int, int]:
        """Return how many easy pictures gave this quantity, and how many easy ones there were."""
        easy = [one for one in self.ordeals if quantity in one.easy]
        return sum(quantity in one.usable for one in easy), len(easy)

    def verdicts(self) -> list[BenchmarkVerdict]:
        """Not one offender."""
        return [
            BenchmarkVerdict(
                "pictures with something usable and wrong", len(self.offenders), 0.0, 0.0
            )
        ]

    def document(self) -> dict[str, object]:
        """For JSON."""
        offenders = [
            {
                "index": one.index,
                "ingredients": one.ingredients,
                "offences": [o.in_words() for o in one.offences],
            }
            for one in self.offenders
        ]
        easy = {
            name: dict(zip(("found", "easy"), self.found(name), strict=True))
            for name in ("position", "fringe")
        }
        return {
            "seed": self.seed,
            "pictures": len(self.ordeals),
            "refused": dict(self.refused),
            "usable": sum(bool(one.usable) for one in self.ordeals),
            "easy": easy,
            "offenders": offenders,
        }


def try_hostile(seed: int, number: int, processes: int, tick: Tick) -> HostileTrial:
    """Fit this many hostile pictures."""
    keys = [(seed, index) for index in range(number)]
    return HostileTrial(seed, tuple(spread(undergo, keys, processes, tick)))


def undergo(key: tuple[int, int]) -> Ordeal:
    """Fit the hostile picture of this seed and index, and judge what is called usable."""
    picture = hostile_picture(*key)
    estimate = estimate_image(from_counts(picture.counts, picture.facts), picture.camera)
    judged = [
        tuple(_offences(estimate, truth)) for truth in explanations(picture.truth, picture.facts)
    ]
    return Ordeal(
        picture.index,
        picture.ingredients,
        estimate.usable_quantities,
        estimate.reasons,
        min(judged, key=len),
        _easy(picture),
    )


def kind_of(reason: str) -> str:
    """Return the words of a reason without its numbers and details."""
    return re.split(r"[:\d]", reason, maxsplit=1)[0].strip() or reason


def _offences(estimate: ViewEstimate, truth: Truth) -> list[Offence]:
    if estimate.usable_quantities and not truth.port_a_electrons + truth.port_b_electrons > 0:
        return [Offence("a cloud where there is none", math.inf, math.nan)]
    found = deviations(estimate, truth)
    offences = []
    for quantity in estimate.usable_quantities:
        if quantity in ("fringe", "phase") and truth.contrast == 0:
            offences.append(Offence(f"a {quantity} where there is none", math.inf, math.nan))
            continue
        for name in MEASURES[quantity]:
            dark = any(
                name.startswith(f"port_{p}") and not truth.value(f"port_{p}_electrons") > 0
                for p in PORTS
            )
            if (
                name in found
                and not (dark and quantity == "position")
                and not abs(found[name].pull) <= LIMIT_SIGMA
            ):
                offences.append(Offence(name, found[name].error, found[name].stderr))
    return offences


def _easy(picture: HostilePicture) -> tuple[str, ...]:
    """Return what the bound says is easy: nothing of ports that are cut or saturated."""
    truth = picture.truth
    lit = [port for port in PORTS if truth.value(f"port_{port}_electrons") > 0]
    if not lit or picture.saturated or not all(_whole(truth, port, picture.facts) for port in lit):
        return ()
    errors = bound(truth, picture.facts)
    position = max(
        errors[f"port_{port}_{axis}_m"] / truth.value(f"width_{axis}_m")
        for port in lit
        for axis in ("horizontal", "vertical")
    )
    if not position < EASY_POSITION:
        return ()
    radians = math.hypot(
        truth.fringe_horizontal_rad_per_m * truth.width_horizontal_m,
        truth.fringe_vertical_rad_per_m * truth.width_vertical_m,
    )
    seen = truth.contrast > EASY_CONTRAST * errors["contrast"] and radians > EASY_RADIANS
    return ("position", "fringe") if seen else ("position",)


def _whole(truth: Truth, port: str, facts: CameraFacts) -> bool:
    half = 0.5 * facts.object_pixel_m * np.array([facts.columns, facts.rows])
    centre = np.abs(
        [truth.value(f"port_{port}_horizontal_m"), truth.value(f"port_{port}_vertical_m")]
    )
    room = (
        half - centre - WHOLE_WIDTHS * np.array([truth.width_horizontal_m, truth.width_vertical_m])
    )
    return bool(np.all(room > 0))
