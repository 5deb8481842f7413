"""Which faults are there in which drop. No sockets: whoever has something that may fail asks here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from magis_calib.domain.control import Setpoints
from magis_calib.link.control_messages import Refusal
from simulators.fault_kinds import (
    ActuatorFault,
    Clamps,
    ControllerDiesAfterCheck,
    ControllerRestart,
    ControllerSilent,
    Dark,
    Displacement,
    FewAtoms,
    FrameLost,
    NoAtoms,
    OfController,
    ReadsOff,
    Refuses,
    Saturated,
    Timed,
    Unlocked,
)
from simulators.plant_file import Coordinate
from simulators.streams import stream

F = TypeVar("F", bound=Timed)


@dataclass(frozen=True, slots=True)
class Flaws:
    """What is wrong with the pictures of one drop."""

    atoms: float = 1.0
    """Share of the atoms that is there."""
    dark: bool = False
    saturated: bool = False


FLAWLESS = Flaws()


class Faults:
    """The faults of a run. The same seed and drop give the same answer, whoever asks, whenever and how often."""

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

    def displaced(self, drop_id: int) -> dict[Coordinate, float]:
        """Return what is added to the true disturbance, by observable."""
        sizes: dict[Coordinate, float] = {}
        for fault in self.active(Displacement, drop_id):
            sizes[fault.observable] = sizes.get(fault.observable, 0.0) + fault.size
        return sizes

    def flaws(self, drop_id: int) -> Flaws:
        """Return what is wrong with the pictures."""
        atoms = 0.0 if self.active(NoAtoms, drop_id) else 1.0
        return Flaws(
            atoms=atoms * math.prod(fault.factor for fault in self.active(FewAtoms, drop_id)),
            dark=bool(self.active(Dark, drop_id)),
            saturated=bool(self.active(Saturated, drop_id)),
        )

    def lost_views(self, drop_id: int) -> set[str]:
        """Return the views whose frame is not sent."""
        return {fault.view for fault in self.active(FrameLost, drop_id)}

    def _strikes(self, fault: Timed, position: int, drop_id: int) -> bool:
        if not fault.covers(drop_id - self._before_first):
            return False
        return fault.rate is None or stream(self._seed, drop_id, f"fault {position}").random() < fault.rate


NO_FAULTS = Faults()


class Misbehaviour:
    """What one controller does wrong at the moment, which is that of the newest drop."""

    def __init__(self, faults: Faults, controller: str, newest_drop: Callable[[], int]) -> None:
        self._faults = faults
        self._controller = controller
        self._newest_drop = newest_drop

    @property
    def silent(self) -> bool:
        """It answers nothing and sends no heartbeat."""
        return self._does(ControllerSilent, self._newest_drop())

    @property
    def dies_after_check(self) -> bool:
        """It is gone when a committed write arrives."""
        return self._does(ControllerDiesAfterCheck, self._newest_drop())

    @property
    def locked(self) -> bool:
        """What the laser says of its lock."""
        return not self._faults.active(Unlocked, self._newest_drop())

    def refusal(self) -> Refusal | None:
        """Return what every write is answered with, if so."""
        if not self._does(Refuses, self._newest_drop()):
            return None
        return Refusal(code="busy", message=f"{self._controller} cannot move now")

    def clamped(self, setpoints: Setpoints) -> dict[str, float]:
        """Return what becomes of these setpoints on their way."""
        found = dict(setpoints)
        for fault in self._faults.active(Clamps, self._newest_drop()):
            if fault.name in found:
                found[fault.name] = min(max(found[fault.name], fault.minimum), fault.maximum)
        return found

    def misread(self, readback: Mapping[str, float]) -> dict[str, float]:
        """Return what is told in place of this read-back."""
        found = dict(readback)
        for fault in self._faults.active(ReadsOff, self._newest_drop()):
            if fault.name in found:
                found[fault.name] += fault.size
        return found

    def restarts(self, drop_id: int) -> bool:
        """Say whether it is switched off and on again just before this drop."""
        return self._does(ControllerRestart, drop_id)

    def _does(self, kind: type[OfController], drop_id: int) -> bool:
        return any(fault.controller == self._controller for fault in self._faults.active(kind, drop_id))
