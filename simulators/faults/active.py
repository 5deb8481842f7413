"""Which faults are there in which drop: whoever may fail asks here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from magis_calib.domain.camera import View
from simulators.faults.kinds import (
    ActuatorFault,
    ContrastLost,
    Dark,
    Displacement,
    Drifts,
    Exchanged,
    FewAtoms,
    HalfExposed,
    NoAtoms,
    OutOfView,
    PhaseScrambled,
    Saturated,
    Timed,
    TwoClouds,
)
from simulators.faults.wire_kinds import (
    ClockStepped,
    NetworkCut,
    NumbersAgain,
    OfView,
    ViewDark,
    ViewsSwapped,
)
from simulators.instrument.numbers import Coordinate
from simulators.instrument.randomness import stream

F = TypeVar("F", bound=Timed)
V = TypeVar("V", bound=OfView)


@dataclass(frozen=True, slots=True)
class Flaws:
    """What is wrong with the pictures of one drop."""

    atoms_fraction: float = 1.0
    """Share of the atoms that is there."""
    dark: bool = False
    dark_views: frozenset[View] = frozenset()
    saturated: bool = False
    half_exposed: bool = False
    two_clouds: bool = False
    no_fringe: bool = False
    swapped: bool = False
    """Each view has the picture of the other one."""


FLAWLESS = Flaws()


@dataclass(frozen=True, slots=True)
class Cut:
    """Which ways nothing passes."""

    to_application: bool = False
    from_application: bool = False


WHOLE = Cut()
OUT_OF_VIEW_M = 0.04
"""The sensors see 25 mm to either side."""


class Faults:
    """The faults of a run.

    The same seed and drop give the same answer, whoever asks, whenever and how often.
    """

    def __init__(self, faults: Sequence[Timed] = (), seed: int = 0, first_drop: int = 1) -> None:
        self._faults = tuple(faults)
        self._seed = seed
        self._before_first = first_drop - 1

    def active(self, kind: type[F], drop_id: int) -> list[F]:
        """Return the faults of this kind in this drop."""
        return [
            fault
            for position, fault in enumerate(self._faults, start=1)
            if isinstance(fault, kind) and self._strikes(fault, position, drop_id)
        ]

    def factors(self, drop_id: int) -> dict[str, float]:
        """Return how far the actuators with a fault move for each unit that they are told to."""
        factors: dict[str, float] = {}
        for fault in self.active(ActuatorFault, drop_id):
            factors[fault.name] = factors.get(fault.name, 1.0) * fault.factor
        return factors

    def exchanged(self, drop_id: int) -> list[tuple[str, str]]:
        """Return the pairs of actuators that make each other's steps."""
        return [(one.name, one.other) for one in self.active(Exchanged, drop_id)]

    def displaced(self, drop_id: int) -> dict[Coordinate, float]:
        """Return what is added to the true disturbance, by observable."""
        sizes: dict[Coordinate, float] = {}
        for fault in self.active(Displacement, drop_id):
            drops = (
                drop_id - self._before_first - fault.from_drop + 1
                if isinstance(fault, Drifts)
                else 1
            )
            sizes[fault.observable] = sizes.get(fault.observable, 0.0) + fault.size * drops
        if self.active(OutOfView, drop_id):
            sizes |= dict.fromkeys(("x_m", "y_m"), OUT_OF_VIEW_M)
        if self.active(PhaseScrambled, drop_id):
            sizes["phase_rad"] = stream(self._seed, drop_id, "scrambled phase").uniform(
                -math.pi, math.pi
            )
        return sizes

    def flaws(self, drop_id: int) -> Flaws:
        """Return what is wrong with the pictures."""
        atoms = 0.0 if self.active(NoAtoms, drop_id) else 1.0
        return Flaws(
            atoms_fraction=atoms
            * math.prod(fault.factor for fault in self.active(FewAtoms, drop_id)),
            dark=bool(self.active(Dark, drop_id)),
            dark_views=frozenset(fault.view for fault in self.active(ViewDark, drop_id)),
            saturated=bool(self.active(Saturated, drop_id)),
            half_exposed=bool(self.active(HalfExposed, drop_id)),
            two_clouds=bool(self.active(TwoClouds, drop_id)),
            no_fringe=bool(self.active(ContrastLost, drop_id)),
            swapped=bool(self.active(ViewsSwapped, drop_id)),
        )

    def of_view(self, kind: type[V], view: View, drop_id: int) -> V | None:
        """Return the first fault of this kind that this view has in this drop."""
        return next((fault for fault in self.active(kind, drop_id) if fault.view == view), None)

    def cut(self, peer: str, drop_id: int) -> Cut:
        """Return which ways are cut between this peer and the application."""
        ways = {fault.way for fault in self.active(NetworkCut, drop_id) if fault.peer == peer}
        return Cut(
            bool(ways & {"both", "to_application"}), bool(ways & {"both", "from_application"})
        )

    def clock_ns(self, drop_id: int) -> int:
        """Return how wrong the clock of cameras and controllers is."""
        return round(1e9 * sum(fault.size_s for fault in self.active(ClockStepped, drop_id)))

    def numbers_again(self, drop_id: int) -> bool:
        """Tell whether the drop system counts from the first number again before this drop."""
        return bool(self.active(NumbersAgain, drop_id))

    def become(self, faults: Sequence[Timed]) -> None:
        """Have other faults from now on."""
        self._faults = tuple(faults)

    def _strikes(self, fault: Timed, position: int, drop_id: int) -> bool:
        if not fault.covers(drop_id - self._before_first):
            return False
        return (
            fault.rate is None
            or stream(self._seed, drop_id, f"fault {position}").random() < fault.rate
        )


NO_FAULTS = Faults()
